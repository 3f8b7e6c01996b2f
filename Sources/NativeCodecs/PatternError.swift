/// Why a regular expression cannot be used.
package struct PatternError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A clause such as `missing )`.
  package let reason: String
  /// The part of the pattern that is wrong; may be empty.
  package let part: String
  /// Where that part begins in the pattern, in bytes from 0.
  package let offset: Int

  package init(reason: String, part: String, offset: Int) {
    self.reason = reason
    self.part = part
    self.offset = offset
  }

  /// The wrong part, in bytes of the pattern.
  package var range: Range<Int> { offset..<(offset + part.utf8.count) }

  package var description: String {
    part.isEmpty ? reason : "\(reason): `\(part)` at byte \(offset + 1)"
  }
}

extension PatternError {
  /// What RE2 says: a message, and a copy of the part it is about, but not where that stands.
  struct Complaint: Equatable {
    let reason: String
    let part: String

    /// - Parameter reason: RE2's message, which ends in the part.
    init(reason: String, part: String) {
      let tail = ": \(part)"
      self.reason = !part.isEmpty && reason.hasSuffix(tail) ? String(reason.dropLast(tail.count)) : reason
      self.part = part
    }
  }

  /// Finds the place that a complaint is about.
  init(_ complaint: Complaint, in text: String) {
    let (part, offset) = Self.place(of: complaint, in: text)
    self.init(reason: complaint.reason, part: part, offset: offset)
  }

  private static func place(of complaint: Complaint, in text: String) -> (part: String, offset: Int) {
    if complaint.reason.hasPrefix("missing )") || complaint.reason.hasPrefix("missing closing )") {
      return unclosedGroup(in: text).map { ("(", $0) } ?? ("", 0)
    }
    if complaint.reason.hasPrefix("trailing \\"), text.hasSuffix("\\") { return ("\\", text.utf8.count - 1) }
    if complaint.part.isEmpty { return ("", 0) }
    // RE2 reads from left to right: the shortest beginning with the same mistake ends where the mistake ends.
    let scalars = text.unicodeScalars
    let bounds = Array(scalars.indices) + [scalars.endIndex]
    func isWrong(_ end: String.Index) -> Bool {
      let beginning = text[..<end]
      guard let found = Pattern.complaint(about: beginning), found.reason == complaint.reason else {
        return false
      }
      return found.part == complaint.part || found.part == beginning && complaint.part == text
    }
    var (low, high) = (0, bounds.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if isWrong(bounds[middle]) { high = middle } else { low = middle }
    }
    let beginning = text[..<bounds[high]]
    // Of some mistakes the part is the pattern as a whole: the last character is what was one too many.
    let part =
      complaint.part == text && high > 0 ? String(text[bounds[high - 1]..<bounds[high]]) : complaint.part
    guard beginning.hasSuffix(part) else { return ("", 0) }
    return (part, beginning.utf8.count - part.utf8.count)
  }

  /// The offset of the last group that is not closed.
  private static func unclosedGroup(in text: String) -> Int? {
    var open: [Int] = []
    let bytes = Array(text.utf8)
    for place in PatternSpelling.parentheses(in: bytes) {
      if bytes[place] == UInt8(ascii: "(") { open.append(place) } else { _ = open.popLast() }
    }
    return open.last
  }
}
