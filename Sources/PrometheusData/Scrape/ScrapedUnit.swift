/// The units of OpenMetrics as OTLP writes them.
///
/// Source: the OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", Unit, read backwards.
enum ScrapedUnit {
  /// The UCUM code of a word; the word itself when there is none.
  static func code(_ word: String, isGauge: Bool) -> String {
    if word.isEmpty { return "" }
    // In the other direction only a gauge of unit 1 is a ratio.
    if word == "ratio" { return isGauge ? "1" : word }
    if let code = codes[word] { return code }
    guard let per = word.firstRange(of: "_per_") else { return word }
    let (above, below) = (String(word[..<per.lowerBound]), String(word[per.upperBound...]))
    guard let above = codes[above], let below = rates[below] else { return word }
    return above + "/" + below
  }

  /// The name of a metric without the suffixes of its type and unit (`trim_metric_suffixes`).
  static func trimmed(_ name: String, _ kind: ScrapedKind, unit: String) -> String {
    var trimmed = name[...]
    if kind == .counter, trimmed.hasSuffix("_total") { trimmed = trimmed.dropLast("_total".count) }
    if !unit.isEmpty, trimmed.hasSuffix("_" + unit) { trimmed = trimmed.dropLast(unit.count + 1) }
    return trimmed.isEmpty ? name : String(trimmed)
  }

  private static let codes: [String: String] = [
    "days": "d", "hours": "h", "minutes": "min", "seconds": "s", "milliseconds": "ms", "microseconds": "us",
    "nanoseconds": "ns", "bytes": "By", "kibibytes": "KiBy", "mebibytes": "MiBy", "gibibytes": "GiBy",
    "tibibytes": "TiBy", "kilobytes": "KBy", "megabytes": "MBy", "gigabytes": "GBy", "terabytes": "TBy",
    "meters": "m", "volts": "V", "amperes": "A", "joules": "J", "watts": "W", "grams": "g",
    "celsius": "Cel", "hertz": "Hz", "percent": "%",
  ]

  private static let rates: [String: String] = [
    "second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w", "month": "mo", "year": "y",
  ]
}
