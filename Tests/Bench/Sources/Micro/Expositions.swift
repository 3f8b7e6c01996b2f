import Glibc

@testable import PrometheusData

/// Reading node_exporter's exposition in each format, labels not asked for; items are samples.
extension Operation {
  static func expositions() -> [Operation] {
    let text = fixture("node_exporter.text")
    // The same families as OpenMetrics has them: no counter's metadata has a `_total`, which the reader does not mind.
    var openMetrics = String(decoding: text, as: UTF8.self).replacing("untyped\n", with: "unknown\n")
    openMetrics += "# EOF\n"
    let strict = Array(openMetrics.utf8)
    let protobuf = fixture("node_exporter.pb")
    let names = seriesNames(text)
    return [
      Operation("exposition: text", text) {
        var reader = TextReader(text.span)
        return try countSamples(&reader)
      },
      Operation("exposition: text, series known", text) {
        var reader = TextReader(text.span)
        return try countSamples(&reader, knowing: names)
      },
      Operation("exposition: OpenMetrics", strict) {
        var reader = OpenMetricsReader(strict.span)
        return try countSamples(&reader)
      },
      Operation("exposition: protobuf", protobuf) {
        var reader = ProtobufReader(protobuf.span, histograms: .nativeOrClassic)
        return try countSamples(&reader)
      },
    ]
  }

  /// At least 400 MB/s are wanted of text.
  private init(_ name: String, _ exposition: [UInt8], run: @escaping () throws -> Int) {
    let items = (try? run()) ?? 1
    let isText = name.hasPrefix("exposition: text")
    let goal = isText ? Double(exposition.count) * 2.5 / Double(items) : nil
    self.init(name, items: items, goal: goal, bytes: exposition.count, run: run)
  }

  private static func countSamples<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ reader: inout Source
  ) throws -> Int {
    var samples = 0
    while true {
      switch try reader.next() {
      case .sample, .histogram: samples += 1
      case .end: return samples
      default: break
      }
    }
  }

  private static func countSamples(_ reader: inout TextReader, knowing names: [[UInt8]]) throws -> Int {
    var samples = 0
    while true {
      let known = samples < names.count ? names[samples] : []
      if try reader.nextSample(like: known.span) {
        samples += 1
      } else if case .end = try reader.next() {
        return samples
      }
    }
  }

  private static func seriesNames(_ text: [UInt8]) -> [[UInt8]] {
    var names: [[UInt8]] = []
    var reader = TextReader(text.span)
    while let entry = try? reader.next() {
      if case .end = entry { break }
      if case .sample = entry {
        let series = reader.series
        var name: [UInt8] = []
        for index in series.indices { name.append(series[index]) }
        names.append(name)
      }
    }
    return names
  }

  static func fixture(_ name: String) -> [UInt8] {
    let path = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    guard let file = fopen("/\(path)/PrometheusDataTests/Fixtures/\(name)", "r") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
    return bytes
  }
}
