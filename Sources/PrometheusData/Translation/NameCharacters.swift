/// The characters that names of metrics and labels may have, in the set that every Prometheus knows:
/// `[a-zA-Z_:][a-zA-Z0-9_:]*` for metrics, the same without the colon for labels.
enum NameCharacters {
  /// Bit 0: in labels, bit 1: in metrics, bit 2: a digit.
  private static let classes: InlineArray<256, UInt8> = {
    var classes = InlineArray<256, UInt8>(repeating: 0)
    for byte in 0..<256 {
      switch UInt8(byte) {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
        classes[byte] = 3
      case UInt8(ascii: "0")...UInt8(ascii: "9"): classes[byte] = 7
      case UInt8(ascii: ":"): classes[byte] = 2
      default: break
      }
    }
    return classes
  }()

  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
  static func isInMetrics(_ byte: UInt8) -> Bool { classes[Int(byte)] & 2 != 0 }
  static func isInLabels(_ byte: UInt8) -> Bool { classes[Int(byte)] & 1 != 0 }

  /// Whether a metric can have this name as it is.
  static func isMetricName(_ name: Span<UInt8>) -> Bool { isName(name, 2) }
  /// Whether a label can have this name as it is.
  static func isLabelName(_ name: Span<UInt8>) -> Bool { isName(name, 1) }

  private static func isName(_ name: Span<UInt8>, _ mask: UInt8) -> Bool {
    if name.isEmpty || isDigit(name[0]) { return false }
    for index in name.indices where classes[Int(name[index])] & mask == 0 { return false }
    return true
  }
}

/// The names of labels made of the keys of attributes.
///
/// Source: OpenTelemetry, "Prometheus and OpenMetrics compatibility", Metric Attributes; beginnings as the Collector
/// writes them. A key that is a label name already stays as it is, repeated underscores and all, so that what was
/// scraped keeps its labels.
package enum LabelNaming {
  /// Appends the label name for a key that is none yet: invalid characters become `_`, runs of them a single one, and
  /// `key` goes before a beginning that is a digit or a single `_`.
  ///
  /// Nothing is appended for an empty key.
  static func append(escaped key: Span<UInt8>, to output: inout [UInt8]) {
    if key.isEmpty { return }
    let start = output.count
    if NameCharacters.isDigit(key[0]) {
      output.append(contentsOf: [0x6b, 0x65, 0x79, 0x5f])
    } else if !NameCharacters.isInLabels(key[0]) || key[0] == 0x5f && !(key.count > 1 && key[1] == 0x5f) {
      output.append(contentsOf: [0x6b, 0x65, 0x79])
    }
    let isReserved = key.count > 1 && key[0] == 0x5f && key[1] == 0x5f
    for index in key.indices {
      let byte = NameCharacters.isInLabels(key[index]) ? key[index] : 0x5f
      if byte == 0x5f, output.count > start, output[output.count - 1] == 0x5f, !(isReserved && index == 1) {
        continue
      }
      output.append(byte)
    }
  }

  /// The label name for a key; nil for an empty one.
  package static func name(_ key: String, escapes: Bool = true) -> String? {
    if key.isEmpty { return nil }
    let bytes = Array(key.utf8)
    if !escapes || NameCharacters.isLabelName(bytes.span) { return key }
    var name: [UInt8] = []
    append(escaped: bytes.span, to: &name)
    return String(decoding: name, as: UTF8.self)
  }
}
