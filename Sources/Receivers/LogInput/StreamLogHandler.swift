internal import LogData
internal import Logging
internal import PipelineKit
internal import Synchronization
internal import Transport

/// Turns what comes over the connections of a stream server into records.
final class StreamLogHandler: StreamHandler {
  /// Bytes of incomplete records over all connections; beyond, they are taken as they are.
  private static let mostRestBytes = 64 << 20

  private let framing: RecordFraming
  private let config: LogInputConfig
  private let network: NetworkAttributes?
  private let lanes: [LogLane]
  private let restBytes = Atomic<Int>(0)
  private let crowded: RateLimitedLog
  private let paused = Mutex<(isPaused: Bool, lanes: [Int: StreamLane])>((false, [:]))
  private let nextStream = Atomic<Int>(1)

  /// - Parameter lanes: as many as ``StreamServer/laneCount``.
  init(
    framing: RecordFraming, config: LogInputConfig, addsAttributes: Bool, lanes: [LogLane],
    context: ComponentContext
  ) {
    self.framing = framing
    self.config = config
    network = addsAttributes ? NetworkAttributes(isTCP: true, names: PeerNames()) : nil
    self.lanes = lanes
    crowded = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// Stops reading from all connections, or goes on.
  func setPaused(_ isPaused: Bool) {
    paused.withLock { state in
      state.isPaused = isPaused
      for lane in state.lanes.values { if isPaused { lane.pause() } else { lane.resume() } }
    }
  }

  func open(_ peer: StreamPeer, on lane: StreamLane) -> any StreamReader {
    paused.withLock { state in
      guard state.lanes.updateValue(lane, forKey: lane.index) == nil, state.isPaused else { return }
      lane.pause()
    }
    return Reader(self, peer, lanes[lane.index])
  }

  func gathered(on lane: StreamLane) { lanes[lane.index].flush() }

  /// Sends on what has been read.
  func finish() { for lane in lanes { lane.finish() } }

  private final class Reader: StreamReader {
    private let handler: StreamLogHandler
    private let peer: StreamPeer
    private let lane: LogLane
    private let stream: Int
    private var records: StreamRecords
    private var origin: LogOrigin
    private var originIsFinal: Bool
    private var charged = 0

    init(_ handler: StreamLogHandler, _ peer: StreamPeer, _ lane: LogLane) {
      self.handler = handler
      self.peer = peer
      self.lane = lane
      stream = handler.nextStream.wrappingAdd(1, ordering: .relaxed).oldValue
      records = StreamRecords(handler.framing)
      (origin, originIsFinal) = handler.origin(peer, stream)
    }

    func received(_ bytes: Span<UInt8>) {
      if !originIsFinal { (origin, originIsFinal) = handler.origin(peer, stream) }
      lane.read { state in records.receive(bytes, into: state, from: origin) }
      charge()
      guard charged > 0, handler.restBytes.load(ordering: .relaxed) > StreamLogHandler.mostRestBytes
      else { return }
      handler.crowded.log(
        .warning, "incomplete records of many connections take too much memory; they are cut",
        metadata: ["peer": "\(peer.remote)", "bytes": "\(charged)"])
      end()
    }

    func ended() { end() }

    private func end() {
      lane.read { state in records.end(into: state, from: origin) }
      charge()
    }

    private func charge() {
      let held = records.heldBytes
      handler.restBytes.wrappingAdd(held - charged, ordering: .relaxed)
      charged = held
    }
  }

  private func origin(_ peer: StreamPeer, _ stream: Int) -> (LogOrigin, Bool) {
    let attributes = network?.attributes(local: peer.local, remote: peer.remote)
    let origin = LogOrigin(
      config, attributes: attributes?.list ?? [], stream: stream,
      linesAreBytes: framing.lines.encoding == .bytes)
    return (origin, attributes?.isFinal ?? true)
  }
}
