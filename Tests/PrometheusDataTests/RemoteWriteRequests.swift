import PrometheusData
import TelemetryData
import WireFormat

/// A series of a remote-write request, as tests write and compare them.
struct WrittenSeries: Hashable {
  /// In the order of the request.
  var labels: [Label] = []
  var samples: [Sample] = []
  var exemplars: [Exemplar] = []
  var histograms: [[UInt8]] = []
  /// As both versions number types.
  var type: UInt64 = 0
  var help = ""
  var unit = ""
  var created: Int64 = 0

  struct Sample: Hashable {
    var bits: UInt64
    var time: Int64
    init(_ value: Double, _ time: Int64) { (bits, self.time) = (value.bitPattern, time) }
  }
  struct Exemplar: Hashable {
    var labels: [Label]
    var value: Double
    var time: Int64
  }

  init(_ name: String? = nil, _ labels: [Label] = [], _ samples: [Sample] = []) {
    self.labels = ((name.map { [Label("__name__", $0)] } ?? []) + labels).sorted()
    self.samples = samples
  }
}

/// Writes requests field by field, so that nothing under test makes them.
enum WrittenRequest {
  static func v1(_ series: [WrittenSeries], metadata: [(String, UInt64, String, String)] = []) -> [UInt8] {
    var writer = WireWriter()
    for entry in series {
      writer.message(1) { writer in
        for label in entry.labels { writer.message(1) { Self.label(label, &$0) } }
        for sample in entry.samples { writer.message(2) { Self.sample(sample, &$0) } }
        for exemplar in entry.exemplars {
          writer.message(3) { writer in
            for label in exemplar.labels { writer.message(1) { Self.label(label, &$0) } }
            writer.doubleField(2, exemplar.value)
            writer.intField(3, exemplar.time)
          }
        }
        for histogram in entry.histograms { writer.bytesField(4, histogram) }
      }
    }
    for (family, type, help, unit) in metadata {
      writer.message(3) { writer in
        writer.varintField(1, type)
        writer.stringField(2, family)
        writer.stringField(4, help)
        writer.stringField(5, unit)
      }
    }
    return writer.finish()
  }

  static func v2(_ series: [WrittenSeries]) -> [UInt8] {
    var symbols = [""]
    func reference(_ text: String) -> UInt64 {
      if let found = symbols.firstIndex(where: { $0.utf8.elementsEqual(text.utf8) }) { return UInt64(found) }
      symbols.append(text)
      return UInt64(symbols.count - 1)
    }
    func references(_ labels: [Label]) -> [UInt64] {
      labels.flatMap { [reference($0.name), reference($0.value)] }
    }
    var writer = WireWriter()
    for entry in series {
      writer.message(5) { writer in
        writer.packedVarintField(1, references(entry.labels))
        for sample in entry.samples { writer.message(2) { Self.sample(sample, &$0) } }
        for histogram in entry.histograms { writer.bytesField(3, histogram) }
        for exemplar in entry.exemplars {
          writer.message(4) { writer in
            writer.packedVarintField(1, references(exemplar.labels))
            writer.doubleField(2, exemplar.value)
            writer.intField(3, exemplar.time)
          }
        }
        writer.message(5) { writer in
          writer.varintField(1, entry.type)
          writer.varintField(3, reference(entry.help))
          writer.varintField(4, reference(entry.unit))
        }
        if entry.created != 0 { writer.intField(6, entry.created) }
      }
    }
    for symbol in symbols { writer.stringField(4, symbol) }
    return writer.finish()
  }

  private static func label(_ label: Label, _ writer: inout WireWriter) {
    writer.stringField(1, label.name)
    writer.stringField(2, label.value)
  }

  private static func sample(_ sample: WrittenSeries.Sample, _ writer: inout WireWriter) {
    writer.doubleField(1, Double(bitPattern: sample.bits))
    writer.intField(2, sample.time)
  }

  /// Reads a 1.0 request back, as the specification says it is laid out.
  static func read(v1 body: [UInt8]) throws -> [WrittenSeries] {
    var all: [WrittenSeries] = []
    var request = WireCursor(body.span)
    while let tag = try request.nextTag() {
      guard tag == .lengthDelimited(1) else {
        try request.skip(tag)
        continue
      }
      var series = WrittenSeries()
      var cursor = try request.readMessage()
      while let field = try cursor.readField() {
        let message = WireMessage(body.span, field.value)
        switch field.fieldNumber {
        case 1: series.labels.append(Label(message.bytes(1).string, message.bytes(2).string))
        case 2:
          let time = Int64(bitPattern: message.number(.varint(2)))
          series.samples.append(.init(Double(bitPattern: message.number(.fixed64(1))), time))
        case 4: series.histograms.append(BytesView(body.span.extracting(field.value.range)).array)
        default: break
        }
      }
      all.append(series)
    }
    return all
  }
}

/// What a batch says in terms of Prometheus: each sample with all labels of its series.
struct FlatSample: Hashable, Comparable, CustomStringConvertible {
  var labels: [Label]
  var bits: UInt64
  var time: Int64

  var description: String {
    labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
      + " \(bits) @\(time)"
  }
  static func < (a: FlatSample, b: FlatSample) -> Bool { a.description < b.description }

  static func all(of series: [WrittenSeries]) -> [FlatSample] {
    series.flatMap { entry in
      entry.samples.map {
        FlatSample(labels: entry.labels.filter { !$0.value.isEmpty }.sorted(), bits: $0.bits, time: $0.time)
      }
    }.sorted()
  }

  /// The number points of a batch, by the rules that an exporter goes by.
  static func all(in batch: Batch) -> [FlatSample] {
    var samples: [FlatSample] = []
    batch.forEachMetric { resource, scope, metric in
      var base = [Label("__name__", metric.name.string)]
      var namespace: String?
      var name: String?
      resource.attributes.forEach {
        switch $0.key.string {
        case "service.namespace": namespace = $0.value.value.text
        case "service.name": name = $0.value.value.text
        case "service.instance.id": base.append(Label("instance", $0.value.value.text))
        default: break
        }
      }
      if let name { base.append(Label("job", namespace.map { "\($0)/\(name)" } ?? name)) }
      if !scope.name.isEmpty { base.append(Label("otel_scope_name", scope.name.string)) }
      if !scope.version.isEmpty { base.append(Label("otel_scope_version", scope.version.string)) }
      if !scope.schemaURL.isEmpty { base.append(Label("otel_scope_schema_url", scope.schemaURL.string)) }
      scope.attributes.forEach { base.append(Label("otel_scope_\($0.key.string)", $0.value.value.text)) }
      metric.numberDataPoints.forEach { point in
        var labels = base
        point.attributes.forEach { labels.append(Label($0.key.string, $0.value.value.text)) }
        let bits: UInt64
        switch point.value {
        case .double(let value): bits = value.bitPattern
        case .int(let value): bits = Double(value).bitPattern
        case nil: bits = point.flags & 1 == 1 ? StaleMarker.bits : 1
        }
        samples.append(
          FlatSample(labels: labels.sorted(), bits: bits, time: Int64(point.time / 1_000_000)))
      }
    }
    return samples.sorted()
  }
}

extension AnyValue {
  var text: String {
    if case .string(let text) = self { text } else { "\(self)" }
  }
}
