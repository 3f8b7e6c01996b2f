/// The CRC-32C (Castagnoli) checksum of the snappy framing format, eight bytes at a time over eight tables.
enum CRC32C {
  /// Table k, entry b: the checksum of byte b followed by k zero bytes.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
      tables[byte] = crc
    }
    for index in 256..<tables.count {
      let shorter = tables[index - 256]
      tables[index] = (shorter >> 8) ^ tables[Int(shorter & 0xFF)]
    }
    return tables
  }()

  /// The checksum of `bytes`.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc = ~UInt32(0)
    unsafe tables.withUnsafeBufferPointer { table in
      var offset = 0
      while offset + 8 <= bytes.count {
        let word =
          unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
          ^ UInt64(crc)
        let low = unsafe table[1792 + Int(word & 0xFF)] ^ table[1536 + Int(word >> 8 & 0xFF)]
        let second = unsafe table[1280 + Int(word >> 16 & 0xFF)] ^ table[1024 + Int(word >> 24 & 0xFF)]
        let third = unsafe table[768 + Int(word >> 32 & 0xFF)] ^ table[512 + Int(word >> 40 & 0xFF)]
        let high = unsafe table[256 + Int(word >> 48 & 0xFF)] ^ table[Int(word >> 56)]
        crc = low ^ second ^ third ^ high
        offset += 8
      }
      while offset < bytes.count {
        crc = unsafe (crc >> 8) ^ table[Int((crc ^ UInt32(bytes[offset])) & 0xFF)]
        offset += 1
      }
    }
    return ~crc
  }

  /// The checksum as the framing format stores it: rotated and offset, so that data holding checksums stays safe.
  static func masked(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    let crc = unsafe checksum(bytes)
    return ((crc >> 15) | (crc << 17)) &+ 0xA282_EAD8
  }
}
