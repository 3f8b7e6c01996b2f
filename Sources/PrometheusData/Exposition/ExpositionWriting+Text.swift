/// Both text formats.
extension ExpositionWriting {
  mutating func writeText(_ family: ExposedFamily) {
    let name = family.name
    if !family.help.isEmpty {
      writeComment("HELP", name)
      append(escaping: family.help[...], quotes: false)
      output.append(newline)
    }
    writeComment("TYPE", name)
    let type =
      switch family.type {
      case .counter: "counter"
      case .gauge, .info, .stateSet: "gauge"
      case .histogram: "histogram"
      case .summary: "summary"
      case .unknown, .gaugeHistogram: "untyped"
      }
    output.append(contentsOf: type.utf8)
    output.append(newline)
    let names = TextNames(name, family.type)
    for point in family.points {
      writePoint(point, names, isMilliseconds: true, takesExemplars: false)
    }
  }

  mutating func writeOpenMetrics(_ family: ExposedFamily) {
    var family = family
    if family.type == .info, !family.name.hasEnd("_info") { family.type = .gauge }
    if family.type == .stateSet, !family.isTrueStateSet { family.type = .gauge }
    let (base, main) = Self.openMetricsNames(family)
    writeComment("TYPE", base)
    let type =
      switch family.type {
      case .counter: "counter"
      case .gauge: "gauge"
      case .info: "info"
      case .stateSet: "stateset"
      case .histogram: "histogram"
      case .gaugeHistogram: "gaugehistogram"
      case .summary: "summary"
      case .unknown: "unknown"
      }
    output.append(contentsOf: type.utf8)
    output.append(newline)
    // A unit is one only where the name says it, too; an info and a state set have none.
    if family.nameEndsInUnit, family.type != .info, family.type != .stateSet {
      writeComment("UNIT", base)
      output.append(contentsOf: family.unit)
      output.append(newline)
    }
    if !family.help.isEmpty {
      writeComment("HELP", base)
      append(escaping: family.help[...], quotes: true)
      output.append(newline)
    }
    var names = TextNames(base, family.type)
    names.main = main
    let hasCreated = family.type == .counter || family.type == .histogram || family.type == .summary
    let takesExemplars =
      family.type == .counter || family.type == .histogram || family.type == .gaugeHistogram
    for point in family.points {
      writePoint(point, names, isMilliseconds: false, takesExemplars: takesExemplars)
      guard hasCreated, point.start > 0 else { continue }
      writeSeries(names.created, point.labels)
      output.append(space)
      ExpositionNumberText.append(seconds: point.start, to: &output)
      writeTimestamp(point.timestamp, isMilliseconds: false)
      output.append(newline)
    }
  }

  /// The names of the family and of its series without a part: OpenMetrics has the suffixes of counters and infos on
  /// the series only.
  private static func openMetricsNames(_ family: ExposedFamily) -> (base: [UInt8], main: [UInt8]) {
    switch family.type {
    case .counter:
      let base = family.name.hasEnd("_total") ? Array(family.name.dropLast(6)) : family.name
      return (base, base + Array("_total".utf8))
    case .info: return (Array(family.name.dropLast(5)), family.name)
    default: return (family.name, family.name)
    }
  }

  /// The names of a family's series.
  struct TextNames {
    var main: [UInt8]
    let bucket: [UInt8]
    let sum: [UInt8]
    let count: [UInt8]
    let created: [UInt8]

    init(_ base: [UInt8], _ type: ExpositionType) {
      main = base
      let isGauge = type == .gaugeHistogram
      bucket = base + Array("_bucket".utf8)
      sum = base + Array((isGauge ? "_gsum" : "_sum").utf8)
      count = base + Array((isGauge ? "_gcount" : "_count").utf8)
      created = base + Array("_created".utf8)
    }
  }

  private mutating func writePoint(
    _ point: ExposedPoint, _ names: TextNames, isMilliseconds: Bool, takesExemplars: Bool
  ) {
    func exemplar(_ index: Int32) -> ExposedExemplar? {
      guard takesExemplars, point.exemplars.indices.contains(Int(index)) else { return nil }
      return point.exemplars[Int(index)]
    }
    switch point.value {
    case .number(let value):
      writeSeries(names.main, point.labels)
      writeValue(value, point.timestamp, exemplar(0), isMilliseconds)
    case .series(let parts):
      for part in parts {
        switch part.part {
        case .quantile: writeSeries(names.main, point.labels, bound: ("quantile", part.bound))
        case .bucket: writeSeries(names.bucket, point.labels, bound: ("le", part.bound))
        case .sum: writeSeries(names.sum, point.labels)
        case .count: writeSeries(names.count, point.labels)
        }
        writeValue(part.value, point.timestamp, exemplar(part.exemplar), isMilliseconds)
      }
    case .native(let histogram):
      writeSeries(names.bucket, point.labels, bound: ("le", .infinity))
      writeValue(histogram.count, point.timestamp, exemplar(0), isMilliseconds)
      writeSeries(names.sum, point.labels)
      writeValue(histogram.sum, point.timestamp, nil, isMilliseconds)
      writeSeries(names.count, point.labels)
      writeValue(histogram.count, point.timestamp, nil, isMilliseconds)
    }
  }

