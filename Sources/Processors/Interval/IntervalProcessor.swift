package import ConfigSchema
package import PipelineKit
internal import TelemetryData

/// Sends the latest data point of every stream at intervals, rather than every one.
///
/// Cumulative sums that only grow, cumulative histograms, gauges and summaries are gathered; deltas and sums that also
/// shrink go on at once, since each of their points counts.
package struct IntervalProcessor: BufferingProcessor {
  package static let descriptor = ComponentDescriptor(
    type: "interval", signals: [.metrics],
    summary: "Sends the latest data point of every stream at intervals.")

  /// The settings of the `interval` processor.
  package struct Config: ConfigGroup {
    package var interval = Duration.seconds(60)
    package var passThrough = PassThrough()
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "interval", \.interval, "How often the latest data points are sent.",
        check: .atLeast(.milliseconds(1))),
      Field("pass_through", \.passThrough, "What goes on at once although it could be gathered."),
    ]
  }

  /// The types of metrics that are not gathered.
  package struct PassThrough: ConfigGroup {
    package var gauge = false
    package var summary = false
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("gauge", \.gauge, "Every data point of gauges goes on at once."),
      Field("summary", \.summary, "Every data point of summaries goes on at once."),
    ]
  }

  package static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits(buffering: .untilTaken)
    traits.passedMetadata = .none
    return traits
  }

  private let config: Config
  private let context: ComponentContext

  package init(config: Config, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  package var answersOnIntake: Bool { !context.holdsCompletions }

  package func run(intake: any Intake, output: any Consumer) async {
    let store = LatestPoints(StreamSeed(context.randomness.unit), config.passThrough)
    await IntervalRun(interval: config.interval, context: context).run(store, intake: intake, output: output)
  }
}
