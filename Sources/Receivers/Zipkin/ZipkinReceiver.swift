package import ConfigSchema
package import PipelineKit
internal import Synchronization
internal import TelemetryData
internal import TraceFormats
package import Transport

/// Takes spans from Zipkin's clients: JSON v2 and protobuf over HTTP.
package final class ZipkinReceiver: Receiver {
  package typealias Config = ZipkinReceiverConfig

  package static let descriptor = ComponentDescriptor(
    type: "zipkin", signals: [.traces],
    summary: "Receives spans of Zipkin's clients over HTTP (JSON v2 and protobuf).")

  package static func traits(of config: ZipkinReceiverConfig) -> ComponentTraits {
    var traits = ComponentTraits()
    if !config.effectiveServer.includeMetadata { traits.passedMetadata = .none }
    traits.toldMetadata = [RequestMetadata.clientAddressKey]
    return traits
  }

  private let config: ZipkinReceiverConfig
  private let context: ComponentContext
  private let server = Mutex<HTTPServer?>(nil)
  private let bound = Mutex("")

  package init(config: ZipkinReceiverConfig, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  /// Where it listens, once started.
  package var address: String { bound.withLock { $0 } }

  package func start(_ outputs: ReceiverOutputs) async throws {
    guard let consumer = outputs.consumer(.traces, transport: "http") else { return }
    let handler = ZipkinHandler(
      consumer: consumer, intake: TraceIntake(context: context, transport: "http"),
      parsesTags: config.parseStringTags)
    let (server, address) = try await HTTPServer.started(config.effectiveServer, handler, for: context)
    bound.withLock { $0 = address }
    self.server.withLock { $0 = server }
  }

  package func stop() async {
    let server = server.withLock { held in
      defer { held = nil }
      return held
    }
    await server?.stop()
  }
}

/// The settings of the `zipkin` receiver: an HTTP server, here or below `protocols.http`.
package struct ZipkinReceiverConfig: ConfigGroup {
  package var server = HTTPServerConfig(endpoint: "localhost:9411")
  package var protocols = Protocols()
  package var parseStringTags = false

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.server),
    Field("protocols", \.protocols, "The newer place for the settings of the server."),
    Field(
      "parse_string_tags", \.parseStringTags,
      "Turn tags that read like numbers or booleans into such attributes."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if protocols.http != nil, checker.isPresent(\.server.endpoint) {
      checker.warning(
        \.server.endpoint, "has no effect beside protocols.http", help: "keep one of the two places")
    }
  }

  /// `protocols`.
  package struct Protocols: ConfigGroup {
    package var http: HTTPServerConfig?
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("http", \.http, "The HTTP server.", initial: HTTPServerConfig(endpoint: "localhost:9411"))
    ]
  }

  var effectiveServer: HTTPServerConfig { protocols.http ?? server }
}
