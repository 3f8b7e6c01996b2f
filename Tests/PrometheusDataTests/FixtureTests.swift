import Foundation
import PrometheusData
import Testing

/// What real targets sent.
struct FixtureTests {
  static func bytes(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    return [UInt8](try Data(contentsOf: folder.appending(path: name)))
  }

  static func said(_ name: String) throws -> [Said] {
    let format: ExpositionFormat =
      name.hasSuffix(".pb") ? .protobuf : name.hasSuffix(".om") ? .openMetrics : .text
    return try Said.all(in: try bytes(name), format: format, histograms: .classic)
  }

  /// Lines without and with a hash, as grep counts them.
  static let counts: [(name: String, samples: Int, metadata: Int)] = [
    ("node_exporter.text", 543, 566), ("node_exporter.pb", 543, 566), ("prometheus.text", 489, 362),
    ("prometheus.pb", 489, 362), ("starlette-prometheus.text", 143, 38), ("prometheus_client.text", 27, 18),
    ("prometheus_client.om", 27, 13),
  ]

  @Test(arguments: counts)
  func `every sample of a real exposition is read`(name: String, samples: Int, metadata: Int) throws {
    let said = try Self.said(name)
    let found = said.filter { if case .sample = $0 { true } else { false } }.count
    #expect(found == samples)
    #expect(said.count - found == metadata)
  }

  /// The two were taken one after the other, so that values differ, but series do not.
  @Test(arguments: ["node_exporter", "prometheus"])
  func `protobuf gives the series and metadata that text gives`(name: String) throws {
    let text = Set(try Self.said("\(name).text").map(Self.identity))
    let protobuf = Set(try Self.said("\(name).pb").map(Self.identity))
    #expect(text.subtracting(protobuf).sorted() == [])
    #expect(protobuf.subtracting(text).sorted() == [])
  }

  private static func identity(_ said: Said) -> String {
    guard case .sample(let sample) = said else { return said.description }
    return sample.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
  }
}
