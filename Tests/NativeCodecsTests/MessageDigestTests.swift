import NativeCodecs
import Testing

@Suite struct MessageDigestTests {
  /// Values of FIPS 202's examples and of Python's hashlib, around the size of a block.
  @Test(arguments: [
    (0, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
    (135, "fded8fd9d6551c601eeb3b7c6bc5e5cfd8aad1d015b7e9aaa9c9b9475231d5e2"),
    (136, "cf3ccff92480a29160c2d38317c430e14749bfee1788106957dfe73f8c4930e5"),
    (137, "ce9d7dc90913ee5d92745019479a5352c6d6279bef18ed07dc0a83ee8084daca"),
    (272, "0b21ec4a8eff6d179e09ba9fe0ab08515b24e0923fbf419f5c30a38e64577db5"),
    (1000, "14e5de35911194ddad95ac1572e2b6ce054ed2146cd0562280fcab04ccfecbd8"),
  ])
  func `the digest of SHA3-256 is that of FIPS 202`(_ count: Int, _ expected: String) {
    let text = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    #expect(MessageDigest.sha3.hexDigest(of: text.span) == expected)
    #expect(MessageDigest.sha3.digest(of: text.span).count == MessageDigest.sha3.length)
  }

  @Test(arguments: [
    (MessageDigest.md5, "900150983cd24fb0d6963f7d28e17f72"),
    (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (.sha3, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
  ])
  func `digests are those of their specifications`(_ digest: MessageDigest, _ expected: String) {
    #expect(digest.hexDigest(of: Array("abc".utf8).span) == expected)
  }

  /// RFC 4231, test cases 2 and 6 (a key longer than a block), and RFC 2202 for MD5.
  @Test func `keyed hashes are those of RFC 2104`() {
    let jefe = Array("what do ya want for nothing?".utf8)
    let large = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
    let key = [UInt8](repeating: 0xAA, count: 131)
    #expect(
      MessageDigest.sha256.hexAuthenticationCode(of: jefe.span, key: Array("Jefe".utf8))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(
      MessageDigest.sha256.hexAuthenticationCode(of: large.span, key: key)
        == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    #expect(
      MessageDigest.sha512.hexAuthenticationCode(of: large.span, key: key)
        == "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
    )
    #expect(
      MessageDigest.md5.hexAuthenticationCode(of: jefe.span, key: Array("Jefe".utf8))
        == "750c783e6ab0b503eaa86e310a5db738")
    #expect(
      MessageDigest.sha3.hexAuthenticationCode(of: jefe.span, key: Array("Jefe".utf8))
        == "c7d4072e788877ae3596bbb0da73b887c9171f93095b294ae857fbe2645e1ba5")
  }
}
