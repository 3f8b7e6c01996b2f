internal import WireFormat

/// How names of OTLP metrics and attributes become Prometheus names.
package enum TranslationStrategy: String, Sendable, CaseIterable {
  /// Invalid characters become `_`; units and types are appended to names.
  case underscoreEscapingWithSuffixes = "UnderscoreEscapingWithSuffixes"
  /// Invalid characters become `_`; nothing is appended.
  case underscoreEscapingWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
  /// Names keep every character; units and types are appended.
  case noUTF8EscapingWithSuffixes = "NoUTF8EscapingWithSuffixes"
  /// Names stay as they are.
  case noTranslation = "NoTranslation"

  /// Whether names are brought into the character set that every Prometheus knows.
  package var escapes: Bool {
    self == .underscoreEscapingWithSuffixes || self == .underscoreEscapingWithoutSuffixes
  }
  package var addsSuffixes: Bool {
    self == .underscoreEscapingWithSuffixes || self == .noUTF8EscapingWithSuffixes
  }
}

/// Which attributes of a resource become labels of all its series.
package enum ResourceLabels: Sendable, Hashable {
  case none
  /// All of them; `exceptService` leaves out those that `job` and `instance` are made of.
  case all(exceptService: Bool)
  /// Those with these keys.
  case only([String])
  /// All but those with these keys.
  case except([String])

  func includes(_ key: Span<UInt8>) -> Bool {
    switch self {
    case .none: false
    case .all(let exceptService): !exceptService || ServiceAttribute(key) == nil
    case .only(let keys): keys.contains { $0.utf8.span.hasSameBytes(as: key) }
    case .except(let keys): !keys.contains { $0.utf8.span.hasSameBytes(as: key) }
    }
  }
}

/// How OTLP metrics become Prometheus series.
package struct TranslationSettings: Sendable {
  package var strategy = TranslationStrategy.underscoreEscapingWithSuffixes
  /// Put in front of every metric's name, with a `_` between them; nothing when empty.
  package var namespace = ""
  /// Labels of every series that has no such label of its own.
  package var externalLabels: [Label] = []
  package var resourceLabels = ResourceLabels.none
  /// Whether a `target_info` series is made of the other attributes of a resource.
  package var addsTargetInfo = true
  /// Whether series get `otel_scope_*` labels.
  package var addsScopeLabels = true
  /// Whether histograms with bounds become native histograms with custom buckets (NHCB).
  package var convertsToCustomBuckets = false
  /// Whether such a histogram is also sent as classic series.
  package var keepsClassicHistograms = false
  /// Whether counters and histograms that come as differences are added up; otherwise they are dropped.
  package var accumulatesDeltas = false

  package init() {}
}

/// The three attributes of a resource that name a service (OpenTelemetry semantic conventions, `service`).
enum ServiceAttribute: Int {
  case namespace, name, instance

  private static let namespaceKey = Array("service.namespace".utf8)
  private static let nameKey = Array("service.name".utf8)
  private static let instanceKey = Array("service.instance.id".utf8)

  init?(_ key: Span<UInt8>) {
    switch key.count {
    case 12 where key.hasSameBytes(as: Self.nameKey.span): self = .name
    case 17 where key.hasSameBytes(as: Self.namespaceKey.span): self = .namespace
    case 19 where key.hasSameBytes(as: Self.instanceKey.span): self = .instance
    default: return nil
    }
  }
}
