/// Tests of single bytes of an exposition.
enum ExpositionCharacters {
  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// A letter or an underscore: what a label's name starts with.
  @inline(__always)
  static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte == 0x5F }

  /// A letter, a digit, an underscore or a colon: what a metric's name consists of.
  @inline(__always)
  static func isName(_ byte: UInt8) -> Bool { isLetter(byte) || byte &- 0x30 < 11 }

  /// A space or a tab.
  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// Whether a name needs no quotes: letters, digits, underscores, and colons in the names of metrics.
  static func isLegacyName(_ name: Span<UInt8>, allowingColons: Bool) -> Bool {
    if name.isEmpty || isDigit(name[0]) { return false }
    for index in name.indices where !isName(name[index]) || (name[index] == 0x3A && !allowingColons) {
      return false
    }
    return true
  }
}
