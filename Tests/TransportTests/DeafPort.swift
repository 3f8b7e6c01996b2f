import Glibc

/// A port of the loopback interface that refuses connections, and that no other test can get meanwhile: a socket has it
/// and does not listen.
final class DeafPort {
  let number: Int
  private let descriptor: CInt

  init() {
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = bind(descriptor, address, size)
        _ = getsockname(descriptor, address, &size)
      }
    }
    number = Int(UInt16(bigEndian: name.sin_port))
  }

  deinit { close(descriptor) }
}
