internal import NativeCodecs
internal import TelemetryData
internal import WireFormat

/// The bodies of log records: values of any type, and of any depth.
extension Redactor {
  /// What a body becomes; nil when it stays as it is.
  func redact(body: borrowing AnyValueView, _ tally: inout RedactionTally) -> AnyValue? {
    switch body.kind {
    case .keyValueList, .array:
      var value = body.value
      return redact(&value, path: "", &tally) ? value : nil
    case .string: return redact(body: body.bytes.span, &tally)
    default:
      var text: [UInt8] = []
      AttributeValueText.append(body, to: &text)
      return redact(body: text.span, &tally)
    }
  }

  private func redact(body text: Span<UInt8>, _ tally: inout RedactionTally) -> AnyValue? {
    guard !isAllowed(text), let masked = masking(text) else { return nil }
    tally.add(.masked, "body")
    return .string(String(decoding: masked, as: UTF8.self))
  }

  /// Redacts a value within a body; returns whether it was changed.
  ///
  /// - Parameter path: of the value, as the summary shows it; nothing for the body itself.
  private func redact(_ value: inout AnyValue, path: String, _ tally: inout RedactionTally) -> Bool {
    switch value {
    case .keyValueList(let entries):
      var kept = Attributes()
      var isChanged = false
      for entry in entries.entries {
        let place = path.isEmpty ? entry.key : "\(path).\(entry.key)"
        var element = entry.value
        switch fate(ofKey: entry.key.utf8.span) {
        case .ignored: tally.add(.ignored, place)
        case .redacted:
          tally.add(.redacted, place)
          isChanged = true
          continue
        default:
          if isBlocked(key: entry.key.utf8.span) {
            tally.add(.masked, place)
            element = masked(element)
            isChanged = true
          } else if redact(&element, path: place, &tally) {
            isChanged = true
          }
        }
        kept.append(entry.key, element)
      }
      if isChanged { value = .keyValueList(kept) }
      return isChanged
    case .array(var elements):
      var isChanged = false
      for index in elements.indices {
        let place = path.isEmpty ? "[\(index)]" : "\(path).[\(index)]"
        if redact(&elements[index], path: place, &tally) { isChanged = true }
      }
      if isChanged { value = .array(elements) }
      return isChanged
    default:
      let text = Self.text(of: value)
      if isAllowed(text.span) {
        tally.add(.allowed, path)
        return false
      }
      guard let masked = masking(text.span) else { return false }
      tally.add(.masked, path)
      value = .string(String(decoding: masked, as: UTF8.self))
      return true
    }
  }

  /// What stands in place of a value whose key is blocked: of what is no string, nothing is looked at.
  private func masked(_ value: AnyValue) -> AnyValue {
    var text: [UInt8] = []
    if case .string(let string) = value { text = [UInt8](string.utf8) }
    return .string(String(decoding: maskingAll(text.span), as: UTF8.self))
  }

  private static func text(of value: AnyValue) -> [UInt8] {
    switch value {
    case .string(let text): return [UInt8](text.utf8)
    case .bool(let bool): return [UInt8]((bool ? "true" : "false").utf8)
    case .int(let number): return [UInt8](String(number).utf8)
    case .double(let number):
      var text: [UInt8] = []
      AttributeFloat.append(number, to: &text)
      return text
    case .bytes(let bytes): return [UInt8](Base64.encoded(bytes).utf8)
    case .empty, .array, .keyValueList, .encoded: return []
    }
  }
}
