#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A compiled regular expression of the RE2 library; safe to use from several threads at once.
typedef struct millrace_re2 millrace_re2;

// Compiles UTF-8 text; never throws. NULL only when there is no memory.
millrace_re2 *millrace_re2_new(const char *pattern, size_t length, int dot_matches_newline, int ignores_case,
                               int64_t most_memory);
void millrace_re2_free(millrace_re2 *expression);

// What is wrong with the pattern, with the part of it that is; an empty text when it is right. The texts live as long
// as the expression.
const char *millrace_re2_error(const millrace_re2 *expression, const char **part, size_t *part_length);

// How many groups it captures, the whole not counted.
int millrace_re2_groups(const millrace_re2 *expression);
// The name of a group; NULL when it has none. Lives as long as the expression.
const char *millrace_re2_group_name(const millrace_re2 *expression, int group);

// Looks for a match from `start` on and writes the first `span_count` groups as pairs of offsets (−1 for a group that
// took no part). `anchor`: 0 anywhere, 1 at the start, 2 the whole text. Returns whether there is one.
int millrace_re2_match(const millrace_re2 *expression, const char *text, size_t length, size_t start, int anchor,
                       int64_t *spans, int span_count);

#ifdef __cplusplus
}
#endif
