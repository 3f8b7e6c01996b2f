package import ConfigSchema
package import Transport

/// The settings of the `jaeger` receiver.
package struct JaegerReceiverConfig: ConfigGroup {
  package var protocols = Protocols()
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("protocols", \.protocols, "The protocols to listen for; a protocol that is not named is off."),
    .unsupported(
      "remote_sampling",
      "sampling strategies are not served, nor does the Collector any more; remove the key, and let clients ask Jaeger"
    ),
  ]

  package func check(_ checker: inout ConfigChecker) {
    let endpoints = protocols.endpoints
    if endpoints.isEmpty {
      checker.error(
        \.protocols, "must specify at least one protocol",
        help: "write \"grpc:\" or \"thrift_http:\" below \"protocols:\"; an empty value means all defaults")
    }
    for (position, one) in endpoints.enumerated() {
      let same = endpoints[..<position].first {
        $0.endpoint == one.endpoint && $0.isDatagram == one.isDatagram && !one.endpoint.hasSuffix(":0")
      }
      if let same {
        checker.error(
          \.protocols, at: "\(one.name).endpoint", "\(one.endpoint) is the address of \(same.name) already",
          help: "give each protocol its own port")
      }
    }
  }

  /// `protocols`: what to listen for.
  package struct Protocols: ConfigGroup {
    package var grpc: GRPCServerConfig?
    package var thriftHTTP: HTTPServerConfig?
    package var thriftCompact: DatagramProtocol?
    package var thriftBinary: DatagramProtocol?
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "grpc", \.grpc, "`jaeger.api_v2` over gRPC, as Jaeger's agents and SDKs send it.",
        initial: GRPCServerConfig(endpoint: "localhost:14250")),
      Field(
        "thrift_http", \.thriftHTTP, "Thrift's binary protocol over HTTP, `POST /api/traces`.",
        initial: HTTPServerConfig(endpoint: "localhost:14268")),
      Field(
        "thrift_compact", \.thriftCompact,
        "Thrift's compact protocol in UDP datagrams, as clients send it to an agent.",
        initial: DatagramProtocol(endpoint: "localhost:6831")),
      Field(
        "thrift_binary", \.thriftBinary, "Thrift's binary protocol in UDP datagrams.",
        initial: DatagramProtocol(endpoint: "localhost:6832")),
    ]

    var endpoints: [(name: String, endpoint: String, isDatagram: Bool)] {
      [
        ("grpc", grpc?.endpoint, false), ("thrift_http", thriftHTTP?.endpoint, false),
        ("thrift_compact", thriftCompact?.endpoint, true), ("thrift_binary", thriftBinary?.endpoint, true),
      ].compactMap { name, endpoint, isDatagram in endpoint.map { (name, $0, isDatagram) } }
    }
  }

  /// `protocols.thrift_compact` and `protocols.thrift_binary`.
  package struct DatagramProtocol: ConfigGroup {
    package var endpoint = "localhost:6831"
    package var queueSize = 1000
    package var maxPacketSize = 65_000
    package var socketBufferSize: ByteCount = 0
    package init() {}

    init(endpoint: String) { self.endpoint = endpoint }

    package static let fields: [Field<Self>] = [
      Field("endpoint", \.endpoint, "Address to listen on, host:port.", check: .nonEmpty),
      Field(
        "queue_size", \.queueSize,
        "Datagrams that may be on their way through the pipelines; what comes while there are as many is dropped and counted.",
        check: .range(1...1_000_000)),
      Field(
        "max_packet_size", \.maxPacketSize, "The most bytes of a datagram; a longer one is malformed.",
        check: .range(1...65_535)),
      Field(
        "socket_buffer_size", \.socketBufferSize,
        "Bytes that the kernel keeps of datagrams that are not read yet; 0 asks for 2MiB, of which it gives as much as `net.core.rmem_max` allows.",
        check: .range(0 ... .mebibytes(1024))),
      .accepted("workers", "who reads a datagram makes spans of it at once"),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if let problem = DatagramServer.problem(ofEndpoint: endpoint) {
        checker.error(\.endpoint, problem, help: "write host:port, such as localhost:6831")
      }
      if let warning = DatagramServer.exposure(ofEndpoint: endpoint) {
        checker.warning(
          \.endpoint, warning,
          help: "listen on localhost; fine where the network is trusted, as within a pod")
      }
    }

    var settings: DatagramServer.Settings {
      var settings = DatagramServer.Settings(endpoint: endpoint)
      settings.receiveBuffer = socketBufferSize.bytes
      // One more, so that a longer one shows.
      settings.maxSize = min(maxPacketSize + 1, 65_535)
      return settings
    }
  }
}
