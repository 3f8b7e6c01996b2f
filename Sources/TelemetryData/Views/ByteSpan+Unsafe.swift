extension Span where Element == UInt8 {
  /// The bytes as text, malformed UTF-8 replaced; `String` takes no span.
  func makeString() -> String {
    unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// A copy of the bytes; `Array` takes no span.
  func makeArray() -> [UInt8] {
    unsafe withUnsafeBufferPointer { unsafe [UInt8]($0) }
  }

  /// Appends the bytes to an array; `Array` takes no span.
  func append(to bytes: inout [UInt8]) {
    unsafe withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
  }
}
