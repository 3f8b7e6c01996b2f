internal import LogData
internal import PipelineKit
internal import Synchronization
internal import Transport

/// A stream server with what makes records of what comes over it.
struct StreamLogInput: Sendable {
  /// Bytes of records under way above which nothing is read.
  private static let capacity = 8 << 20

  let address: String
  private let server: StreamServer
  private let intake: LogIntake

  /// Listens, and delivers to `output`.
  ///
  /// - Parameter section: where its settings stand, for messages: `tcp.` or empty.
  /// - Throws: a `StartError` that says what to change.
  static func started(
    _ config: TCPInputConfig, framing: RecordFraming, syslog: SyslogStep? = nil,
    input: LogInputConfig, output: any Consumer, section: String = "", context: ComponentContext
  ) async throws -> StreamLogInput {
    let pace = Pace()
    let intake = LogIntake(
      input, encoding: framing.lines.encoding, syslog: syslog, output: output,
      laneCount: StreamServer.laneCount, capacity: capacity,
      context: context, pacing: { pace.set($0) })
    let handler = StreamLogHandler(
      framing: framing, config: input, addsAttributes: config.addAttributes, lanes: intake.lanes,
      context: context)
    pace.connect(handler)
    let (server, address) = try await StreamServer.started(
      config.server, handler, section: section, for: context)
    return StreamLogInput(address: address, server: server, intake: intake)
  }

  func stop() async {
    await server.stop()
    await intake.finish()
  }

  /// Passes on to the handler, which is made later, when to read.
  private final class Pace: Sendable {
    private let handler = Mutex<StreamLogHandler?>(nil)
    func connect(_ handler: StreamLogHandler) { self.handler.withLock { $0 = handler } }
    func set(_ isPaused: Bool) { handler.withLock { $0 }?.setPaused(isPaused) }
  }
}
