internal import Synchronization

/// The UDP sockets of this process, for servers that take the place of another one: both read the one socket until the
/// predecessor stops, so that no datagram meets a closed port.
final class DatagramSockets: Sendable {
  private struct Entry {
    weak var socket: DatagramSocket?
  }
  static let ofProcess = DatagramSockets()

  private let sockets = Mutex<[ListeningSockets.Place: Entry]>([:])

  /// The socket that is bound at `place`; nil when there is none.
  func current(at place: ListeningSockets.Place) -> DatagramSocket? { sockets.withLock { $0[place]?.socket } }

  func add(_ socket: DatagramSocket, at place: ListeningSockets.Place) {
    sockets.withLock { sockets in
      sockets = sockets.filter { $0.value.socket != nil }
      sockets[place] = Entry(socket: socket)
    }
  }
}
