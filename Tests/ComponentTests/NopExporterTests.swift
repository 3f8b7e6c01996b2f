import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@testable import Exporters

@Suite struct NopExporterTests {
  @Test func `everything is taken`() {
    var source = SpanSource()
    let exporter = NopExporter(config: .init(), context: .testing(.exporter, "nop"))
    #expect(exporter.export(source.next(3)) == .accepted)
    #expect(exporter.export(Batch(signal: .logs)) == .accepted)
  }
}
