package import ConfigSchema
internal import Logging
package import PipelineKit
internal import Synchronization
package import TelemetryData

/// Shows what passes: one line per batch, one per item, or every field.
///
/// Nothing is formatted or written on the caller's thread: batches go to a ``DebugPrinter``, which writes
/// them on a thread of its own. It holds a bounded amount; when the terminal is slower than that, what it
/// cannot show is counted and the count is printed. The items are `accepted` either way: to show them is no
/// promise to keep them.
package final class DebugExporter: InlineExporter {
  package static let descriptor = ComponentDescriptor(
    type: "debug", deprecatedTypes: ["logging"], summary: "Prints what passes, in brief or in full.")

  /// How much to print.
  package enum Verbosity: String, ConfigEnum { case basic, normal, detailed }

  /// The settings of the `debug` exporter.
  package struct Config: ConfigGroup {
    package var verbosity = Verbosity.basic
    package var samplingInitial = 2
    package var samplingThereafter = 1
    package var useInternalLogger = true
    package var outputPaths = ["stdout"]
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "verbosity", \.verbosity,
        "`basic`: a line per batch. `normal`: also one per item. `detailed`: every field."),
      Field(
        "sampling_initial", \.samplingInitial, "Print this many batches in each second, then sample.",
        check: .atLeast(0)),
      Field(
        "sampling_thereafter", \.samplingThereafter,
        "Of further batches in the same second, print every so-manieth: 1 prints all, 0 none.",
        check: .atLeast(0)),
      Field(
        "use_internal_logger", \.useInternalLogger,
        "Print through the collector's own log, at level info, instead of to `output_paths`."),
      Field(
        "output_paths", \.outputPaths,
        "Where to print without the internal logger: `stdout`, `stderr`, or files, which are continued.",
        check: .all(.nonEmpty, .each(.nonEmpty))),
      .unsupported("sending_queue", "printing never waits, so there is nothing to queue; remove the key"),
      .unsupported(
        "loglevel", "it became verbosity: write detailed for debug, normal for info, basic for the rest"),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if useInternalLogger, checker.isPresent(\.outputPaths) {
        checker.warning(
          \.outputPaths, "has no effect while use_internal_logger is true",
          help: "set use_internal_logger: false")
      }
    }
  }

  private let config: Config
  private let context: ComponentContext
  private let printer: DebugPrinter
  private let sampler: Mutex<DebugSampler>

  package init(config: Config, context: ComponentContext) {
    self.config = config
    self.context = context
    printer = DebugPrinter(label: "millrace.\(context.id)", verbosity: config.verbosity)
    sampler = Mutex(DebugSampler(initial: config.samplingInitial, thereafter: config.samplingThereafter))
  }

  package func start() async throws {
    if config.useInternalLogger {
      printer.open([.logger(context.logger)])
      return
    }
    do {
      printer.open(try config.outputPaths.map(DebugOutput.init(path:)))
    } catch {
      throw StartError("\(error) (exporter \(context.id), \(context.declaredAt))")
    }
  }

  package func export(_ batch: Batch) -> Outcome {
    let now = context.clock.now
    if sampler.withLock({ $0.admits(at: now) }) { printer.print(batch) }
    return .accepted
  }

  package func stop() async { await printer.close() }
}

/// Lets through the first batches of each second, and then every so-manieth.
struct DebugSampler {
  private let initial: Int
  private let thereafter: Int
  private var second: Int64 = -1
  private var seen = 0

  init(initial: Int, thereafter: Int) {
    self.initial = initial
    self.thereafter = thereafter
  }

  /// Whether a batch that comes now is printed.
  mutating func admits(at now: MonotonicInstant) -> Bool {
    let present = now.nanoseconds / 1_000_000_000
    if present != second {
      second = present
      seen = 0
    }
    seen += 1
    if seen <= initial { return true }
    return thereafter > 0 && (seen - initial) % thereafter == 0
  }
}
