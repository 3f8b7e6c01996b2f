package import ConfigSchema

/// The settings of the `basicauth` extension.
package struct BasicAuthConfig: ConfigGroup {
  package var htpasswd: Htpasswd?
  package var clientAuth: ClientAuth?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("htpasswd", \.htpasswd, "For servers: the users that may send."),
    Field("client_auth", \.clientAuth, "For clients: the user that sends."),
  ]

  /// `htpasswd`: users with hashed passwords, as Apache's tool of that name writes them.
  package struct Htpasswd: ConfigGroup {
    package var file = ""
    package var inline: Secret = ""
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("file", \.file, "A file of `user:hash` lines, read again when it changes."),
      Field("inline", \.inline, "Lines of the same form; they win over those of the file."),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if file.isEmpty, inline.isEmpty { checker.error("file or inline must be set") }
      let lines = HtpasswdFile(inline.reveal())
      if let problem = lines.problem { checker.error(\.inline, problem) }
      if !inline.isEmpty, file.isEmpty, lines.users.isEmpty { checker.error(\.inline, "names no user") }
    }
  }

  /// `client_auth`: one user and the password.
  package struct ClientAuth: ConfigGroup {
    package var username = ""
    package var password: Secret = ""
    package var usernameFile = ""
    package var passwordFile = ""
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("username", \.username, "The user."),
      Field("password", \.password, "The password."),
      Field("username_file", \.usernameFile, "A file with the user, read again when it changes."),
      Field("password_file", \.passwordFile, "A file with the password, read again when it changes."),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if username.isEmpty, usernameFile.isEmpty { checker.error("username or username_file must be set") }
      if password.isEmpty, passwordFile.isEmpty { checker.error("password or password_file must be set") }
      if !usernameFile.isEmpty, !username.isEmpty {
        checker.warning(\.usernameFile, "wins over username", help: "leave one out")
      }
      if !passwordFile.isEmpty, !password.isEmpty {
        checker.warning(\.passwordFile, "wins over password", help: "leave one out")
      }
      if username.contains(":") { checker.error(\.username, "must not contain a colon (RFC 7617)") }
    }
  }

  package func check(_ checker: inout ConfigChecker) {
    // One with a mistake in it is nil, and has been reported.
    let hasHtpasswd = checker.isPresent(\.htpasswd)
    if hasHtpasswd == checker.isPresent(\.clientAuth) {
      checker.error(
        !hasHtpasswd
          ? "htpasswd (for servers) or client_auth (for clients) must be set"
          : "htpasswd and client_auth are both set",
        help: "declare two extensions, such as basicauth/server and basicauth/client, if you need both")
    }
  }
}
