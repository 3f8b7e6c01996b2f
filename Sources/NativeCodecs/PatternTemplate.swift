/// A replacement text with references to the groups of a pattern, as Go's `regexp.Expand` reads it.
///
/// `$1`, `$name` and, where letters or digits follow, `${1}` and `${name}`; `$$` is a dollar. A reference to a group
/// that is not there or took no part is nothing; a `$` that begins no reference stands for itself.
package struct PatternTemplate: Sendable, Hashable {
  private enum Part: Sendable, Hashable {
    case text(String)
    case number(Int)
    case name(String)
  }

  package let text: String
  private let parts: [Part]

  package init(_ text: String) {
    self.text = text
    parts = Self.parts(of: text)
  }

  /// The text itself when it refers to no group; nil when it does.
  package var constant: String? {
    switch parts.count {
    case 0: return ""
    case 1: if case .text(let text) = parts[0] { return text }
    default: break
    }
    return nil
  }

  /// The text with the groups of a match in it.
  /// - Parameters:
  ///   - captures: the ranges of the whole and of each group in `subject`, see ``Pattern/captures(in:from:)``.
  ///   - names: the names of the groups, see ``Pattern/groupNames``.
  package func expanded(_ captures: [Range<Int>?], names: [String], in subject: String) -> String {
    var result = ""
    let bytes = Array(subject.utf8)
    func add(_ group: Int) -> Bool {
      guard captures.indices.contains(group), let range = captures[group], range.upperBound <= bytes.count
      else { return false }
      result += String(decoding: bytes[range], as: UTF8.self)
      return true
    }
    for part in parts {
      switch part {
      case .text(let text): result += text
      case .number(let group): _ = add(group)
      case .name(let name):
        // Of several groups of one name the first that took part counts.
        for (group, other) in names.enumerated() where other == name {
          if add(group) { break }
        }
      }
    }
    return result
  }

  /// What stands one behind the other in a replacement.
  package enum Piece: Sendable, Hashable {
    case text([UInt8])
    /// What the first of these groups that took part found; nothing when none did.
    case groups([Int])
  }

  /// The template with its references resolved to the groups of a pattern.
  package func pieces(for pattern: Pattern) -> [Piece] {
    parts.compactMap { part in
      switch part {
      case .text(let text): return .text(Array(text.utf8))
      case .number(let group): return group <= pattern.groupCount ? .groups([group]) : nil
      case .name(let name):
        let groups = pattern.groupNames.indices.filter { pattern.groupNames[$0] == name }
        return groups.isEmpty ? nil : .groups(groups)
      }
    }
  }

  private static func parts(of text: String) -> [Part] {
    var parts: [Part] = []
    var plain = ""
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "$" else {
        plain.unicodeScalars.append(scalar)
        continue
      }
      if rest.first == "$" {
        rest.removeFirst()
        plain += "$"
      } else if let (part, after) = reference(rest) {
        if !plain.isEmpty { parts.append(.text(plain)) }
        plain = ""
        parts.append(part)
        rest = after
      } else {
        plain += "$"
      }
    }
    if !plain.isEmpty { parts.append(.text(plain)) }
    return parts
  }

  /// The reference that begins behind a `$`, and what follows it.
  private static func reference(
    _ text: Substring.UnicodeScalarView
  ) -> (Part, Substring.UnicodeScalarView)? {
    let isBraced = text.first == "{"
    let body = isBraced ? text.dropFirst() : text
    let name = body.prefix { scalar in
      scalar == "_" || scalar.properties.generalCategory == .decimalNumber
        || [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter]
          .contains(scalar.properties.generalCategory)
    }
    guard !name.isEmpty else { return nil }
    var after = body[name.endIndex...]
    if isBraced { guard after.popFirst() == "}" else { return nil } }
    let word = String(Substring(name))
    let isNumber = word.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } && (word == "0" || !word.hasPrefix("0"))
    if isNumber, let number = Int(word), number < 1_000_000_000 { return (.number(number), after) }
    return (.name(word), after)
  }
}

extension Pattern {
  /// A text with every match replaced, none overlapping another, as Go's `ReplaceAllString`.
  package func replacingAll(in subject: String, with template: PatternTemplate) -> String {
    let bytes = Array(subject.utf8)
    var result: [UInt8] = []
    var position = 0
    var copied = 0
    var lastEnd = -1
    while position <= bytes.count, let captures = captures(in: subject, from: position),
      let whole = captures.first ?? nil
    {
      // An empty match right behind the last one is not a match of its own.
      if !(whole.isEmpty && whole.lowerBound == lastEnd) {
        result += bytes[copied..<whole.lowerBound]
        result += Array(template.expanded(captures, names: groupNames, in: subject).utf8)
        copied = whole.upperBound
        lastEnd = whole.upperBound
      }
      position = whole.upperBound
      if whole.isEmpty {
        position += 1
        while position < bytes.count, bytes[position] & 0xC0 == 0x80 { position += 1 }
      }
    }
    if copied < bytes.count { result += bytes[copied...] }
    return String(decoding: result, as: UTF8.self)
  }
}
