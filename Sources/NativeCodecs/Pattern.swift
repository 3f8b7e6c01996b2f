internal import CRE2

/// A regular expression in RE2's syntax, which is Go's: linear in the text, with no backreferences.
///
/// Compiled once and then safe to share. What matching may hold in memory is bounded; a pattern that needs more falls
/// back to a slower way, it never grows without end.
@safe package final class Pattern: Sendable {
  /// Where a match must lie.
  package enum Anchoring: Int32, Sendable {
    case anywhere, start
    /// From the first byte of the text to its last, as Prometheus matches.
    case whole
  }

  /// How it is read.
  struct Options: Sendable, Hashable {
    var dotMatchesNewline = false
    var matchesLines = false
    var ignoresCase = false
  }

  /// Bounds the program of a pattern and the states that its matches keep, in bytes.
  package static let mostMemory = 8 << 20
  /// The longest pattern that is looked at, in bytes.
  package static let longest = 1 << 20

  package let text: String
  package let anchoring: Anchoring
  /// How many groups there are, the whole match not counted.
  package let groupCount: Int
  /// The names of the groups, by number from 0, the whole match; empty for those without one.
  package let groupNames: [String]
  let options: Options
  // Only freed in `deinit`; RE2's matching is safe from several threads.
  private nonisolated(unsafe) let expression: OpaquePointer

  /// - Parameters:
  ///   - dotMatchesNewline: whether `.` takes every character (`(?s)`).
  ///   - matchesLines: whether `^` and `$` match at the ends of every line (`(?m)`).
  package init(
    _ text: String, anchoring: Anchoring = .anywhere, dotMatchesNewline: Bool = false,
    matchesLines: Bool = false, ignoresCase: Bool = false
  ) throws(PatternError) {
    guard text.utf8.count <= Self.longest else {
      throw PatternError(reason: "it is longer than \(Self.longest >> 20) MiB", part: "", offset: 0)
    }
    options = Options(
      dotMatchesNewline: dotMatchesNewline, matchesLines: matchesLines, ignoresCase: ignoresCase)
    // With the flag in front, mistakes would be found in a pattern that nobody wrote.
    if matchesLines { _ = try Pattern(text) }
    let program = matchesLines ? "(?m)" + text : text
    guard let made = unsafe Self.compile(program, options) else {
      throw PatternError(reason: "there is no memory for it", part: "", offset: 0)
    }
    if let complaint = unsafe Self.complaint(made, about: text) {
      unsafe millrace_re2_free(made)
      throw PatternError(complaint, in: text)
    }
    self.text = text
    self.anchoring = anchoring
    unsafe expression = made
    groupCount = Int(unsafe millrace_re2_groups(made))
    groupNames = (0...groupCount).map { group in
      guard let name = unsafe millrace_re2_group_name(made, Int32(clamping: group)) else { return "" }
      return unsafe String(cString: name)
    }
  }

  deinit { unsafe millrace_re2_free(expression) }

  /// What RE2 says about a pattern: a message, and the part of the pattern it is about.
  private static func complaint(
    _ expression: OpaquePointer, about text: some StringProtocol
  ) -> PatternError.Complaint? {
    var start: UnsafePointer<CChar>?
    var length = 0
    guard let message = unsafe millrace_re2_error(expression, &start, &length) else { return nil }
    let reason = unsafe String(cString: message)
    guard !reason.isEmpty else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: length)
    var part = unsafe String(decoding: bytes, as: UTF8.self)
    var told = reason
    if !part.isEmpty, !text.contains(part) {
      // It read the pattern in another spelling.
      let written = part.replacing("(?P<", with: "(?<")
      if told.hasSuffix(part) { told = told.dropLast(part.count) + written }
      part = written
    }
    return PatternError.Complaint(reason: told, part: part)
  }

  /// What RE2 says about another pattern, to find out where a mistake is.
  static func complaint(about text: Substring) -> PatternError.Complaint? {
    guard let made = unsafe compile(String(text), Options()) else { return nil }
    defer { unsafe millrace_re2_free(made) }
    return unsafe complaint(made, about: text)
  }

  private static func compile(_ text: String, _ options: Options) -> OpaquePointer? {
    var copy = PatternSpelling.olderGroups(of: text)
    return copy.withUTF8 { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
        unsafe millrace_re2_new(
          characters.baseAddress, characters.count, options.dotMatchesNewline ? 1 : 0,
          options.ignoresCase ? 1 : 0,
          Int64(Self.mostMemory))
      }
    }
  }

  /// Whether a text has a match.
  package func matches(_ text: Span<UInt8>) -> Bool {
    unsafe text.withUnsafeBufferPointer { unsafe find(in: $0, from: 0, groups: 0) != nil }
  }

  /// Whether a text has a match.
  package func matches(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { unsafe find(in: $0, from: 0, groups: 0) != nil }
  }

  /// The range of the first match from `start` on, in bytes; nil when there is none.
  package func firstMatch(in text: Span<UInt8>, from start: Int = 0) -> Range<Int>? {
    guard start >= 0, start <= text.count else { return nil }
    return unsafe text.withUnsafeBytes { bytes in
      unsafe withUnsafeTemporaryAllocation(of: Int64.self, capacity: 2) { span in
        let characters = unsafe bytes.assumingMemoryBound(to: CChar.self)
        let isFound = unsafe millrace_re2_match(
          expression, characters.baseAddress, characters.count, start, anchoring.rawValue, span.baseAddress, 1
        )
        guard isFound == 1, unsafe span[0] >= 0, unsafe span[1] >= span[0] else { return nil }
        return unsafe Int(span[0])..<Int(span[1])
      }
    }
  }

  /// The first match from `start` on: the ranges of the whole and of each group, in bytes; nil for a group that took no
  /// part. No match is nil.
  package func captures(in text: Span<UInt8>, from start: Int = 0) -> [Range<Int>?]? {
    unsafe text.withUnsafeBufferPointer { unsafe find(in: $0, from: start, groups: groupCount + 1) }
  }

  /// The first match in a text, as ``captures(in:from:)`` of bytes.
  package func captures(in text: String, from start: Int = 0) -> [Range<Int>?]? {
    var text = text
    return text.withUTF8 { unsafe find(in: $0, from: start, groups: groupCount + 1) }
  }

  /// The first match from `start` on, without allocating: see ``CapturePattern/find(in:from:into:)``.
  ///
  /// - Parameter count: how many groups are asked for, the whole match among them.
  func find(
    in text: Span<UInt8>, from start: Int, groups count: Int, into match: inout PatternMatch
  ) -> Bool {
    match.makeRoom(groups: count, registers: 0)
    return unsafe withUnsafeTemporaryAllocation(of: Int64.self, capacity: 2 * count) { spans in
      let isFound = unsafe text.withUnsafeBytes { bytes in
        let characters = unsafe bytes.assumingMemoryBound(to: CChar.self)
        return unsafe millrace_re2_match(
          expression, characters.baseAddress, characters.count, start, anchoring.rawValue, spans.baseAddress,
          Int32(clamping: count))
      }
      guard isFound == 1 else { return false }
      // What took no part is -1, which becomes the largest number.
      for index in 0..<2 * count { match.places[index] = UInt32(truncatingIfNeeded: unsafe spans[index]) }
      return true
    }
  }

  private func find(in text: UnsafeBufferPointer<UInt8>, from start: Int, groups: Int) -> [Range<Int>?]? {
    guard start >= 0, start <= text.count else { return nil }
    var spans = [Int64](repeating: -1, count: groups * 2)
    let isFound = unsafe text.withMemoryRebound(to: CChar.self) { characters in
      unsafe millrace_re2_match(
        expression, characters.baseAddress, characters.count, start, anchoring.rawValue, &spans,
        Int32(clamping: groups))
    }
    guard isFound == 1 else { return nil }
    return (0..<groups).map { group in
      let (low, high) = (Int(spans[2 * group]), Int(spans[2 * group + 1]))
      return low >= 0 && high >= low ? low..<high : nil
    }
  }
}
