internal import ConfigSchema
package import PrometheusData

/// A format to ask targets for, as `scrape_protocols` names it.
package enum ScrapeProtocol: String, ConfigEnum {
  case prometheusProto = "PrometheusProto"
  case openMetrics001 = "OpenMetricsText0.0.1"
  case openMetrics100 = "OpenMetricsText1.0.0"
  case text004 = "PrometheusText0.0.4"
  case text100 = "PrometheusText1.0.0"

  /// What targets are asked for unless something else is configured.
  package static let usual: [ScrapeProtocol] = [.openMetrics100, .openMetrics001, .text100, .text004]

  /// The media type with its version, as `Accept` and `Content-Type` have it.
  package var mediaType: String {
    switch self {
    case .prometheusProto:
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    case .openMetrics001: "application/openmetrics-text;version=0.0.1"
    case .openMetrics100: "application/openmetrics-text;version=1.0.0"
    case .text004: "text/plain;version=0.0.4"
    case .text100: "text/plain;version=1.0.0"
    }
  }

  package var format: ExpositionFormat {
    switch self {
    case .prometheusProto: .protobuf
    case .openMetrics001, .openMetrics100: .openMetrics
    case .text004, .text100: .text
    }
  }
}

/// `metric_name_validation_scheme`: which names metrics and labels may have.
package enum NameValidation: String, ConfigEnum {
  case utf8
  case legacy

  package var labelNames: LabelNameScheme { self == .utf8 ? .utf8 : .legacy }
}

/// `metric_name_escaping_scheme`: how targets are asked to write names that are not plain.
package enum NameEscaping: String, ConfigEnum {
  case allowUTF8 = "allow-utf-8"
  case underscores
  case dots
  case values
}

/// The scheme of targets.
package enum ScrapeScheme: String, ConfigEnum {
  case http
  case https
}
