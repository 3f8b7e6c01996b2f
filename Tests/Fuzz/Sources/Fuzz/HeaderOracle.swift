@testable import NativeCodecs
@testable import Transport

/// What must hold for texts and bytes in the header fields that peers send.
enum HeaderOracle {
  static func check(_ input: [UInt8]) throws {
    let text = String(decoding: input, as: UTF8.self)
    try checkEscapes(input, text)
    try checkTimeout(text)
    try checkRetryAfter(text)
    _ = ListenAddress.split(text)
    _ = CompressionAlgorithm(contentEncoding: text)
    _ = CompressionAlgorithm(grpcEncoding: text)
    let trimmed = HTTPToken.trimmed(text[...])
    try require(HTTPToken.trimmed(trimmed[...]) == trimmed, "trimming twice changes a text")
    try require(HTTPToken.equal(text, text), "a text is not equal to itself")
    try require(
      HTTPToken.list(text).allSatisfy { !$0.isEmpty && !$0.contains(",") }, "an element of a list is none")
    if HTTPToken.isName(text) { try require(HTTPToken.isValue(text), "a name is no value") }
  }

  private static func checkEscapes(_ input: [UInt8], _ text: String) throws {
    let escaped = GRPCText.percentEncoded(text)
    try require(HTTPToken.isValue(escaped), "an escaped message is no header value")
    try require(GRPCText.percentDecoded(escaped) == text, "a message changed when escaped")
    let decoded = GRPCText.percentDecoded(text)
    try require(
      GRPCText.percentDecoded(GRPCText.percentEncoded(decoded)) == decoded,
      "a message changed when escaped again")
    try require(GRPCText.base64Decoded(GRPCText.base64(input)) == input, "bytes changed in base64")
    if let bytes = GRPCText.base64Decoded(text) {
      try require(
        GRPCText.base64Decoded(GRPCText.base64(bytes)) == bytes, "bytes read from base64 changed in base64")
    }
  }

  private static func checkTimeout(_ text: String) throws {
    guard let nanoseconds = GRPCText.timeoutNanoseconds(text) else { return }
    try require(nanoseconds >= 0, "a negative timeout")
    let written = GRPCStatusFields.timeout(nanoseconds: nanoseconds)
    let read = GRPCText.timeoutNanoseconds(written) ?? -1
    // Rounded up to the next unit that fits into eight digits: by less than a part in ten million.
    try require(
      read >= nanoseconds && Double(read) <= Double(max(nanoseconds, 1)) * 1.000_001,
      "a timeout of \(nanoseconds) ns is written \(written)")
  }

  private static func checkRetryAfter(_ text: String) throws {
    let reply = HTTPReply(status: 503, headers: [("Retry-After", text)])
    if let delay = reply.retryAfter(now: 1_700_000_000) {
      try require(delay >= .zero && delay < .seconds(300_000_000_000), "a delay of \(delay)")
    }
  }

  static let seeds: [[UInt8]] = [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "120",
    "  7 ",
    "99999999H", "1S", "250m", "100000000n", "caf%C3%A9 %41%zz%", "AQIDBA==", "-_-_", "[::1]:4317",
    "localhost:80",
    "gzip, deflate;q=0.5 ,br", "x-snappy-framed",
  ].map { Array($0.utf8) }
}
