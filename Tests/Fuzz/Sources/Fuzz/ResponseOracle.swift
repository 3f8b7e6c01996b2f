import TelemetryData

/// What must hold for the answers of backends.
enum ResponseOracle {
  static func check(_ body: [UInt8]) throws {
    if let status = try? RPCStatus(decoding: body.span) { try checkStatus(status) }
    if let status = try? RPCStatus(json: body.span) { try checkStatus(status) }
    for signal in Signal.allCases {
      if let partial = try? PartialSuccess.decodeJSONResponse(body.span, signal: signal) {
        let text = PartialSuccess.encodeJSONResponse(partial, signal: signal)
        let again = try demand("reading our own answer") {
          try PartialSuccess.decodeJSONResponse(text.span, signal: signal)
        }
        try require(
          again == partial, "a partial success changed in JSON: \(partial), \(String(describing: again))")
      }
    }
    if let partial = try? PartialSuccess.decodeResponse(body.span) {
      let bytes = PartialSuccess.encodeResponse(partial)
      let again = try demand("reading our own answer") { try PartialSuccess.decodeResponse(bytes.span) }
      try require(again == partial, "a partial success changed: \(partial), \(String(describing: again))")
    }
  }

  private static func checkStatus(_ status: RPCStatus) throws {
    _ = status.retryDelay
    let again = try demand("reading our own status") { try RPCStatus(decoding: status.encode().span) }
    try require(again == status, "a status changed: \(status), \(again)")
    let json = status.encodeJSON()
    _ = try demand("reading our own status in JSON") { try RPCStatus(json: json.span) }
  }
}
