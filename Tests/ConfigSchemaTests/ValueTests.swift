import ConfigSchema
import Foundation
import Testing

/// Durations, byte counts, numbers, secrets.
struct ValueTests {
  @Test(arguments: [
    ("300ms", Duration.milliseconds(300)), ("1h30m", .seconds(5400)), ("1.5s", .milliseconds(1500)),
    ("0", .zero),
    ("-1m", .seconds(-60)), ("+2us", .microseconds(2)), ("3µs", .microseconds(3)), ("4ns", .nanoseconds(4)),
    (".5s", .milliseconds(500)), ("1.s", .seconds(1)), ("2h3m4s5ms", .milliseconds(7_384_005)),
    ("0.333h", .nanoseconds(1_198_800_000_000)), ("2562047h47m16.854775807s", .nanoseconds(Int64.max)),
  ])
  func `a Go duration is read`(text: String, duration: Duration) {
    #expect(GoDuration.parse(text) == .success(duration))
  }

  @Test(arguments: [
    "", "5", "1d", "2w", "5 s", "s", "-", ".", ".s", "1x", "1.2.3s", "2562048h", "1h-1m", "5sec", "10min",
    "1e3s", "٣s",
  ])
  func `a wrong duration is refused`(text: String) {
    if case .success(let duration) = GoDuration.parse(text) { Issue.record("read as \(duration)") }
  }

  @Test(arguments: [
    (Duration.zero, "0s"), (.seconds(5400), "1h30m"), (.milliseconds(1500), "1.5s"),
    (.microseconds(1500), "1.5ms"),
    (.nanoseconds(15), "15ns"), (.seconds(-61), "-1m1s"),
    (.nanoseconds(Int64.max), "2562047h47m16.854775807s"),
    (.seconds(86400), "24h"),
  ])
  func `a duration is written so that it reads back`(duration: Duration, text: String) {
    #expect(GoDuration.text(duration) == text)
    #expect(GoDuration.parse(text) == .success(duration))
  }

  @Test(arguments: [
    ("0", 0), ("1KiB", 1024), ("20 MiB", 20 << 20), ("1.5GB", 1_500_000_000), ("5b", 5), ("3tib", 3 << 40),
  ])
  func `a byte count is read`(text: String, bytes: Int) {
    #expect(ByteCount(text)?.bytes == bytes)
  }

  @Test(arguments: ["", "x", "-1", "1 PB", "1..5MB", "99999999999TiB", "."])
  func `a wrong byte count is refused`(text: String) {
    #expect(ByteCount(text) == nil)
  }

  @Test(arguments: [
    ("1", ConfigScalar.Meaning.integer(1)), ("-0x10", .integer(-16)), ("0o17", .integer(15)),
    ("017", .integer(15)),
    ("0b11", .integer(3)), ("1_000", .integer(1000)), ("18446744073709551615", .unsigned(.max)),
    ("-9223372036854775808", .integer(.min)), ("1e3", .number(1000)), ("089", .integer(89)),
    (".5", .number(0.5)),
    ("1.", .number(1)), ("-.inf", .number(-.infinity)), ("", .null), ("~", .null), ("NULL", .null),
    ("nULL", .string),
    ("TRUE", .bool(true)), ("yes", .string), ("on", .string), ("0x", .string), ("1e", .string),
    ("-", .string),
    ("infinity", .string), ("nan", .string), ("1.2.3", .string), ("++1", .string), ("1h", .string),
  ])
  func `a plain scalar means what YAML says`(text: String, meaning: ConfigScalar.Meaning) {
    #expect(ConfigScalar(text).meaning == meaning)
    #expect(ConfigScalar(text, style: .quoted).meaning == .string)
  }

  @Test func `a secret is never printed`() throws {
    let secret = Secret("hunter2")
    var sample = SampleConfig()
    sample.token = secret
    sample.headers = ["authorization": secret]
    var dumped = ""
    dump(sample, to: &dumped)
    dump(secret, to: &dumped)
    let texts = [
      "\(secret)", String(describing: secret), String(reflecting: secret), "\(sample)",
      String(reflecting: sample),
      dumped, sample.literal.json, sample.literal.renderYAML(),
      String(decoding: try JSONEncoder().encode([secret]), as: UTF8.self),
      "\(Mirror(reflecting: secret).children)",
    ]
    for text in texts { #expect(!text.contains("hunter2"), "\(text)") }
    #expect(secret.reveal() == "hunter2")
    #expect("\(secret)" == "***")
  }

  @Test(arguments: ["localhost:4317", ":4317", "0.0.0.0:0", "[::1]:4317", "[::]:65535", "a-b.c:1"])
  func `a host with a port is accepted`(text: String) {
    #expect(FieldCheck<String>.hostPort.problem(text) == nil)
  }

  @Test(arguments: [
    "", "localhost", "a:", "a:x", "a:65536", "::1:80", "[::1:80", "http://a:1", "a b:1", "a:-1", "a:+1",
  ])
  func `anything else is not a host with a port`(text: String) {
    #expect(FieldCheck<String>.hostPort.problem(text) != nil)
  }

  @Test(arguments: ["http://a", "https://a:1/p?q#f", "http://[::1]:80/", "http://u:p@h:1", "HTTP://x"])
  func `a URL is accepted`(text: String) {
    #expect(FieldCheck<String>.url.problem(text) == nil)
  }

  @Test(arguments: [
    "", "a:1", "ftp://a", "http://", "http://:80", "http://a:x", "http://a:99999", "http://a b", "://a",
  ])
  func `anything else is not a URL`(text: String) {
    #expect(FieldCheck<String>.url.problem(text) != nil)
  }

  @Test(arguments: [
    ("queue_siz", "queue_size"), ("timeuot", "timeout"), ("Endpoint", "endpoint"),
    ("send-batch", "send_batch"),
    ("tsl", "tls"), ("zzz", nil), ("", nil), ("completely", nil),
  ])
  func `the closest word is suggested`(word: String, suggestion: String?) {
    let words = ["endpoint", "timeout", "queue_size", "tls", "send_batch"]
    #expect(Spelling.closest(to: word, among: words) == suggestion)
  }
}
