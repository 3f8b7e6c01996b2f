package import ConfigSchema
internal import NativeCodecs

/// `regex_replace`: replaces what a regular expression matches in a field.
package struct RegexReplaceConfig: OperatorSettings {
  package static let type = "regex_replace"
  package static let summary = "Replaces every match of a regular expression in a field."
  package var field: FieldPath?
  package var regex: RegexText?
  package var regexName: KnownRegex?
  package var replaceWith = ""
  package var common = OperatorKeys()

  /// Regular expressions that need not be written out.
  package enum KnownRegex: String, ConfigEnum {
    /// ECMA-48 control sequences, such as those that colour a terminal.
    case ansiControlSequences = "ansi_control_sequences"

    var text: String {
      switch self {
      case .ansiControlSequences: #"\x1B\[[\x30-\x3F]*[\x20-\x2F]*[\x40-\x7E]"#
      }
    }
  }

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "field", \.field, "The field, which must be a string; nothing happens when it is not there.",
      required: true),
    Field("regex", \.regex, "The regular expression, in RE2's syntax."),
    Field("regex_name", \.regexName, "A known regular expression, instead of `regex`."),
    Field(
      "replace_with", \.replaceWith,
      "What stands in place of each match: text, with `${1}` and `${name}` for what groups found. (In a file `$` is written `$$`.)"
    ),
    .group(\.common),
  ]

  package func check(_ checker: inout ConfigChecker) {
    switch (regex == nil, regexName == nil) {
    case (true, true): checker.error("\"regex\" or \"regex_name\" is required")
    case (false, false): checker.error(\.regexName, "cannot be set along with \"regex\"")
    default: break
    }
  }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    let pattern = regex?.pattern ?? regexName.flatMap { try? Pattern($0.text) }
    guard let field, let pattern else { return .plain(EntryStep(NoStep())) }
    return .plain(RegexReplace(field, RegexReplacer(pattern, with: PatternTemplate(replaceWith))))
  }

  private final class RegexReplace: LogOperator {
    private let field: FieldPath
    private var replacer: RegexReplacer

    init(_ field: FieldPath, _ replacer: RegexReplacer) {
      self.field = field
      self.replacer = replacer
    }

    func process(_ entry: inout LogEntry) throws(LogOperatorError) -> LogVerdict {
      guard let value = entry.value(at: field) else { return .pass }
      guard value.isText else {
        throw LogOperatorError("\(field): expected a string, found \(value.kind.noun)")
      }
      let replaced = replacer.replace(value.range, of: &entry)
      if replaced != value.range {
        try entry.set(value.kind == .string ? .string(replaced) : entry.textValue(replaced), at: field)
      }
      return .pass
    }
  }
}
