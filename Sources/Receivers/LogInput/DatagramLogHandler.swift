internal import LogData
internal import Logging
internal import NativeCodecs
internal import PipelineKit
internal import Synchronization
internal import Transport

/// Turns datagrams into records: one each, or several where a pattern says so.
///
/// Whoever sends datagrams cannot be slowed down: what comes while as much is held as may be is dropped and counted.
final class DatagramLogHandler: DatagramHandler {
  private static let mostOrigins = 1000

  private let framing: LineFraming
  /// Whether a datagram may hold several records.
  private let splits: Bool
  private let config: LogInputConfig
  private let network: NetworkAttributes?
  private let lanes: [LogLane]
  private let deliveries: LogDeliveries
  private let meters: LogInputMeters
  private let kernelDrops: SelfMetricCell
  private let full: RateLimitedLog
  private let overflows: RateLimitedLog
  private let readers: [Reader]
  private let local = Mutex(HostPort(host: "", port: 0))

  /// What one thread needs; locked by that thread only.
  private final class Reader: Sendable {
    let state: Mutex<ReaderState>
    init(_ state: sending ReaderState) { self.state = Mutex(state) }
  }

  private struct ReaderState {
    let plain: LogOrigin
    /// By sender; empty where records do not tell it.
    var origins: [DatagramPeer: (origin: LogOrigin, isFinal: Bool)] = [:]
  }

  init(
    framing: LineFraming, splits: Bool, config: LogInputConfig, addsAttributes: Bool, lanes: [LogLane],
    deliveries: LogDeliveries, meters: LogInputMeters, context: ComponentContext
  ) {
    self.framing = framing
    self.splits = splits
    self.config = config
    network = addsAttributes ? NetworkAttributes(isTCP: false, names: PeerNames()) : nil
    self.lanes = lanes
    self.deliveries = deliveries
    self.meters = meters
    kernelDrops = context.metrics.counter(
      "millrace_receiver_kernel_drops",
      help: "Datagrams that the kernel dropped because its buffer for the socket was full.",
      labels: [(name: "receiver", value: context.id.description)])
    full = RateLimitedLog(context.logger, clock: context.clock)
    overflows = RateLimitedLog(context.logger, clock: context.clock)
    let isBytes = framing.encoding == .bytes
    readers = lanes.map { _ in
      Reader(
        ReaderState(plain: LogOrigin(config, linesAreBytes: isBytes)))
    }
  }

  /// Says where datagrams are received.
  func setAddress(_ address: HostPort) { local.withLock { $0 = address } }

  func received(_ datagrams: borrowing DatagramBatch, reader: Int) {
    if deliveries.isFull {
      meters.overflowed(datagrams.count, reason: "udp_buffer_full")
      return full.log(
        .warning, "datagrams are dropped, since what came before is not taken",
        metadata: ["datagrams": "\(datagrams.count)"])
    }
    readers[reader].state.withLock { state in
      lanes[reader].read { lane in
        for index in 0..<datagrams.count {
          take(datagrams[index], of: datagrams.peer(index), &state, into: lane)
        }
      }
    }
  }

  func gathered(reader: Int) { lanes[reader].flush() }

  func overflowed(_ count: Int) {
    kernelDrops.add(count)
    overflows.log(
      .warning, "the kernel dropped datagrams: its buffer for the socket was full",
      metadata: ["datagrams": "\(count)"])
  }

  /// Sends on what has been read.
  func finish() { for lane in lanes { lane.finish() } }

  private func take(
    _ datagram: Span<UInt8>, of peer: DatagramPeer, _ state: inout ReaderState, into lane: LogLaneState
  ) {
    let text = datagram.extracting(first: end(of: datagram))
    if network != nil { prepareOrigin(peer, &state) }
    let origin = state.origins[peer]?.origin ?? state.plain
    guard splits else {
      return lane.add(text.extracting(framing.trimmed(text)), from: origin)
    }
    var framer = LineFramer(framing)
    var cursor = 0
    while let line = framer.next(in: text, at: &cursor, .ended) {
      lane.add(text.extracting(line.text), from: origin)
    }
  }

  /// Without the zeros and control characters that some senders put at the end.
  private func end(of datagram: Span<UInt8>) -> Int {
    var end = datagram.count
    guard framing.encoding != .bytes, framing.encoding.units.width == 1 else { return end }
    while end > 0, datagram[end - 1] < 0x20 { end -= 1 }
    return end
  }

  private func prepareOrigin(_ peer: DatagramPeer, _ state: inout ReaderState) {
    guard let network, !(state.origins[peer]?.isFinal ?? false) else { return }
    let remote = HostPort(host: peer.host, port: peer.port)
    let attributes = network.attributes(local: local.withLock { $0 }, remote: remote)
    if state.origins.count >= Self.mostOrigins { state.origins = [:] }
    let origin = LogOrigin(
      config, attributes: attributes.list, linesAreBytes: framing.encoding == .bytes)
    state.origins[peer] = (origin, attributes.isFinal)
  }
}