  private mutating func writeValue(
    _ value: Double, _ timestamp: Int64?, _ exemplar: ExposedExemplar?, _ isMilliseconds: Bool
  ) {
    output.append(space)
    ExpositionNumberText.append(value, to: &output)
    writeTimestamp(timestamp, isMilliseconds: isMilliseconds)
    if let exemplar {
      output.append(contentsOf: " # ".utf8)
      writeLabels(exemplar.labels, name: nil, bound: nil, isAlways: true)
      output.append(space)
      ExpositionNumberText.append(exemplar.value, to: &output)
      // Told with or without `send_timestamps`, which is about samples: when it was seen is part of an exemplar.
      if exemplar.timestamp != 0 {
        output.append(space)
        ExpositionNumberText.append(seconds: exemplar.timestamp, to: &output)
      }
    }
    output.append(newline)
  }

  private mutating func writeTimestamp(_ timestamp: Int64?, isMilliseconds: Bool) {
    guard let timestamp, sendsTimestamps else { return }
    output.append(space)
    if isMilliseconds {
      ExpositionNumberText.append(timestamp, to: &output)
    } else {
      ExpositionNumberText.append(seconds: timestamp, to: &output)
    }
  }

  private mutating func writeComment(_ keyword: StaticString, _ name: [UInt8]) {
    output.append(contentsOf: "# \(keyword) ".utf8)
    writeName(name[...], isMetric: true)
    output.append(space)
  }

  private mutating func writeSeries(
    _ name: [UInt8], _ labels: ExposedLabels, bound: (name: String, value: Double)? = nil
  ) {
    // A name that needs quotes stands among the labels.
    let isPlain = Self.isPlain(name[...], isMetric: true)
    if isPlain { output.append(contentsOf: name) }
    writeLabels(labels, name: isPlain ? nil : name, bound: bound, isAlways: !isPlain)
  }

  private mutating func writeLabels(
    _ labels: ExposedLabels, name: [UInt8]?, bound: (name: String, value: Double)?, isAlways: Bool
  ) {
    if labels.isEmpty, bound == nil, !isAlways { return }
    output.append(UInt8(ascii: "{"))
    var isFirst = true
    func separate(_ output: inout [UInt8]) {
      if !isFirst { output.append(UInt8(ascii: ",")) }
      isFirst = false
    }
    if let name {
      separate(&output)
      writeName(name[...], isMetric: true)
    }
    let bytes = labels.bytes
    labels.forEach { name, value in
      separate(&output)
      writeName(bytes[name], isMetric: false)
      output.append(contentsOf: "=\"".utf8)
      append(escaping: bytes[value], quotes: true)
      output.append(UInt8(ascii: "\""))
    }
    if let bound {
      separate(&output)
      output.append(contentsOf: bound.name.utf8)
      output.append(contentsOf: "=\"".utf8)
      ExpositionFloat.append(bound.value, to: &output)
      output.append(UInt8(ascii: "\""))
    }
    output.append(UInt8(ascii: "}"))
  }

  private mutating func writeName(_ name: ArraySlice<UInt8>, isMetric: Bool) {
    if Self.isPlain(name, isMetric: isMetric) {
      output.append(contentsOf: name)
    } else if names == .underscores {
      output.append(contentsOf: Self.escaped(Array(name), isMetric: isMetric))
    } else {
      output.append(UInt8(ascii: "\""))
      append(escaping: name, quotes: true)
      output.append(UInt8(ascii: "\""))
    }
  }

  /// Appends text with its backslashes and line ends escaped, and quotation marks where they would end it.
  private mutating func append(escaping text: ArraySlice<UInt8>, quotes: Bool) {
    for byte in text {
      switch byte {
      case UInt8(ascii: "\\"): output.append(contentsOf: [byte, byte])
      case UInt8(ascii: "\n"): output.append(contentsOf: "\\n".utf8)
      case UInt8(ascii: "\"") where quotes: output.append(contentsOf: "\\\"".utf8)
      default: output.append(byte)
      }
    }
  }

  private var newline: UInt8 { 0x0A }
  private var space: UInt8 { 0x20 }
}

extension ExposedFamily {
  /// Whether the name says the unit at its end, before the `_total` of a counter; otherwise it has none to be told.
  var nameEndsInUnit: Bool {
    if unit.isEmpty { return false }
    let end = Array("_".utf8) + unit
    return name.hasEnd(end) || type == .counter && name.hasEnd(end + Array("_total".utf8))
  }

  /// Whether each point has a label with the family's name, and is 0 or 1, as OpenMetrics wants it of a state set.
  fileprivate var isTrueStateSet: Bool {
    points.allSatisfy { point in
      guard case .number(let value) = point.value, value == 0 || value == 1 else { return false }
      var hasState = false
      point.labels.forEach { name, _ in
        if point.labels.bytes[name].elementsEqual(self.name) { hasState = true }
      }
      return hasState
    }
  }
}

extension RandomAccessCollection<UInt8> {
  func hasEnd(_ end: [UInt8]) -> Bool {
    count >= end.count && suffix(end.count).elementsEqual(end)
  }
  func hasEnd(_ end: String) -> Bool {
    count >= end.utf8.count && suffix(end.utf8.count).elementsEqual(end.utf8)
  }
}
