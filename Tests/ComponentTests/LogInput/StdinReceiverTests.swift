import Glibc
import PipelineKit
import PipelineTestKit
import Testing

@testable import Receivers

@Suite struct StdinReceiverTests {
  /// A pipe whose end for reading is the receiver's standard input.
  private struct Line {
    let input: CInt
    let output: CInt

    init() throws {
      var ends: [CInt] = [-1, -1]
      try #require(pipe(&ends) == 0)
      (input, output) = (ends[0], ends[1])
    }

    func write(_ text: String) {
      _ = text.utf8CString.withUnsafeBytes { Glibc.write(output, $0.baseAddress, $0.count - 1) }
    }
  }

  private func receiver(_ line: Line, _ yaml: String = "{}", log: CapturedLog = CapturedLog()) throws
    -> StdinReceiver
  {
    StdinReceiver(
      config: try logSettings(yaml), context: otlpContext(.receiver, "stdin", signals: [.logs], log: log),
      reading: line.input)
  }

  @Test func `lines are read as they come, and run returns when all of them are taken`() async throws {
    let line = try Line()
    let sink = LogSink()
    let receiver = try receiver(line, "retry_on_failure: {initial_interval: 10ms, max_interval: 20ms}")
    try await receiver.start(sink.outputs)
    async let running: Void = receiver.run()
    line.write("first\nsec")
    try await sink.accepted(1)
    sink.refuse(true)
    line.write("ond\nlast")
    close(line.output)
    try await Task.sleep(for: .milliseconds(100))
    #expect(sink.count == 1)
    sink.refuse(false)
    try await running
    #expect(sink.bodies == ["first", "second", "last"])
    await receiver.stop()
    close(line.input)
  }

  @Test func `a stop ends reading, and what was read is delivered`() async throws {
    let line = try Line()
    let sink = LogSink()
    let receiver = try receiver(line)
    try await receiver.start(sink.outputs)
    async let running: Void = receiver.run()
    line.write("first\nhalf")
    try await sink.accepted(1)
    await receiver.stop()
    try await running
    #expect(sink.bodies == ["first", "half"])
    close(line.output)
    close(line.input)
  }

  @Test func `while nothing is taken the pipe stays full`() async throws {
    let line = try Line()
    let sink = LogSink(refusing: true)
    let receiver = try receiver(line, "retry_on_failure: {initial_interval: 10ms, max_interval: 20ms}")
    try await receiver.start(sink.outputs)
    async let running: Void = receiver.run()
    let lines = 200_000
    let output = line.output
    async let writing: Void = offPool {
      for start in stride(from: 0, to: lines, by: 100) {
        var text = Array((start..<start + 100).map { "line \($0)\n" }.joined().utf8)[...]
        while !text.isEmpty {
          let count = text.withUnsafeBytes { Glibc.write(output, $0.baseAddress, $0.count) }
          if count < 0 { return }
          text = text.dropFirst(count)
        }
      }
      close(output)
    }
    try await Task.sleep(for: .milliseconds(200))
    #expect(sink.count == 0)
    sink.refuse(false)
    try await running
    await writing
    #expect(sink.count == lines)
    await receiver.stop()
    close(line.input)
  }
}
