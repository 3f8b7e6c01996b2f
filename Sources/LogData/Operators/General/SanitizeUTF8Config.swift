package import ConfigSchema
internal import WireFormat

/// `sanitize_utf8`: replaces what is no UTF-8.
package struct SanitizeUTF8Config: OperatorSettings {
  package static let type = "sanitize_utf8"
  package static let summary = "Replaces what is no UTF-8 in a field by U+FFFD."
  package var field = FieldPath(.body)
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("field", \.field, "The field, which must be a string."), .group(\.common),
  ]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(UTF8Sanitizer(field: field)))
  }
}

/// Replaces each run of bytes that are no UTF-8 by one U+FFFD; bytes become a string.
struct UTF8Sanitizer: EntryReader {
  let field: FieldPath

  /// Does nothing when the field is not there.
  func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    guard let value = entry.value(at: field) else { return }
    guard value.isText else {
      throw LogOperatorError("\(field) is \(value.kind.noun), not a string")
    }
    let (start, end) = (value.range.lowerBound, value.range.upperBound)
    var wrong = UTF8Check.firstInvalid(in: entry.arena.span, from: start, to: end)
    if wrong < 0 {
      if value.kind == .bytes { try entry.set(.string(value.range), at: field) }
      return
    }
    let result = entry.arena.count
    var done = start
    while wrong >= 0 {
      entry.repeatArena(from: done, to: wrong)
      _ = entry.add("\u{FFFD}")
      done = wrong + 1
      while done < end,
        UTF8Check.firstInvalid(in: entry.arena.span, from: done, to: min(end, done + 4)) == done
      {
        done += 1
      }
      wrong = UTF8Check.firstInvalid(in: entry.arena.span, from: done, to: end)
    }
    entry.repeatArena(from: done, to: end)
    try entry.set(.string(WireRange(result, entry.arena.count)), at: field)
  }
}
