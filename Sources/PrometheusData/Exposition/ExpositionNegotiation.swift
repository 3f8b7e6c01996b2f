/// Which exposition a scraper gets for its `Accept` header (RFC 9110 §12.5.1, and Prometheus' content negotiation).
package struct ExpositionNegotiation: Sendable, Hashable {
  package var format: ExpositionFormat
  package var names: ExpositionWriting.Names
  /// The `Content-Type` of the answer.
  package var contentType: String

  /// - Parameters:
  ///   - accept: nil or empty takes everything.
  ///   - offersOpenMetrics: whether OpenMetrics is among what can be had.
  package init(accept: String?, offersOpenMetrics: Bool) {
    var best: (quality: Double, range: Range)?
    for range in (accept ?? "").split(separator: ",").compactMap(Range.init) {
      guard range.quality > 0, range.format != .openMetrics || offersOpenMetrics else { continue }
      // Of two that are as welcome, the first; one that is named before one that only matches.
      if let best, best.quality >= range.quality { continue }
      best = (range.quality, range)
    }
    let range = best?.range ?? Range()
    format = range.format
    names = range.allowsUTF8 ? .utf8 : .underscores
    let escaping =
      range.allowsUTF8 ? "; escaping=allow-utf-8" : range.namesEscaping ? "; escaping=underscores" : ""
    switch range.format {
    case .text:
      contentType = "text/plain; version=\(range.allowsUTF8 ? "1.0.0" : "0.0.4"); charset=utf-8" + escaping
    case .openMetrics:
      contentType =
        "application/openmetrics-text; version=\(range.isOldOpenMetrics ? "0.0.1" : "1.0.0"); charset=utf-8"
        + escaping
    case .protobuf:
      contentType =
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
        + escaping
    }
  }

  /// One entry of the header.
  private struct Range {
    var format = ExpositionFormat.text
    var quality = 1.0
    var allowsUTF8 = false
    var namesEscaping = false
    var isOldOpenMetrics = false

    init() {}

    /// Nil for what is not an exposition.
    init?(_ text: Substring) {
      let parts = text.split(separator: ";").map { Self.trimmed($0).lowercased() }
      guard let type = parts.first else { return nil }
      var parameters: [String: String] = [:]
      for part in parts.dropFirst() {
        let pair = part.split(separator: "=", maxSplits: 1)
        guard pair.count == 2 else { continue }
        let value = Self.trimmed(pair[1])
        parameters[Self.trimmed(pair[0])] =
          value.hasPrefix("\"") ? String(value.dropFirst().dropLast()) : value
      }
      if let weight = parameters["q"] {
        guard let number = Double(weight), number >= 0, number <= 1 else { return nil }
        quality = number
      }
      if let escaping = parameters["escaping"] {
        namesEscaping = true
        allowsUTF8 = escaping == "allow-utf-8"
      }
      switch type {
      case "*/*", "text/*", "text/plain":
        if let version = parameters["version"], version != "0.0.4", version != "1.0.0" { return nil }
      case "application/openmetrics-text":
        if let version = parameters["version"], version != "0.0.1", version != "1.0.0" { return nil }
        isOldOpenMetrics = parameters["version"] == "0.0.1"
        format = .openMetrics
      case "application/vnd.google.protobuf":
        guard parameters["proto"] == "io.prometheus.client.metricfamily",
          (parameters["encoding"] ?? "delimited") == "delimited"
        else { return nil }
        format = .protobuf
      default: return nil
      }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
      let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
      let start = text.drop(while: isSpace)
      return start.lastIndex { !isSpace($0) }.map { String(start[...$0]) } ?? ""
    }
  }

  /// Whether an `Accept-Encoding` header takes gzip.
  package static func acceptsGzip(_ header: String?) -> Bool {
    for entry in (header ?? "").split(separator: ",") {
      let parts = entry.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
      guard let coding = parts.first, coding == "gzip" || coding == "*" else { continue }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
      return (weight ?? 1) > 0
    }
    return false
  }
}
