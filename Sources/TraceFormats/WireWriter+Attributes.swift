internal import TelemetryData
internal import WireFormat

extension WireWriter {
  /// A string field; bytes that are not UTF-8 are replaced, as OTLP knows no others.
  @inline(__always)
  mutating func textField(_ number: UInt32, _ text: Span<UInt8>) {
    if UTF8Check.isValid(text) {
      bytesField(number, text)
    } else {
      stringField(number, BytesView(text).string)
    }
  }

  /// An attribute with a text.
  @inline(__always)
  mutating func attribute(_ number: UInt32, _ key: Span<UInt8>, text: Span<UInt8>) {
    if UTF8Check.isValid(key), UTF8Check.isValid(text) { return pairField(number, key: key, 1, text) }
    pairField(number, key: BytesView(key).string.utf8.span, 1, BytesView(text).string.utf8.span)
  }

  /// An attribute with an integer (`valueNumber` 3) or a boolean (2).
  @inline(__always)
  mutating func attribute(_ number: UInt32, _ key: Span<UInt8>, _ valueNumber: UInt32, varint: UInt64) {
    if UTF8Check.isValid(key) { return pairField(number, key: key, valueNumber, varint: varint) }
    pairField(number, key: BytesView(key).string.utf8.span, valueNumber, varint: varint)
  }

  mutating func attribute(_ number: UInt32, _ key: Span<UInt8>, double: UInt64) {
    if UTF8Check.isValid(key) { return pairField(number, key: key, 4, fixed64: double) }
    pairField(number, key: BytesView(key).string.utf8.span, 4, fixed64: double)
  }

  mutating func attribute(_ number: UInt32, _ key: Span<UInt8>, bytes: Span<UInt8>) {
    if UTF8Check.isValid(key) { return pairField(number, key: key, 7, bytes) }
    pairField(number, key: BytesView(key).string.utf8.span, 7, bytes)
  }

  /// A field of type bytes with a big-endian number.
  mutating func idField(_ number: UInt32, _ id: UInt64) {
    writeTag(.lengthDelimited(number))
    writeVarint(8)
    writeFixed64(id.byteSwapped)
  }

  mutating func idField(_ number: UInt32, _ high: UInt64, _ low: UInt64) {
    writeTag(.lengthDelimited(number))
    writeVarint(16)
    writeFixed64(high.byteSwapped)
    writeFixed64(low.byteSwapped)
  }
}
