/// How a gRPC call ended; failures of the connection are statuses too, as gRPC defines it.
package struct GRPCReply: Sendable, Equatable {
  package var code: GRPCCode
  /// For people; empty when the server gave none.
  package var message: String
  /// `grpc-status-details-bin`: the bytes of a `google.rpc.Status`.
  package var details: [UInt8]?
  /// The answer's message; empty unless `code` is `ok`.
  package var body: [UInt8]
  /// Whether the server answered. False when the status was made on this side: no connection, timeout, cancellation.
  package var isFromServer: Bool

  package init(
    code: GRPCCode, message: String = "", details: [UInt8]? = nil, body: [UInt8] = [],
    isFromServer: Bool = false
  ) {
    self.code = code
    self.message = message
    self.details = details
    self.body = body
    self.isFromServer = isFromServer
  }
}
