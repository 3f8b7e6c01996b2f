import Testing

@testable import Processors

@Suite struct TraceStateTests {
  private static func read(_ text: String, _ state: inout TraceState) -> Bool { state.read(text.utf8.span) }

  @Test(arguments: [
    "a=b", "ot=th:8", "ot=rv:0123456789abcd;th:8", "ot=x:,a=b", "tenant1@system=x", "1@a=b", "a=b,,c=d",
    " a=b\t, c=d ", "", " ", "a=" + String(repeating: "x", count: 256), "ot=rv:0123456789ABCD",
    String(repeating: "a=b,", count: 31), "a=b c",
  ])
  func `a tracestate that keeps to the rules is read`(text: String) {
    var state = TraceState()
    let isRead = Self.read(text, &state)
    #expect(isRead)
  }

  @Test(arguments: [
    "a", "=b", "a=", "A=b", "1a=b", "a=b=c", "a=b\u{7F}", "a=ü", "a@=b", "@a=b", "a@1=b", "a@b@c=d",
    "ot=", "ot=th", "ot=th:8;", "ot=;th:8", "ot=th:", "ot=th:g", "ot=th:0123456789abcde", "ot=rv:1",
    "ot=rv:0123456789abcg", "ot=1:2", "ot=a:b+c", "ot=th:8,ot=th:x",
    "a=" + String(repeating: "x", count: 257), String(repeating: "a", count: 257) + "=b",
    String(repeating: "a=b,", count: 31) + "a=b", "a=b" + String(repeating: " ", count: 1024),
    String(repeating: "t", count: 242) + "@s=b", "t@" + String(repeating: "s", count: 15) + "=b",
  ])
  func `one that breaks them is malformed and says nothing`(text: String) {
    var state = TraceState()
    let isRead = Self.read(text, &state)
    #expect(!isRead)
    #expect(state.threshold == nil && state.randomness == nil)
  }

  @Test(arguments: [
    ("", "ot=th:c"), ("a=b", "ot=th:c,a=b"), ("a=b, ot=th:8;x:y ,c=d", "ot=th:c;x:y,a=b,c=d"),
    ("ot=th:8;rv:0123456789ABCD", "ot=rv:0123456789ABCD;th:c"), ("ot=x:1;y:2", "ot=th:c;x:1;y:2"),
    ("ot=th:1,ot=z:1", "ot=th:c;z:1"),
  ])
  func `ot is written first, with rv and th in front, and the rest stays`(before: String, after: String) {
    var state = TraceState()
    let isRead = Self.read(before, &state)
    #expect(isRead)
    var output: [UInt8] = []
    state.write(
      before.utf8.span, randomness: nil, threshold: SamplingThreshold(rejected: 3 << 54), to: &output)
    #expect(String(decoding: output, as: UTF8.self) == after)
  }

  @Test func `a reader forgets the tracestate before`() {
    var state = TraceState()
    let isRead = Self.read("ot=rv:0123456789abcd;th:8;x:y,a=b", &state)
    #expect(isRead)
    #expect(state.randomness == 0x01_2345_6789_ABCD)
    let isReadAgain = Self.read("c=d", &state)
    #expect(isReadAgain)
    #expect(state.randomness == nil && state.threshold == nil)
    var output: [UInt8] = []
    state.write("c=d".utf8.span, randomness: 1, threshold: nil, to: &output)
    #expect(String(decoding: output, as: UTF8.self) == "ot=rv:00000000000001,c=d")
  }
}
