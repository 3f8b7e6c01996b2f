import ConfigSchema
import Engine
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

/// Going over to another configuration while data flows.
@Suite struct ReloadTests {
  /// One pipeline from a probe to exporters.
  static func yaml(
    _ receiver: String, exporters: String, processors: String = "[]", sections: String = ""
  ) -> String {
    let names = exporters.split(separator: "\n").map { $0.split(separator: ":")[0].trimmingCharacters() }
    return """
      receivers:
        probe: {probe: \(receiver)}
      exporters:
      \(exporters.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
      service:
        pipelines:
          traces: {receivers: [probe], processors: \(processors), exporters: [\(names.joined(separator: ", "))]}
      \(sections)
      """
  }

  @Test func `an exporter is exchanged under load, and nothing else is touched`() async throws {
    let (front, a, b) = (Probe("rl-front"), Probe("rl-a"), Probe("rl-b"))
    let collector = try TestCollector(Self.yaml("rl-front", exporters: "probe: {probe: rl-a}"))
    let balances = try await collector.run { collector in
      await front.started.wait()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<200 {
              let outcome = await front.send(.spans(3))
              #expect(outcome == .accepted)
            }
          }
        }
        group.addTask {
          while a.exportedItems < 300 { await Task.yield() }
          let summary = try await collector.reload(Self.yaml("rl-front", exporters: "probe: {probe: rl-b}"))
          #expect(summary.replaced == ["exporter probe"] && summary.kept == ["receiver probe"])
        }
        try await group.waitForAll()
      }
    }
    #expect(front.events == ["receiver start", "receiver stop"])
    #expect(a.exportedItems > 0 && b.exportedItems > 0)
    #expect(a.exportedItems + b.exportedItems == 2400)
    #expect(a.events == ["exporter start", "exporter stop"] && b.events == a.events)
    #expect(balances[0].items(.delivered) == 2400 && balances[0].unaccounted == 0)
  }
}

extension Substring {
  fileprivate func trimmingCharacters() -> String { String(self.drop { $0 == " " }) }
}
