package import ConfigSchema
internal import Transport

/// Why references to secret managers are refused.
enum SecretReference {
  static let reason = "secret managers are not supported: use a file, or ${env:NAME}"
}

extension PrometheusHTTPConfig {
  /// `basic_auth`.
  package struct BasicAuth: ConfigGroup {
    package var username = ""
    package var usernameFile = ""
    package var password: Secret = ""
    package var passwordFile = ""
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("username", \.username, "The user name."),
      Field("username_file", \.usernameFile, "A file with the user name, read again when it changes."),
      Field("password", \.password, "The password."),
      Field("password_file", \.passwordFile, "A file with the password, read again when it changes."),
      .unsupported("username_ref", SecretReference.reason),
      .unsupported("password_ref", SecretReference.reason),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if !username.isEmpty, !usernameFile.isEmpty {
        checker.error(\.usernameFile, "username is set too", help: "keep one of the two")
      }
      if !password.isEmpty, !passwordFile.isEmpty {
        checker.error(\.passwordFile, "password is set too", help: "keep one of the two")
      }
      if username.contains(":") { checker.error(\.username, "must not contain a colon") }
    }
  }

  /// `authorization`.
  package struct Authorization: ConfigGroup {
    package var type = "Bearer"
    package var credentials: Secret = ""
    package var credentialsFile = ""
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("type", \.type, "The authentication type.", check: .custom(typeProblem)),
      Field("credentials", \.credentials, "What follows the type, such as a token."),
      Field(
        "credentials_file", \.credentialsFile, "A file with the credentials, read again when it changes."),
      .unsupported("credentials_ref", SecretReference.reason),
    ]

    private static func typeProblem(_ type: String) -> String? {
      if type.isEmpty { return nil }
      if type.lowercased() == "basic" { return "cannot be basic: use basic_auth" }
      return HTTPToken.isName(type) ? nil : "is not the name of an authentication type"
    }

    package func check(_ checker: inout ConfigChecker) {
      if !credentials.isEmpty, !credentialsFile.isEmpty {
        checker.error(\.credentialsFile, "credentials is set too", help: "keep one of the two")
      }
      if !HTTPToken.isValue(credentials.reveal()) {
        checker.error(\.credentials, "holds characters that headers cannot carry")
      }
    }
  }

  /// `oauth2`.
  package struct OAuth2: ConfigGroup {
    package var clientID = ""
    package var clientSecret: Secret = ""
    package var clientSecretFile = ""
    package var scopes: [String] = []
    package var tokenURL = ""
    package var endpointParameters = ConfigMap<Secret>()
    package var tls = PrometheusTLSConfig()
    package var proxy = ProxyConfig()
    package init() {}

    private static let assertion = "the JWT bearer grant is not supported: use a client secret"

    package static let fields: [Field<Self>] = [
      Field("client_id", \.clientID, "The client's id.", check: .nonEmpty, required: true),
      Field("client_secret", \.clientSecret, "The client's secret."),
      Field("client_secret_file", \.clientSecretFile, "A file with the secret, read again when it changes."),
      Field("scopes", \.scopes, "Scopes to ask for."),
      Field(
        "token_url", \.tokenURL, "URL of the token endpoint.",
        check: .custom { FieldCheck<String>.url.problem($0)?.message }, required: true),
      Field("endpoint_params", \.endpointParameters, "Further parameters of the token request."),
      Field("tls_config", \.tls, "TLS of the connection to the token endpoint."),
      .group(\.proxy),
      .unsupported("client_secret_ref", SecretReference.reason),
      .unsupported("client_certificate_key", assertion),
      .unsupported("client_certificate_key_file", assertion),
      .unsupported("client_certificate_key_id", assertion),
      .unsupported("client_certificate_key_ref", assertion),
      .unsupported("grant_type", "client_credentials is the only grant: leave the key out"),
      .unsupported("signature_algorithm", assertion),
      .unsupported("iss", assertion),
      .unsupported("audience", "it belongs to the JWT bearer grant: set endpoint_params.audience instead"),
      .unsupported("claims", assertion),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if !clientSecret.isEmpty, !clientSecretFile.isEmpty {
        checker.error(\.clientSecretFile, "client_secret is set too", help: "keep one of the two")
      }
      for entry in endpointParameters
      where ["grant_type", "client_id", "client_secret", "scope"].contains(entry.key) {
        checker.error(\.endpointParameters, at: entry.key, "has a key of its own")
      }
    }
  }
}
