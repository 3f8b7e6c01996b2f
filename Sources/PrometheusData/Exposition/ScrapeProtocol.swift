/// A format and version that a target may be asked for, as `scrape_protocols` names it.
package enum ScrapeProtocol: String, CaseIterable, Sendable, Hashable {
  case protobuf = "PrometheusProto"
  case text0_0_4 = "PrometheusText0.0.4"
  case text1_0_0 = "PrometheusText1.0.0"
  case openMetrics0_0_1 = "OpenMetricsText0.0.1"
  case openMetrics1_0_0 = "OpenMetricsText1.0.0"

  /// What a target does with names that are not letters, digits and underscores.
  package enum Escaping: String, CaseIterable, Sendable, Hashable {
    case allowUTF8 = "allow-utf-8"
    case underscores, dots, values
  }

  /// What Prometheus 3 asks for unless it is told otherwise.
  package static let defaults: [ScrapeProtocol] = [
    .openMetrics1_0_0, .openMetrics0_0_1, .text1_0_0, .text0_0_4,
  ]
  /// The same where native histograms are wanted, which only protobuf has.
  package static let nativeHistogramDefaults: [ScrapeProtocol] = [.protobuf] + defaults

  package var format: ExpositionFormat {
    switch self {
    case .protobuf: .protobuf
    case .text0_0_4, .text1_0_0: .text
    case .openMetrics0_0_1, .openMetrics1_0_0: .openMetrics
    }
  }

  /// The media type with its parameters.
  package var mediaType: String {
    switch self {
    case .protobuf:
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    case .text0_0_4: "text/plain;version=0.0.4"
    case .text1_0_0: "text/plain;version=1.0.0"
    case .openMetrics0_0_1: "application/openmetrics-text;version=0.0.1"
    case .openMetrics1_0_0: "application/openmetrics-text;version=1.0.0"
    }
  }

  /// The header field `Accept` that asks for some protocols, the first preferred, as Prometheus 3 writes it.
  ///
  /// - Parameter escaping: Said with the versions 1.0.0, the first to know of it.
  package static func acceptHeader(for protocols: [ScrapeProtocol], escaping: Escaping = .allowUTF8) -> String
  {
    // One decimal digit has room for all protocols there are and for what they are preferred to.
    var weight = allCases.count + 1
    var values: [String] = []
    for wanted in protocols {
      let isEscaped = wanted == .text1_0_0 || wanted == .openMetrics1_0_0
      values.append("\(wanted.mediaType)\(isEscaped ? ";escaping=\(escaping.rawValue)" : "");q=0.\(weight)")
      weight = max(weight - 1, 1)
    }
    return (values + ["*/*;q=0.\(weight)"]).joined(separator: ",")
  }
}

/// An answer whose format is not known: the scrape fails.
package struct ContentTypeError: Error, Sendable, Hashable {
  /// A clause without a full stop.
  package var reason: String

  package init(reason: String) { self.reason = reason }
}

extension ExpositionFormat {
  /// The format of an answer by its header field `Content-Type`.
  ///
  /// Versions do not matter: each format's reader takes all of them, and targets exist that say `text/plain` with version
  /// 1.0.0, whatever they were asked for. Nor do `escaping` and `validchars`: escaped names stay as they are, and names in
  /// quotes are read wherever they are.
  ///
  /// - Parameter fallback: What to take an answer for that has no type or one that is not known
  ///   (`fallback_scrape_protocol`).
  package init(contentType: String?, fallback: ScrapeProtocol?) throws(ContentTypeError) {
    let field = contentType ?? ""
    let parts = field.split(separator: ";", omittingEmptySubsequences: false)
    let (type, parameters) = (Self.trimmed(parts.first ?? ""), parts.dropFirst().map(Self.trimmed))
    switch type.lowercased() {
    case "text/plain": self = .text
    case "application/openmetrics-text": self = .openMetrics
    case "application/vnd.google.protobuf" where Self.isDelimited(parameters): self = .protobuf
    case _ where fallback != nil: self = fallback?.format ?? .text
    case "":
      throw ContentTypeError(
        reason: "the answer has no Content-Type, and fallback_scrape_protocol is not set")
    default:
      throw ContentTypeError(
        reason: "the Content-Type \(field.debugDescription) is none of Prometheus' formats, "
          + "and fallback_scrape_protocol is not set")
    }
  }

  /// Whether messages are not said to be separated by anything but their lengths.
  private static func isDelimited(_ parameters: [Substring]) -> Bool {
    !parameters.contains { parameter in
      let parameter = parameter.lowercased()
      return parameter.hasPrefix("encoding=") && parameter != "encoding=delimited"
        && parameter != "encoding=\"delimited\""
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}
