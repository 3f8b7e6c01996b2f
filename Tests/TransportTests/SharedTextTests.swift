import Testing

@testable import Transport

@Suite struct SharedTextTests {
  @Test func `a status message is escaped and read back`() {
    #expect(GRPCText.percentEncoded("plain text") == "plain text")
    #expect(GRPCText.percentEncoded("100% größer\n") == "100%25 gr%C3%B6%C3%9Fer%0A")
    #expect(GRPCText.percentDecoded("100%25 gr%C3%B6%c3%9fer%0A") == "100% größer\n")
    #expect(GRPCText.percentDecoded("50% off%2") == "50% off%2")
  }

  @Test(
    arguments: [
      ([], ""), ([0x66], "Zg"), ([0x66, 0x6F], "Zm8"), ([0x66, 0x6F, 0x6F], "Zm9v"), ([0xFB, 0xFF], "+/8"),
    ] as [([UInt8], String)])
  func `base64 has no padding and is read with or without`(_ bytes: [UInt8], _ text: String) {
    #expect(GRPCText.base64(bytes) == text)
    #expect(GRPCText.base64Decoded(text) == bytes)
    let padded = text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    #expect(GRPCText.base64Decoded(padded) == bytes)
  }

  @Test func `what is not base64 is refused`() {
    #expect(GRPCText.base64Decoded("a!bc") == nil)
    #expect(GRPCText.base64Decoded("A") == nil)
  }

  @Test(
    arguments: [
      ("1H", 3_600_000_000_000), ("2M", 120_000_000_000), ("3S", 3_000_000_000), ("4m", 4_000_000),
      ("5u", 5_000),
      ("99999999n", 99_999_999), ("99999999M", 5_999_999_940_000_000_000), ("99999999H", .max),
      ("+1S", nil), ("S", nil), ("1x", nil), ("-1S", nil), ("123456789S", nil), ("", nil),
      ("1.5S", nil),
    ] as [(String, Int64?)])
  func `a timeout is digits and a unit`(_ text: String, _ nanoseconds: Int64?) {
    #expect(GRPCText.timeoutNanoseconds(text) == nanoseconds)
  }

  @Test func `what is said of a server does not show what is in its URL`() {
    let error = ConnectionError(
      .unreachable, address: "http://me:word@host:1/v1/logs?key=word", reason: "why")
    #expect(error.description == "cannot connect to http://***@host:1/v1/logs?***: why")
    #expect(ClientExposure.ofCredentials(url: "http://me:word@localhost:1") == nil)
    let exposure = ClientExposure.ofCredentials(url: "http://me:word@host:1")
    #expect(exposure?.contains("go to host in plaintext") == true && exposure?.contains("word") == false)
  }
}
