internal import ConfigSchema
package import PrometheusData

extension ScrapeProtocol: ConfigEnum {}

/// `metric_name_validation_scheme`: which names metrics and labels may have.
package enum NameValidation: String, ConfigEnum {
  case utf8
  case legacy

  package var labelNames: LabelNameScheme { self == .utf8 ? .utf8 : .legacy }
}

extension NameEscaping: ConfigEnum {}

/// The scheme of targets.
package enum ScrapeScheme: String, ConfigEnum {
  case http
  case https
}
