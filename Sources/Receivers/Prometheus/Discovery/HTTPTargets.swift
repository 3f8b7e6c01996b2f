import ConfigSchema
import PrometheusData
import Transport

/// `http_sd_configs`: groups of targets that a server lists as JSON.
struct HTTPTargets: Sendable {
  /// The most bytes of a list, uncompressed.
  static let mostBytes = 64 << 20

  private let config: HTTPDiscoveryConfig
  private let client: PrometheusClient

  init(_ config: HTTPDiscoveryConfig, client: PrometheusClient) {
    self.config = config
    self.client = client
  }

  /// The groups at present; throws what says why there are none.
  @Sendable func groups() async throws -> [TargetGroup] {
    let seconds = Double(config.refreshInterval.milliseconds) / 1000
    let reply = try await client.get(
      url: config.url,
      headers: [
        ("accept", "application/json"),
        (
          "x-prometheus-refresh-interval-seconds",
          seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
        ),
      ], limit: Self.mostBytes, timeout: config.refreshInterval.duration)
    guard reply.status == 200 else {
      throw TargetList.Problem(description: "\(config.url) answers with the status \(reply.status)")
    }
    guard reply.contentType == "application/json" else {
      throw TargetList.Problem(
        description:
          "\(config.url) answers with the content type \"\(reply.contentType)\", not application/json")
    }
    let node = try JSONReply.node(reply, from: config.url, limit: Self.mostBytes)
    return try TargetList.groups(node, extra: [Label("__meta_url", config.url)], allowsOtherKeys: true)
  }
}

/// Reads the JSON of an answer.
enum JSONReply {
  static func node(_ reply: HTTPReply, from name: String, limit: Int) throws(TargetList.Problem) -> ConfigNode
  {
    if reply.isBodyCut {
      throw TargetList.Problem(description: "\(name) answers with more than \(limit >> 20) MiB")
    }
    guard let text = String(validating: reply.body, as: UTF8.self) else {
      throw TargetList.Problem(description: "\(name) answers with something other than UTF-8 text")
    }
    let (node, diagnostics) = ConfigDocument.readJSON(text, name: name)
    guard let node else {
      let problem = diagnostics.all.first
      let place = problem?.location.map { "\($0): " } ?? ""
      throw TargetList.Problem(description: "\(place)\(problem?.message ?? "not JSON")")
    }
    return node
  }
}
