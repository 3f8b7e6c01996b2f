import NativeCodecs
import Testing

/// Data written by other implementations (CPython's zlib, cramjam's zstd and snappy, the zstd command).
enum CodecFixtures {
  static let plain = Array("span span span span metric log span span span span metric log ".utf8) + tail
  private static let tail = Array("span span span span metric log ".utf8)

  static let gzip: [UInt8] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 43, 46, 72, 204, 83, 40, 70, 37, 114, 83, 75, 138, 50, 147, 21, 114, 242,
    211, 209, 101, 72, 148, 6, 0, 89, 221, 251, 214, 93, 0, 0, 0,
  ]
  static let zlib: [UInt8] = [
    120, 156, 43, 46, 72, 204, 83, 40, 70, 37, 114, 83, 75, 138, 50, 147, 21, 114, 242, 211, 209, 101, 72,
    148,
    6, 0, 71, 148, 33, 235,
  ]
  static let rawDeflate: [UInt8] = [
    43, 46, 72, 204, 83, 40, 70, 37, 114, 83, 75, 138, 50, 147, 21, 114, 242, 211, 209, 101, 72, 148, 6, 0,
  ]
  static let zstd: [UInt8] = [
    40, 181, 47, 253, 32, 93, 229, 0, 0, 120, 115, 112, 97, 110, 32, 109, 101, 116, 114, 105, 99, 32, 108,
    111,
    103, 4, 0, 133, 2, 0, 45, 232, 137, 32, 116, 69, 11,
  ]
  static let snappy: [UInt8] = [
    93, 16, 115, 112, 97, 110, 32, 58, 5, 0, 36, 109, 101, 116, 114, 105, 99, 32, 108, 111, 103, 62, 26, 0, 5,
    41, 166, 31, 0,
  ]
  static let snappyFramed: [UInt8] = [
    255, 6, 0, 0, 115, 78, 97, 80, 112, 89, 0, 33, 0, 0, 129, 72, 34, 65, 93, 16, 115, 112, 97, 110, 32, 58,
    5,
    0, 36, 109, 101, 116, 114, 105, 99, 32, 108, 111, 103, 62, 26, 0, 5, 41, 166, 31, 0,
  ]
  /// The first bytes of a frame with a window of 128 MiB.
  static let zstdHugeWindow: [UInt8] = [
    40, 181, 47, 253, 4, 136, 61, 0, 0, 8, 97, 1, 0, 32, 5, 66, 179, 207, 222, 177,
  ]

  struct Sample: Sendable, CustomTestStringConvertible {
    let algorithm: CompressionAlgorithm
    let bytes: [UInt8]
    let name: String
    var testDescription: String { name }
  }

  static let samples: [Sample] = [
    Sample(algorithm: .gzip, bytes: gzip, name: "gzip"),
    Sample(algorithm: .zlib, bytes: zlib, name: "zlib"),
    Sample(algorithm: .deflate, bytes: zlib, name: "deflate in zlib"),
    Sample(algorithm: .deflate, bytes: rawDeflate, name: "deflate, raw"),
    Sample(algorithm: .zstd, bytes: zstd, name: "zstd"),
    Sample(algorithm: .snappy, bytes: snappy, name: "snappy block"),
    Sample(algorithm: .snappyFramed, bytes: snappyFramed, name: "snappy framed"),
    Sample(algorithm: .snappy, bytes: snappyFramed, name: "snappy framed, called snappy"),
  ]

  /// `count` bytes that compress somewhat: words picked by a seeded generator, every seventh byte random.
  static func mixed(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    let words = ["service.name", "http.route", "checkout", "GET", "/api/v1/items/"].map { Array($0.utf8) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 16)
    while bytes.count < count {
      bytes += words[Int(next() % 5)]
      bytes.append(UInt8(truncatingIfNeeded: next()))
    }
    return Array(bytes.prefix(count))
  }
}
