package import ConfigSchema
package import LogData
internal import Logging
internal import NativeCodecs
package import PipelineKit
internal import Synchronization
internal import TelemetryData

/// Reads lines from standard input, for a pipe in a shell: `zcat old.log.gz | millrace run pipeline.yaml`.
///
/// At the end of the input everything is delivered, and then the collector ends when nothing else is to be received.
/// While the pipeline refuses, nothing is read.
package final class StdinReceiver: Receiver {
  package struct Config: ConfigGroup {
    package var maxLogSize: ByteCount = .mebibytes(1)
    package var lines = LineConfig()
    package var input = LogInputConfig()
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "max_log_size", \.maxLogSize, "The most bytes of one record; what is longer is split.",
        check: .range(1 ... .mebibytes(256))),
      .group(\.lines), .group(\.input),
    ]
  }

  package static let descriptor = ComponentDescriptor(
    type: "stdin", signals: [.logs],
    summary: "Reads lines from standard input; at its end the collector is done.")

  package static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits()
    traits.isFinite = true
    traits.isExclusive = true
    return traits
  }

  /// Bytes of records under way above which nothing is read.
  private static let capacity = 4 << 20
  /// How long lines are gathered when no more come.
  private static let gatherMilliseconds = 5

  private struct Life {
    let intake: LogIntake
    let pace: ReadingPace
    let thread: DedicatedThread
  }

  private let config: Config
  private let context: ComponentContext
  private let input: CInt
  private let life = Mutex<Life?>(nil)

  package convenience init(config: Config, context: ComponentContext) {
    self.init(config: config, context: context, reading: 0)
  }

  /// - Parameter input: the descriptor that is read; it stays open.
  package init(config: Config, context: ComponentContext, reading input: CInt) {
    self.config = config
    self.context = context
    self.input = input
  }

  package func start(_ outputs: ReceiverOutputs) async throws {
    guard let output = outputs.logs else { return }
    do {
      let pace = try ReadingPace()
      let framing = config.lines.makeFraming(limit: config.maxLogSize.bytes)
      let intake = LogIntake(
        config.input, encoding: framing.encoding, output: output, laneCount: 1, capacity: Self.capacity,
        context: context, pacing: { pace.setPaused($0) })
      let (input, logger) = (input, context.logger)
      let origin = LogOrigin(config.input, linesAreBytes: framing.encoding == .bytes)
      let lane = intake.lanes[0]
      let thread = try DedicatedThread("stdin") {
        Self.read(input, StreamRecords(.lines(framing)), from: origin, into: lane, pace, logger)
      }
      life.withLock { $0 = Life(intake: intake, pace: pace, thread: thread) }
    } catch {
      throw StartError("\(error)", help: "raise the limits of the process")
    }
  }

  package func run() async throws {
    guard let life = life.withLock({ $0 }) else { return }
    await life.thread.end()
    if life.pace.isStopping { return }
    await life.intake.deliveries.drain(within: nil)
    context.logger.info("standard input has ended, and all of it is delivered")
  }

  package func stop() async {
    let life = life.withLock { held in
      defer { held = nil }
      return held
    }
    guard let life else { return }
    life.pace.stop()
    await life.thread.end()
    await life.intake.finish()
  }

  /// What the thread does.
  private static func read(
    _ input: CInt, _ records: StreamRecords, from origin: LogOrigin, into lane: LogLane, _ pace: ReadingPace,
    _ logger: Logger
  ) {
    var records = records
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    var isGathering = false
    while !pace.isStopping {
      let patience = isGathering ? gatherMilliseconds : nil
      let isReady = pace.wait(for: pace.isPaused ? [] : [input], milliseconds: patience).first ?? false
      guard isReady else {
        // Nothing came for a while, or something has changed.
        if isGathering { lane.flush() }
        isGathering = false
        continue
      }
      let count: Int
      do {
        guard let read = try Descriptor.read(input, into: &buffer) else { continue }
        count = read
      } catch {
        logger.error("cannot read standard input any more", metadata: ["reason": "\(error.reason)"])
        break
      }
      if count == 0 { break }
      lane.read { state in
        records.receive(buffer.span.extracting(first: count), into: state, from: origin)
      }
      isGathering = true
    }
    lane.read { state in records.end(into: state, from: origin) }
    lane.finish()
  }
}
