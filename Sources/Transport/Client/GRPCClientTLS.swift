internal import Logging
internal import NIOSSL

/// TLS of a gRPC client's connections.
struct GRPCClientTLS: Sendable {
  let contexts: TLSRenewal<NIOSSLContext>
  /// What to ask for and to find in the certificate; nil for the address itself.
  let serverName: String?

  init(_ config: GRPCClientConfig, target: GRPCTarget, logger: Logger?) {
    contexts = config.tls.contexts(applicationProtocols: ["h2"], logger: logger)
    let authority = HostAndPort.split(config.authority[...]).host
    let host =
      switch target.address {
      case .host(let host, _): host
      case .unix: "localhost"
      }
    let names = [config.tls.serverNameOverride, IPLiteral.isAddress(authority) ? "" : authority, host]
    let name = names.first { !$0.isEmpty } ?? host
    serverName = IPLiteral.isAddress(name) ? nil : name
  }
}
