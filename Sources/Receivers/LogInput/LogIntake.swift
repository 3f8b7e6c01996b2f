internal import LogData
internal import PipelineKit

/// What a receiver of log records needs between where it reads and its output.
struct LogIntake {
  let lanes: [LogLane]
  let deliveries: LogDeliveries
  let meters: LogInputMeters

  /// - Parameters:
  ///   - laneCount: how many readers there are at a time.
  ///   - capacity: bytes of records under way above which reading pauses.
  init(
    _ config: LogInputConfig, encoding: TextEncoding = .utf8, syslog: SyslogStep? = nil,
    output: any Consumer, laneCount: Int, capacity: Int, context: ComponentContext,
    pacing: @escaping LogDeliveries.Pacing,
    settled: (@Sendable (_ mark: Int) -> Void)? = nil
  ) {
    let meters = LogInputMeters(context)
    let deliveries = LogDeliveries(
      output: output, retry: config.retry, capacity: capacity, context: context, pacing: pacing,
      settled: settled)
    lanes = (0..<laneCount).map { _ in
      LogLane(
        config: config, encoding: encoding, syslog: syslog, deliveries: deliveries, meters: meters)
    }
    self.meters = meters
    self.deliveries = deliveries
  }

  /// How long a stop waits for records to be taken.
  static let lastPatience = Duration.seconds(10)

  /// Sends on all there is, and returns when it is taken or given up.
  func finish() async {
    for lane in lanes { lane.finish() }
    await deliveries.drain(within: Self.lastPatience)
  }
}
