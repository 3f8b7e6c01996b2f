internal import NativeCodecs
internal import PipelineKit
internal import TelemetryData
internal import WireFormat

/// A text that must be met, or a regular expression that must match somewhere.
enum TextMatch: Sendable {
  case equal([UInt8])
  case pattern(CapturePattern)

  /// - Throws: when a pattern does not compile; ``problem(ofPattern:)`` was asked at the check.
  init(_ text: String, _ type: MatchType) throws(PatternError) {
    self =
      type == .strict
      ? .equal([UInt8](text.utf8)) : .pattern(try CapturePattern(text, asking: .existence))
  }

  func matches(_ text: Span<UInt8>) -> Bool {
    switch self {
    case .equal(let wanted): wanted.span.hasSameBytes(as: text)
    case .pattern(let pattern): pattern.matches(text)
    }
  }

  /// Why a regular expression does not compile; nil when it does.
  static func problem(ofPattern text: String) -> String? {
    do {
      _ = try Pattern(text)
      return nil
    } catch { return error.description }
  }
}

/// Any one of several texts; none at all takes every text.
struct TextMatches: Sendable {
  private enum Choices: Sendable {
    case equal(KeyList)
    case patterns(PatternList)
  }
  /// Nil for every text.
  private let choices: Choices?

  init(_ texts: [String], _ type: MatchType) throws(PatternError) {
    if texts.isEmpty {
      choices = nil
    } else if type == .strict {
      choices = .equal(KeyList(texts))
    } else {
      var patterns: [Pattern] = []
      for text in texts { patterns.append(try Pattern(text)) }
      choices = .patterns(PatternList(patterns))
    }
  }

  var isEmpty: Bool { choices == nil }

  func matches(_ text: Span<UInt8>) -> Bool {
    switch choices {
    case nil: true
    case .equal(let keys): keys.contains(text)
    case .patterns(let patterns): patterns.matches(text)
    }
  }
}

/// Attributes that must all be there.
struct AttributeMatches: Sendable {
  private enum Value: Sendable {
    case any
    case pattern(CapturePattern)
    case equal(AnyValue)
  }
  private struct Entry: Sendable {
    let key: [UInt8]
    let value: Value
  }
  private let entries: [Entry]

  init(_ properties: [AttributeProperty], _ type: MatchType) throws(PatternError) {
    var entries: [Entry] = []
    for property in properties {
      let key = [UInt8](property.key.utf8)
      switch (property.value?.value, type) {
      case (nil, _): entries.append(Entry(key: key, value: .any))
      case (.string(let text), .regexp):
        entries.append(Entry(key: key, value: .pattern(try CapturePattern(text, asking: .existence))))
      case (let value?, _): entries.append(Entry(key: key, value: .equal(value)))
      }
    }
    self.entries = entries
  }

  var isEmpty: Bool { entries.isEmpty }

  func matches(_ attributes: AttributesView) -> Bool {
    for entry in entries {
      guard let value = attributes.first(entry.key) else { return false }
      switch entry.value {
      case .any: continue
      case .equal(.string(let text)):
        if value.kind != .string || !value.bytes.equals(text.utf8.span) { return false }
      case .equal(let wanted): if value.value != wanted { return false }
      case .pattern(let pattern): if !Self.matches(pattern, value) { return false }
      }
    }
    return true
  }

  /// Numbers and booleans are matched as text; lists, maps and bytes never are.
  private static func matches(_ pattern: CapturePattern, _ value: AnyValueView) -> Bool {
    switch value.kind {
    case .string: pattern.matches(value.bytes.span)
    case .bool: pattern.matches((value.bool ? "true" : "false").utf8.span)
    case .int: pattern.matches(String(value.int).utf8.span)
    case .double: pattern.matches(GoNumber.text(of: value.double).utf8.span)
    default: false
    }
  }
}
