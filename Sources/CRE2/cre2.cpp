#include "cre2.h"

#include <re2/re2.h>

#include <new>
#include <string>
#include <vector>

struct millrace_re2 {
  re2::RE2 expression;
  std::vector<std::string> names;

  millrace_re2(const re2::StringPiece &pattern, const re2::RE2::Options &options) : expression(pattern, options) {
    if (!expression.ok()) return;
    names.resize(static_cast<size_t>(expression.NumberOfCapturingGroups()) + 1);
    for (const auto &named : expression.CapturingGroupNames()) names[static_cast<size_t>(named.first)] = named.second;
  }
};

millrace_re2 *millrace_re2_new(const char *pattern, size_t length, int dot_matches_newline, int ignores_case,
                               int64_t most_memory) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(dot_matches_newline != 0);
  options.set_case_sensitive(ignores_case == 0);
  options.set_max_mem(most_memory);
  try {
    return new millrace_re2(re2::StringPiece(pattern, length), options);
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

void millrace_re2_free(millrace_re2 *expression) { delete expression; }

const char *millrace_re2_error(const millrace_re2 *expression, const char **part, size_t *part_length) {
  *part = expression->expression.error_arg().data();
  *part_length = expression->expression.error_arg().size();
  return expression->expression.error().c_str();
}

int millrace_re2_groups(const millrace_re2 *expression) { return expression->expression.NumberOfCapturingGroups(); }

const char *millrace_re2_group_name(const millrace_re2 *expression, int group) {
  if (group < 0 || static_cast<size_t>(group) >= expression->names.size()) return nullptr;
  const std::string &name = expression->names[static_cast<size_t>(group)];
  return name.empty() ? nullptr : name.c_str();
}

int millrace_re2_match(const millrace_re2 *expression, const char *text, size_t length, size_t start, int anchor,
                       int64_t *spans, int span_count) {
  const re2::RE2::Anchor anchors[] = {re2::RE2::UNANCHORED, re2::RE2::ANCHOR_START, re2::RE2::ANCHOR_BOTH};
  if (start > length || anchor < 0 || anchor > 2 || span_count < 0) return 0;
  const re2::StringPiece subject(text == nullptr ? "" : text, length);
  re2::StringPiece few[16];
  std::vector<re2::StringPiece> many;
  re2::StringPiece *found = few;
  try {
    if (span_count > 16) {
      many.resize(static_cast<size_t>(span_count));
      found = many.data();
    }
    if (!expression->expression.Match(subject, start, length, anchors[anchor], found, span_count)) return 0;
  } catch (const std::bad_alloc &) {
    return 0;
  }
  for (int group = 0; group < span_count; ++group) {
    const bool takes_part = found[group].data() != nullptr;
    const int64_t begin = takes_part ? found[group].data() - subject.data() : -1;
    spans[2 * group] = begin;
    spans[2 * group + 1] = takes_part ? begin + static_cast<int64_t>(found[group].size()) : -1;
  }
  return 1;
}
