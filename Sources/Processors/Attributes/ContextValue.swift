internal import PipelineKit

/// What `from_context` names: something about the request that brought the data.
struct ContextValue: Sendable {
  private enum Kind: Sendable {
    case metadata(String)
    case authentication(String)
    case clientAddress
  }
  private let kind: Kind

  init(_ text: String) {
    if text == "client.address" {
      kind = .clientAddress
    } else if text.hasPrefix("auth.") {
      kind = .authentication(String(text.dropFirst("auth.".count)))
    } else if text.hasPrefix("metadata.") {
      kind = .metadata(text.dropFirst("metadata.".count).lowercased())
    } else {
      // As the Collector does, for configurations from before there was a prefix.
      kind = .metadata(text.lowercased())
    }
  }

  /// The key of request metadata that has to come along.
  var wantedMetadata: String {
    switch kind {
    case .metadata(let key): key
    case .authentication(let key): RequestMetadata.authenticationPrefix + key.lowercased()
    case .clientAddress: RequestMetadata.clientAddressKey
    }
  }

  /// Several values are joined by semicolons; nil when there is none.
  func value(in metadata: RequestMetadata?) -> String? {
    let values = metadata?[wantedMetadata] ?? []
    return values.isEmpty ? nil : values.joined(separator: ";")
  }
}
