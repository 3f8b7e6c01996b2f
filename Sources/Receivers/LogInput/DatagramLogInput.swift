internal import LogData
internal import PipelineKit
internal import Transport

/// A UDP server with what makes records of its datagrams.
struct DatagramLogInput: Sendable {
  /// Bytes of records under way above which datagrams are dropped.
  private static let capacity = 16 << 20

  let address: HostPort
  private let server: DatagramServer
  private let intake: LogIntake

  /// Listens, and delivers to `output`.
  ///
  /// - Parameter section: where its settings stand, for messages: `udp.` or empty.
  /// - Throws: a `StartError` that says what to change.
  static func started(
    _ config: UDPInputConfig, syslog: SyslogStep? = nil, input: LogInputConfig,
    output: any Consumer, section: String = "", context: ComponentContext
  ) async throws -> DatagramLogInput {
    let settings = config.settings
    let intake = LogIntake(
      input, encoding: config.lines.encoding.encoding, syslog: syslog, output: output,
      laneCount: settings.readers, capacity: capacity,
      context: context, pacing: { _ in })
    let splits = !config.oneLogPerPacket && config.lines.multiline.pattern != nil
    let handler = DatagramLogHandler(
      framing: config.lines.makeFraming(limit: settings.maxSize), splits: splits, config: input,
      addsAttributes: config.addAttributes, lanes: intake.lanes, deliveries: intake.deliveries,
      meters: intake.meters, context: context)
    let (server, address) = try await DatagramServer.started(
      settings, handler, section: section, for: context)
    handler.setAddress(address)
    return DatagramLogInput(address: address, server: server, intake: intake)
  }

  func stop() async {
    await server.stop()
    await intake.finish()
  }
}
