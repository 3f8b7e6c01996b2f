package import ConfigSchema
package import Transport

/// The settings of the `oauth2client` extension.
package struct OAuth2ClientConfig: ConfigGroup {
  package var clientID = ""
  package var clientIDFile = ""
  package var clientSecret: Secret = ""
  package var clientSecretFile = ""
  package var tokenURL = ""
  package var scopes: [String] = []
  package var endpointParameters = ConfigMap<[Secret]>()
  package var timeout: Duration = .seconds(10)
  package var tls = ClientTLSConfig()
  package var expiryBuffer: Duration = .seconds(300)
  package var grantType = "client_credentials"
  package init() {}

  private static let assertion = "the JWT bearer grant is not supported: use client_credentials with a secret"

  package static let fields: [Field<Self>] = [
    Field("client_id", \.clientID, "The client's id."),
    Field("client_id_file", \.clientIDFile, "A file with the id, read again when it changes."),
    Field("client_secret", \.clientSecret, "The client's secret."),
    Field("client_secret_file", \.clientSecretFile, "A file with the secret, read again when it changes."),
    Field(
      "token_url", \.tokenURL, "URL of the token endpoint.",
      check: .custom { FieldCheck<String>.url.problem($0)?.message }, required: true),
    Field("scopes", \.scopes, "Scopes to ask for."),
    Field(
      "endpoint_params", \.endpointParameters, "Further parameters of the token request, such as `audience`."),
    Field(
      "timeout", \.timeout, "How long one token request may take; 0 is no limit.", check: .atLeast(.zero)),
    Field("tls", \.tls, "TLS of the connection to the token endpoint."),
    Field(
      "expiry_buffer", \.expiryBuffer,
      "How long before a token expires the next one is asked for. A token that lives shorter is renewed after half its life.",
      check: .atLeast(.zero)),
    Field(
      "grant_type", \.grantType, "The kind of grant.",
      check: .custom { type in
        switch type {
        case "client_credentials", "": nil
        case "urn:ietf:params:oauth:grant-type:jwt-bearer", "jwt-bearer": assertion
        default: "must be client_credentials, is \(type)"
        }
      }),
    .unsupported("client_certificate_key", assertion),
    .unsupported("client_certificate_key_file", assertion),
    .unsupported("client_certificate_key_id", assertion),
    .unsupported("signature_algorithm", assertion),
    .unsupported("iss", assertion),
    .unsupported("audience", "it belongs to the JWT bearer grant: set endpoint_params.audience instead"),
    .unsupported("claims", assertion),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if clientID.isEmpty, clientIDFile.isEmpty { checker.error("client_id or client_id_file must be set") }
    if clientSecret.isEmpty, clientSecretFile.isEmpty {
      checker.error("client_secret or client_secret_file must be set")
    }
    if !clientID.isEmpty, !clientIDFile.isEmpty {
      checker.warning(\.clientIDFile, "wins over client_id", help: "leave one out")
    }
    if !clientSecret.isEmpty, !clientSecretFile.isEmpty {
      checker.warning(\.clientSecretFile, "wins over client_secret", help: "leave one out")
    }
    if let exposure = ClientExposure.ofCredentials(url: tokenURL) { checker.warning(\.tokenURL, exposure) }
    for entry in endpointParameters
    where ["grant_type", "client_id", "client_secret", "scope"].contains(entry.key) {
      checker.error(\.endpointParameters, at: entry.key, "has a key of its own")
    }
  }
}
