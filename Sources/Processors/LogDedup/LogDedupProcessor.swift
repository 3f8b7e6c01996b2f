package import ConfigSchema
package import PipelineKit
internal import TelemetryData
internal import TimeFormats

/// Makes one log record of all that are equal within an interval, and tells how many there were.
///
/// Equal are records of one resource and scope with the same body, severity and attributes. The first of them goes on
/// at the end of the interval, with three attributes more: how many there were, and when the first and the last came.
package struct LogDedupProcessor: BufferingProcessor {
  package static let descriptor = ComponentDescriptor(
    type: "log_dedup", deprecatedTypes: ["logdedup"], signals: [.logs],
    summary: "Makes one log record of many that are equal.")

  /// The settings of the `log_dedup` processor.
  package struct Config: ConfigGroup {
    package var interval = Duration.seconds(10)
    package var logCountAttribute = "log_count"
    package var timezone = "UTC"
    package var excludeFields: [String] = []
    package var includeFields: [String] = []
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "interval", \.interval, "How long equal records are gathered.", check: .atLeast(.milliseconds(1))),
      .unsupported(
        "conditions",
        "they are OTTL, which is not there yet: send the records that are not to be gathered through a pipeline of "
          + "their own"),
      Field(
        "log_count_attribute", \.logCountAttribute, "The attribute that tells how many records there were.",
        check: .nonEmpty),
      Field(
        "timezone", \.timezone,
        "The time zone of `first_observed_timestamp` and `last_observed_timestamp`, such as `Europe/Berlin`."),
      Field(
        "exclude_fields", \.excludeFields,
        "Fields that do not count and are removed: `attributes.key`, `body.key.key`; a dot in a key is written `\\.`."
      ),
      Field(
        "include_fields", \.includeFields,
        "The only fields that count, written likewise; for a record that has none of them all count."),
    ]

    package func check(_ checker: inout ConfigChecker) {
      do throws(TimeZoneError) { _ = try TimeZoneDatabase.zone(timezone) } catch {
        checker.error(\.timezone, "\(error)")
      }
      if !excludeFields.isEmpty, !includeFields.isEmpty {
        checker.error(\.includeFields, "cannot be set together with exclude_fields")
      }
      checkPaths(\.excludeFields, &checker)
      checkPaths(\.includeFields, &checker)
    }

    private func checkPaths(_ field: KeyPath<Self, [String]>, _ checker: inout ConfigChecker) {
      var seen: Set<String> = []
      for text in self[keyPath: field] {
        if !seen.insert(text).inserted {
          checker.error(field, "\"\(text)\" is listed twice")
        } else if let path = LogFieldPath(text) {
          if path.root == .body, path.keys.isEmpty {
            checker.error(field, "the whole body cannot be listed", help: "name a key in it: body.key")
          }
        } else {
          checker.error(field, "\"\(text)\" must begin with body or attributes")
        }
      }
    }
  }

  package static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits(buffering: .untilTaken)
    traits.passedMetadata = .none
    return traits
  }

  private let interval: Duration
  private let form: EqualRecords.Form
  private let context: ComponentContext

  private static let bounds = [
    1, 2, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000,
  ]

  package init(config: Config, context: ComponentContext) throws {
    self.context = context
    interval = config.interval
    form = EqualRecords.Form(
      countAttribute: config.logCountAttribute,
      times: try TimeLayout(
        gotime: "2006-01-02T15:04:05Z07:00", in: TimeZoneDatabase.zone(config.timezone)),
      removal: LogFieldRemoval(config.excludeFields.compactMap { LogFieldPath($0) }),
      included: config.includeFields.compactMap { LogFieldPath($0) },
      counts: context.metrics.histogram(
        "otelcol_dedup_processor_aggregated_logs", bounds: Self.bounds,
        help: "Log records that became one.", unit: "{records}",
        labels: [(name: "processor", value: context.id.description)]))
  }

  package var answersOnIntake: Bool { !context.holdsCompletions }

  package func run(intake: any Intake, output: any Consumer) async {
    let store = EqualRecords(StreamSeed(context.randomness.unit), form)
    await IntervalRun(interval: interval, context: context).run(store, intake: intake, output: output)
  }
}
