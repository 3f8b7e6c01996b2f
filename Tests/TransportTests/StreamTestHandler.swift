import Synchronization

@testable import Transport

/// Keeps what comes over each connection.
final class StreamTestHandler: StreamHandler {
  struct Seen {
    var bytes: [[UInt8]] = []
    var peers: [StreamPeer] = []
    var ended = 0
    var gathered = 0
    var lanes: [StreamLane] = []
  }
  let seen = Mutex(Seen())

  func open(_ peer: StreamPeer, on lane: StreamLane) -> any StreamReader {
    let index = seen.withLock { seen in
      seen.bytes.append([])
      seen.peers.append(peer)
      seen.lanes.append(lane)
      return seen.bytes.count - 1
    }
    return Reader(handler: self, index: index)
  }

  func gathered(on lane: StreamLane) { seen.withLock { $0.gathered += 1 } }

  var text: [String] { seen.withLock { $0.bytes.map { String(decoding: $0, as: UTF8.self) } } }
  var byteCount: Int { seen.withLock { $0.bytes.reduce(0) { $0 + $1.count } } }

  private final class Reader: StreamReader {
    let handler: StreamTestHandler
    let index: Int
    init(handler: StreamTestHandler, index: Int) {
      self.handler = handler
      self.index = index
    }

    func received(_ bytes: Span<UInt8>) {
      handler.seen.withLock { seen in
        for position in bytes.indices { seen.bytes[index].append(bytes[position]) }
      }
    }

    func ended() { handler.seen.withLock { $0.ended += 1 } }
  }
}
