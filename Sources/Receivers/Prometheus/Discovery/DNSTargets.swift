import ConfigSchema
import NativeCodecs
import PrometheusData
import Synchronization

/// `dns_sd_configs`: targets that DNS records list.
final class DNSTargets: Sendable {
  private let config: DNSDiscoveryConfig
  private let server: DNSLookup.Server?
  /// What each name gave last: it stays while its servers are silent.
  private let known = Mutex<[String: TargetGroup]>([:])

  /// - Parameter server: in place of those of the system, for tests.
  init(_ config: DNSDiscoveryConfig, server: DNSLookup.Server? = nil) {
    self.config = config
    self.server = server
  }

  /// The groups at present, one for each name; throws when no name could be asked for.
  @Sendable func groups() async throws -> [TargetGroup] {
    var failures: [any Error] = []
    for name in config.names {
      do {
        let kind = config.type.kind
        let records = try await BlockingWork.run { [server] in
          try DNSLookup.records(of: name, kind, server: server)
        }
        let group = TargetGroup(targets: records.map { labels(of: $0, name: name) })
        known.withLock { $0[name] = group }
      } catch {
        failures.append(error)
      }
    }
    if failures.count == config.names.count, let first = failures.first { throw first }
    return known.withLock { known in config.names.compactMap { known[$0] } }
  }

  /// The labels of the target that a record of a name stands for.
  func labels(of record: DNSLookup.Record, name: String) -> LabelSet {
    var labels = LabelSet([Label("__meta_dns_name", name)])
    switch record {
    case .address(let bytes): labels["__address__"] = "\(IPAddress(bytes: bytes).hostText):\(config.port)"
    case .name(let target):
      labels["__address__"] = "\(target):\(config.port)"
      labels[config.type == .mx ? "__meta_dns_mx_record_target" : "__meta_dns_ns_record_target"] =
        "\(target)."
    case .service(let target, let port):
      labels["__address__"] = "\(target):\(port)"
      labels["__meta_dns_srv_record_target"] = "\(target)."
      labels["__meta_dns_srv_record_port"] = "\(port)"
    }
    return labels
  }
}

extension DNSDiscoveryConfig.RecordType {
  var kind: DNSLookup.Kind {
    switch self {
    case .srv: .srv
    case .a: .a
    case .aaaa: .aaaa
    case .mx: .mx
    case .ns: .ns
    }
  }
}
