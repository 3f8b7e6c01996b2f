internal import CLinux
internal import Glibc

/// Datagrams that were read with one system call, in a buffer that is used again for the next ones.
///
/// One call for many datagrams costs about half as much as a call for each.
@safe package struct DatagramBatch: ~Copyable {
  /// The most datagrams of one batch.
  package static var capacity: Int { Int(MILLRACE_MOST_DATAGRAMS) }

  private let size: Int
  private let bytes: UnsafeMutableBufferPointer<UInt8>
  private var datagrams: [millrace_datagram]
  /// How many there are.
  package private(set) var count = 0
  /// How many datagrams the kernel has dropped since the socket was made, in 32 bits, as it said last.
  package private(set) var dropped: UInt32 = 0

  /// - Parameter size: the most bytes of one datagram; what is beyond is cut off. Pages that no datagram reaches cost
  ///   nothing.
  package init(size: Int) {
    self.size = size
    unsafe bytes = .allocate(capacity: Self.capacity * size)
    datagrams = Array(repeating: millrace_datagram(), count: Self.capacity)
  }

  deinit { unsafe bytes.deallocate() }

  /// Reads what waits at a socket, without waiting for more.
  ///
  /// - Returns: 0, or the code of the system's error.
  package mutating func receive(from descriptor: CInt) -> CInt {
    count = 0
    let result = unsafe millrace_receive_datagrams(
      descriptor, bytes.baseAddress, size, CInt(Self.capacity), &datagrams, &dropped)
    if result < 0 { return errno }
    count = Int(result)
    return 0
  }

  /// Lets the kernel tell of a socket how many datagrams it drops.
  package static func countDrops(of descriptor: CInt) { millrace_count_drops(descriptor) }

  /// The bytes of one datagram.
  package subscript(index: Int) -> Span<UInt8> {
    @_lifetime(borrow self)
    get {
      precondition(index >= 0 && index < count, "datagram out of bounds")
      let length = min(Int(datagrams[index].length), size)
      let part = unsafe UnsafeBufferPointer(rebasing: bytes[index * size..<index * size + length])
      let span = unsafe Span(_unsafeElements: part)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// Whether a datagram was longer than there was room for.
  package func isCut(_ index: Int) -> Bool { datagrams[index].is_cut != 0 }

  /// Who sent one datagram.
  package func peer(_ index: Int) -> DatagramPeer { DatagramPeer(datagrams[index]) }
}

/// The address that a datagram came from: text is made of it only when it is asked for.
package struct DatagramPeer: Sendable, Hashable {
  private let family: UInt8
  private let high: UInt64
  private let low: UInt64
  package let port: Int

  init(_ datagram: millrace_datagram) {
    family = datagram.family
    port = Int(datagram.port)
    var address = datagram.address
    (high, low) = unsafe withUnsafeBytes(of: &address) { address in
      (
        unsafe address.loadUnaligned(as: UInt64.self),
        unsafe address.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
      )
    }
  }

  /// `192.0.2.7` or `2001:db8::7`; empty when unknown.
  package var host: String {
    guard family != 0 else { return "" }
    var address = (high, low)
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
      let kind = family == 4 ? AF_INET : AF_INET6
      guard let base = text.baseAddress,
        unsafe inet_ntop(kind, &address, base, socklen_t(text.count)) != nil
      else { return "" }
      return unsafe String(cString: base)
    }
  }
}
