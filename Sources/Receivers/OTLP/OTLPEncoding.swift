internal import TelemetryData
internal import Transport

/// The two forms of an OTLP/HTTP body, told apart by the content type.
enum OTLPEncoding: Sendable {
  case protobuf
  case json

  /// The encoding a `Content-Type` header names; nil when it is neither of the two.
  ///
  /// Parameters such as `charset` are ignored, and so is the case of letters (RFC 9110, section 8.3.1).
  init?(contentType: String?) {
    guard let contentType else { return nil }
    if contentType == "application/x-protobuf" {
      self = .protobuf
    } else if contentType == "application/json" {
      self = .json
    } else {
      switch MediaType.essence(contentType) {
      case "application/x-protobuf": self = .protobuf
      case "application/json": self = .json
      default: return nil
      }
    }
  }

  var contentType: String {
    switch self {
    case .protobuf: "application/x-protobuf"
    case .json: "application/json"
    }
  }
}
