package import ConfigSchema
import Transport

/// The settings of the `bearertokenauth` extension.
package struct BearerTokenAuthConfig: ConfigGroup {
  package var token: Secret?
  package var tokens: [Secret] = []
  package var filename = ""
  package var header = "Authorization"
  package var scheme = "Bearer"
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("token", \.token, "The token."),
    Field("tokens", \.tokens, "Tokens that a server accepts; a client sends the first."),
    Field(
      "filename", \.filename,
      "A file with the tokens, one per line, in place of the two keys above. It is read again when it changes."
    ),
    Field("header", \.header, "The header that carries the token."),
    Field("scheme", \.scheme, "The word before the token; empty for none."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if token == nil, tokens.isEmpty, filename.isEmpty {
      checker.error("one of token, tokens and filename must be set")
    }
    if token != nil, !tokens.isEmpty {
      checker.error(\.tokens, "is set together with token", help: "put all of them into tokens")
    }
    if !filename.isEmpty, token != nil || !tokens.isEmpty {
      checker.warning(\.filename, "wins over token and tokens", help: "leave them out")
    }
    if let token, token.isEmpty { checker.error(\.token, "must not be empty") }
    if tokens.contains(where: \.isEmpty) { checker.error(\.tokens, "an element is empty") }
    if let token, !HTTPToken.isValue(token.reveal()) {
      checker.error(\.token, "holds characters that a header cannot carry")
    }
    if tokens.contains(where: { !HTTPToken.isValue($0.reveal()) }) {
      checker.error(\.tokens, "an element holds characters that a header cannot carry")
    }
    if !HTTPToken.isName(header) { checker.error(\.header, "is not a valid header name") }
    if !scheme.isEmpty, !HTTPToken.isName(scheme) {
      checker.error(\.scheme, "must be one word", help: "write Bearer, or \"\" for the bare token")
    }
  }
}
