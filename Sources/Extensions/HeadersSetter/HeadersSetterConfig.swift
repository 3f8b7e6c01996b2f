package import ConfigSchema
package import Transport

/// The settings of the `headers_setter` extension.
package struct HeadersSetterConfig: ConfigGroup {
  package var headers: [Action] = []
  package var additionalAuth: ExtensionReference<ClientAuthenticationRole>?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("headers", \.headers, "What to do with headers, in this order.", check: .nonEmpty),
    Field("additional_auth", \.additionalAuth, "An authenticator whose headers are added first."),
  ]

  /// What is done with a header.
  package enum Kind: String, ConfigEnum {
    /// Adds it where it is missing.
    case insert
    /// Replaces it where it is there.
    case update
    /// Adds or replaces it.
    case upsert
    /// Removes it.
    case delete
  }

  /// One element of `headers`.
  package struct Action: ConfigGroup {
    package var action = Kind.upsert
    package var key = ""
    package var value: Secret?
    package var valueFile = ""
    package var fromContext = ""
    package var defaultValue: Secret?
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("action", \.action, "Whether to insert, update, upsert or delete the header."),
      Field("key", \.key, "The header.", required: true),
      Field("value", \.value, "Its value."),
      Field("value_file", \.valueFile, "A file with the value, read again when it changes."),
      Field(
        "from_context", \.fromContext,
        "The metadata key of the incoming request that holds the value. It needs `include_metadata: true` at the receiver, and where requests are merged the key in `metadata_keys` of the batch processor."
      ),
      Field("default_value", \.defaultValue, "The value where the request has no such metadata."),
      .unsupported("from_attribute", "what authenticators find out is not kept: use from_context"),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if !HTTPToken.isName(key) {
        checker.error(\.key, "is not a valid header name")
      } else if HeadersSetterConfig.reserved.contains(key.lowercased()) || key.lowercased().hasPrefix("grpc-")
      {
        checker.error(\.key, "belongs to the protocol")
      }
      let sources = [value != nil, !valueFile.isEmpty, !fromContext.isEmpty].filter { $0 }.count
      if action == .delete, sources > 0 {
        checker.error(\.action, "delete takes no value")
      } else if action != .delete, sources != 1 {
        checker.error("exactly one of value, value_file and from_context must be set")
      }
      if defaultValue != nil, fromContext.isEmpty {
        checker.error(\.defaultValue, "goes with from_context only")
      }
      for (text, field) in [(value, \Self.value), (defaultValue, \.defaultValue)] {
        if let text, !HTTPToken.isValue(text.reveal()) {
          checker.error(field, "holds characters that a header cannot carry")
        }
      }
      if MetadataCodec.credentials.contains(fromContext.lowercased()) {
        checker.warning(
          \.fromContext,
          "\(fromContext) is lost in a sending_queue with storage, which writes no credentials to disk")
      }
    }
  }

  /// Headers that say what a request is.
  static let reserved: Set<String> = [
    "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "te", "host",
  ]
}
