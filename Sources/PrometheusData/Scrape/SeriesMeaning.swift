/// What a new series is: which metric of which resource and scope, and which part of it.
struct SeriesMeaning {
  var role = SeriesRole.number
  var metricName = ""
  var kind = ScrapedKind.gauge
  var type = ExpositionType.unknown
  /// The family that help and unit come from; nil for a series that belongs to none.
  var family: UInt32?
  /// The label that tells the part: `le` or `quantile`.
  var partLabel = ""
  /// Of a bucket or quantile.
  var bound = 0.0

  /// A series of the type that nobody told.
  static func untyped(_ name: String, type: ExpositionType = .unknown, family: UInt32? = nil) -> SeriesMeaning
  {
    SeriesMeaning(metricName: name, type: type, family: family)
  }
}

extension ScrapeCatalog {
  /// Tells what a series with these labels is, by the types told so far.
  ///
  /// The family is the one with the name of the series, or else the one whose type gives its series a suffix.
  /// - Parameters:
  ///   - native: what a native histogram becomes; nil for a number.
  ///   - format: `_created` is a series of the family in OpenMetrics only.
  func meaning(of labels: LabelSet, native: ScrapedKind?, format: ExpositionFormat) -> SeriesMeaning {
    let name = labels["__name__"] ?? ""
    if name == "target_info", native == nil { return SeriesMeaning(role: .targetInfo, metricName: name) }
    if name == "otel_scope_info", native == nil { return SeriesMeaning(role: .ignored, metricName: name) }
    if let index = familyNames[name] {
      return meaning(of: labels, named: name, family: index, native: native)
    }
    if let native {
      return SeriesMeaning(role: .native, metricName: name, kind: native, type: .histogram)
    }
    for suffix in Self.suffixes where name.utf8.count > suffix.utf8.count && name.hasSuffix(suffix) {
      guard let index = familyNames[String(name.dropLast(suffix.count))] else { continue }
      let base = String(name.dropLast(suffix.count))
      if let found = meaning(
        of: labels, named: name, base: base, suffix: suffix, family: index, format: format)
      {
        return found
      }
    }
    return .untyped(name)
  }

  static let suffixes = [
    "_total", "_bucket", "_count", "_sum", "_info", "_created", "_gcount", "_gsum",
  ]

  /// A series with the name of its family.
  private func meaning(
    of labels: LabelSet, named name: String, family: UInt32, native: ScrapedKind?
  ) -> SeriesMeaning {
    let type = families[Int(family)].type
    if let native {
      return SeriesMeaning(
        role: .native, metricName: name, kind: native, type: type == .gaugeHistogram ? type : .histogram,
        family: family)
    }
    switch type {
    case .counter:
      return SeriesMeaning(metricName: name, kind: .counter, type: type, family: family)
    case .summary:
      guard let text = labels["quantile"], let bound = BoundText.parse(text) else { break }
      return SeriesMeaning(
        role: .quantile, metricName: name, kind: .summary, type: type, family: family, partLabel: "quantile",
        bound: bound)
    case .stateSet, .info:
      return SeriesMeaning(metricName: name, kind: .state, type: type, family: family)
    case .gauge, .unknown, .gaugeHistogram:
      return .untyped(name, type: type, family: family)
    case .histogram: break
    }
    return .untyped(name, family: family)
  }

  /// A series with the name of its family and a suffix; nil when the type has no such series.
  private func meaning(
    of labels: LabelSet, named name: String, base: String, suffix: String, family: UInt32,
    format: ExpositionFormat
  ) -> SeriesMeaning? {
    let type = families[Int(family)].type
    let kind: ScrapedKind = type == .summary ? .summary : .histogram
    func part(_ role: SeriesRole, label: String = "", bound: Double = 0) -> SeriesMeaning {
      SeriesMeaning(
        role: role, metricName: base, kind: kind, type: type, family: family, partLabel: label, bound: bound)
    }
    switch (suffix, type) {
    case ("_total", .counter):
      return SeriesMeaning(metricName: name, kind: .counter, type: type, family: family)
    case ("_info", .info):
      return SeriesMeaning(metricName: name, kind: .state, type: type, family: family)
    case ("_bucket", .histogram):
      guard let text = labels["le"], let bound = BoundText.parse(text), !bound.isNaN else { return nil }
      return part(.bucket, label: "le", bound: bound)
    case ("_sum", .histogram), ("_sum", .summary): return part(.sum)
    case ("_count", .histogram), ("_count", .summary): return part(.count)
    case ("_bucket", .gaugeHistogram), ("_gcount", .gaugeHistogram), ("_gsum", .gaugeHistogram),
      ("_count", .gaugeHistogram), ("_sum", .gaugeHistogram):
      return .untyped(name, type: type, family: family)
    case ("_created", .counter) where format == .openMetrics:
      return SeriesMeaning(
        role: .created, metricName: base + "_total", kind: .counter, type: type, family: family)
    case ("_created", .histogram) where format == .openMetrics,
      ("_created", .summary) where format == .openMetrics:
      return part(.created)
    default: return nil
    }
  }
}

/// Reads the numbers in `le` and `quantile`.
enum BoundText {
  static func parse(_ text: String) -> Double? {
    switch text {
    case "+Inf", "Inf", "inf", "+inf": return .infinity
    case "-Inf", "-inf": return -.infinity
    default: break
    }
    guard let first = text.utf8.first,
      first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        || first == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    else { return nil }
    return Double(text)
  }
}
