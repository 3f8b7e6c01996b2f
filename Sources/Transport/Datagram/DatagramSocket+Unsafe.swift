internal import Glibc
internal import NIOCore
internal import NativeCodecs
internal import Synchronization

/// A bound UDP socket, closed when nobody uses it any more.
final class DatagramSocket: Sendable {
  let descriptor: CInt
  /// How many datagrams the kernel is known to have dropped.
  private let overflow = Mutex<UInt32>(0)

  /// - Throws: ``BindError``.
  init(_ address: SocketAddress, endpoint: String) throws(BindError) {
    let family: CInt
    switch address {
    case .v4: family = AF_INET
    case .v6: family = AF_INET6
    case .unixDomainSocket: throw BindError(address: endpoint, reason: "it is not host:port")
    }
    let descriptor = socket(
      family, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    if descriptor < 0 { throw BindError(endpoint, errno) }
    self.descriptor = descriptor
    if family == AF_INET6 { set(IPPROTO_IPV6, IPV6_V6ONLY, 0) }
    DatagramBatch.countDrops(of: descriptor)
    let result = unsafe address.withSockAddr { name, size in unsafe bind(descriptor, name, socklen_t(size)) }
    if result != 0 { throw BindError(endpoint, errno) }
  }

  deinit { close(descriptor) }

  @discardableResult
  private func set(_ level: some BinaryInteger, _ option: some BinaryInteger, _ value: CInt) -> Bool {
    var value = value
    let size = socklen_t(MemoryLayout<CInt>.size)
    return unsafe setsockopt(descriptor, CInt(level), CInt(option), &value, size) == 0
  }

  /// Asks for room for datagrams that wait, beyond the system's limit where the process may.
  ///
  /// - Returns: the bytes that the kernel gives, its own overhead included.
  func setReceiveBuffer(_ bytes: Int) -> Int {
    let wanted = CInt(clamping: bytes)
    if !set(SOL_SOCKET, SO_RCVBUFFORCE, wanted) { set(SOL_SOCKET, SO_RCVBUF, wanted) }
    var given: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &given, &size)
    return Int(given)
  }

  /// Where it is bound, with the port that was chosen.
  var localAddress: HostPort {
    var name = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutablePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { base -> SocketAddress? in
        guard unsafe getsockname(descriptor, base, &size) == 0 else { return nil }
        switch CInt(unsafe base.pointee.sa_family) {
        case AF_INET:
          return unsafe base.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            SocketAddress(unsafe $0.pointee)
          }
        case AF_INET6:
          return unsafe base.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
            SocketAddress(unsafe $0.pointee)
          }
        default: return nil
        }
      }
    }
    return HostPort(result)
  }

  /// How many datagrams the kernel dropped since this was asked last, given what it told.
  func newOverflow(_ total: UInt32) -> Int {
    overflow.withLock { known in
      let new = Int32(bitPattern: total &- known)
      // Readers may come in another order than the kernel counted.
      guard new > 0 else { return 0 }
      known = total
      return Int(new)
    }
  }
}

extension BindError {
  init(_ endpoint: String, _ code: CInt) {
    self.init(
      address: endpoint, reason: SystemErrors.text(code), isInUse: code == SystemErrors.addressInUse)
    errorCode = code
  }
}
