internal import Glibc
internal import NIOCore
internal import NIOHTTP2
internal import NIOPosix

/// Says in a few words why a connection failed.
enum FailureText {
  /// Whether an error means that no connection was made.
  static func isUnreachable(_ error: any Error) -> Bool {
    if TLSFailureText.isHandshake(error) { return true }
    return switch error {
    case is NIOConnectionError: true
    case let error as IOError:
      [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, ENOENT].contains(error.errnoCode)
    case let error as ChannelError:
      if case .connectTimeout = error { true } else { false }
    default: false
    }
  }

  /// The reason in words.
  static func of(_ error: any Error) -> String {
    if let text = TLSFailureText.of(error) { return text }
    switch error {
    case let error as NIOConnectionError:
      if let attempt = error.connectionErrors.first { return of(attempt.error) }
      return error.dnsAError ?? error.dnsAAAAError == nil
        ? "no address" : "the name \(error.host) has no address"
    case let error as IOError: return SystemErrors.text(error.errnoCode)
    case let error as ChannelError:
      switch error {
      case .connectTimeout: return "no connection within the time for it"
      case .eof, .inputClosed, .ioOnClosedChannel, .alreadyClosed: return "the server closed the connection"
      default: return "\(error)"
      }
    case is NIOHTTP2Errors.BadClientMagic, is NIOHTTP2Errors.InvalidALPNToken:
      return "the server does not speak HTTP/2"
    default: return "\(error)"
    }
  }
}
