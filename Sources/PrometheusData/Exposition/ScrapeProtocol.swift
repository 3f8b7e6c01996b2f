/// A format and version that a target may be asked for, as `scrape_protocols` names it.
package enum ScrapeProtocol: String, CaseIterable, Sendable, Hashable {
  case prometheusProto = "PrometheusProto"
  case openMetrics001 = "OpenMetricsText0.0.1"
  case openMetrics100 = "OpenMetricsText1.0.0"
  case text004 = "PrometheusText0.0.4"
  case text100 = "PrometheusText1.0.0"

  /// What targets are asked for unless something else is configured, as in Prometheus 3.
  package static let usual: [ScrapeProtocol] = [.openMetrics100, .openMetrics001, .text100, .text004]

  package var format: ExpositionFormat {
    switch self {
    case .prometheusProto: .protobuf
    case .openMetrics001, .openMetrics100: .openMetrics
    case .text004, .text100: .text
    }
  }

  /// The media type with its parameters.
  package var mediaType: String {
    switch self {
    case .prometheusProto:
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    case .text004: "text/plain;version=0.0.4"
    case .text100: "text/plain;version=1.0.0"
    case .openMetrics001: "application/openmetrics-text;version=0.0.1"
    case .openMetrics100: "application/openmetrics-text;version=1.0.0"
    }
  }

  /// The header field `Accept` that asks for some protocols, the first preferred, as Prometheus writes it.
  ///
  /// - Parameter escaping: Said with the versions 1.0.0, the first to know of it.
  package static func acceptHeader(for protocols: [ScrapeProtocol], escaping: NameEscaping = .allowUTF8)
    -> String
  {
    // One decimal digit has room for all protocols there are and for what they are preferred to.
    var weight = allCases.count + 1
    var values: [String] = []
    for wanted in protocols {
      let isEscaped = wanted == .text100 || wanted == .openMetrics100
      values.append("\(wanted.mediaType)\(isEscaped ? ";escaping=\(escaping.rawValue)" : "");q=0.\(weight)")
      weight = max(weight - 1, 1)
    }
    return (values + ["*/*;q=0.\(weight)"]).joined(separator: ",")
  }
}

/// What a target is asked to do with names that are not letters, digits and underscores
/// (`metric_name_escaping_scheme`).
package enum NameEscaping: String, CaseIterable, Sendable, Hashable {
  case allowUTF8 = "allow-utf-8"
  case underscores
  case dots
  case values
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
  package init(contentType: String?, fallback: ExpositionFormat?) throws(ContentTypeError) {
    let field = contentType ?? ""
    let parts = field.split(separator: ";", omittingEmptySubsequences: false)
    let (type, parameters) = (Self.trimmed(parts.first ?? ""), parts.dropFirst().map(Self.trimmed))
    switch type.lowercased() {
    case "text/plain": self = .text
    case "application/openmetrics-text": self = .openMetrics
    case "application/vnd.google.protobuf" where Self.isDelimited(parameters): self = .protobuf
    case let other:
      if let fallback {
        self = fallback
      } else if other.isEmpty {
        throw ContentTypeError(
          reason: "the answer has no Content-Type, and fallback_scrape_protocol is not set")
      } else {
        throw ContentTypeError(
          reason: "the Content-Type \(field.debugDescription) is none of Prometheus' formats, "
            + "and fallback_scrape_protocol is not set")
      }
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
