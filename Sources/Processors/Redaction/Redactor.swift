internal import ConfigSchema
internal import NativeCodecs
internal import TelemetryData
internal import WireFormat

/// The rules of a `redaction` processor, compiled.
struct Redactor: Sendable {
  /// Nil when all are allowed.
  private let allowedKeys: KeyList?
  private let ignoredKeys: KeyList
  private let ignoredPatterns: PatternList
  private let blockedKeys: PatternList
  private let allowedValues: PatternList
  private let blockedValues: [CapturePattern]
  /// All of the blocked values at once: most values have nothing of them.
  private let anyBlockedValue: PatternList
  private let readsAllTypes: Bool
  private let mask: RedactionMask
  let summary: RedactionSummary

  init(_ config: RedactionConfig) {
    allowedKeys = config.allowAllKeys ? nil : KeyList(config.allowedKeys + RedactionTally.keys)
    ignoredKeys = KeyList(config.ignoredKeys)
    ignoredPatterns = PatternList(config.ignoredKeyPatterns.map(\.pattern))
    blockedKeys = PatternList(config.blockedKeyPatterns.map(\.pattern))
    allowedValues = PatternList(config.allowedValues.map(\.pattern))
    blockedValues = config.blockedValues.map { CapturePattern($0.pattern, asking: .extent) }
    anyBlockedValue = PatternList(config.blockedValues.map(\.pattern))
    readsAllTypes = config.redactAllTypes
    mask = RedactionMask(config)
    summary = config.summary
  }

  /// What becomes of an attribute.
  private enum Decision {
    case kept, ignored, allowed, redacted
    case masked([UInt8])
  }

  /// Redacts the attributes of a message, and tells of it in them.
  func redact(_ sheet: inout AttributeSheet, _ tally: inout RedactionTally) {
    tally.removeAll()
    for position in 0..<sheet.count {
      switch decision(sheet, position) {
      case .kept: continue
      case .ignored: tally.add(.ignored, "")
      case .allowed: tally.add(.allowed, sheet.key(at: position).string)
      case .redacted:
        tally.add(.redacted, sheet.key(at: position).string)
        sheet.remove(at: position)
      case .masked(let text):
        tally.add(.masked, sheet.key(at: position).string)
        sheet.set(.string(String(decoding: text, as: UTF8.self)), at: position)
      }
    }
    tally.write("redaction", to: &sheet)
  }

  private func decision(_ sheet: borrowing AttributeSheet, _ position: Int) -> Decision {
    let key = sheet.key(at: position)
    switch fate(ofKey: key.span) {
    case .ignored: return .ignored
    case .redacted: return .redacted
    default: break
    }
    let value = sheet.value(at: position)
    if value.kind == .string { return decision(key.span, value.bytes.span) }
    // What is no string is empty to the rules, unless all types are looked at.
    var text: [UInt8] = []
    if readsAllTypes { AttributeValueText.append(value, to: &text) }
    return decision(key.span, text.span)
  }

  private func decision(_ key: Span<UInt8>, _ text: Span<UInt8>) -> Decision {
    if isAllowed(text) { return .allowed }
    if blockedKeys.matches(key) { return .masked(mask.masking(text)) }
    return masking(text).map { .masked($0) } ?? .kept
  }

  // Rules.

  /// Whether a key is ignored or redacted, or neither.
  func fate(ofKey key: Span<UInt8>) -> RedactionTally.Fate? {
    if ignoredKeys.contains(key) || ignoredPatterns.matches(key) { return .ignored }
    if let allowedKeys, !allowedKeys.contains(key) { return .redacted }
    return nil
  }

  func isBlocked(key: Span<UInt8>) -> Bool { blockedKeys.matches(key) }

  func isAllowed(_ text: Span<UInt8>) -> Bool { allowedValues.matches(text) }

  /// A text with everything masked; for values whose key is blocked.
  func maskingAll(_ text: Span<UInt8>) -> [UInt8] { mask.masking(text) }

  /// A text with the blocked values in it masked, one pattern after the other; nil when nothing changes.
  func masking(_ text: Span<UInt8>) -> [UInt8]? {
    if !anyBlockedValue.matches(text) { return nil }
    var result: [UInt8]?
    for pattern in blockedValues {
      if let current = result {
        result = mask.masking(pattern, in: current.span) ?? current
      } else {
        result = mask.masking(pattern, in: text)
      }
    }
    if let made = result, made.span.hasSameBytes(as: text) { return nil }
    return result
  }
}
