package import ConfigSchema

/// `recombine`: joins consecutive entries into one.
package struct RecombineConfig: OperatorSettings {
  package static let type = "recombine"
  package static let summary =
    "Joins consecutive entries of one source, such as the lines of a stack trace, into one."
  package var combineField: FieldPath?
  package var combineWith = "\n"
  package var isFirstEntry: ExpressionText?
  package var isLastEntry: ExpressionText?
  package var maxBatchSize = 1000
  package var maxUnmatchedBatchSize = 100
  package var maxLogSize: ByteCount = 0
  package var overwriteWith = Survivor.oldest
  package var forceFlushPeriod: Duration = .seconds(5)
  package var sourceIdentifier = FieldPath(.attributes, ["log.file.path"])
  package var maxSources = 1000
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("combine_field", \.combineField, "The field whose texts are joined.", required: true),
    Field("combine_with", \.combineWith, "What stands between the texts."),
    Field(
      "is_first_entry", \.isFirstEntry,
      "An expression that is true for the first entry of a series; this or `is_last_entry` is required."),
    Field(
      "is_last_entry", \.isLastEntry, "An expression that is true for the last entry of a series."),
    Field(
      "max_batch_size", \.maxBatchSize, "How many entries are joined at most; 0 means no limit.",
      check: .atLeast(0)),
    Field(
      "max_unmatched_batch_size", \.maxUnmatchedBatchSize,
      "How many entries are joined at most before the expression was true for one of them; 0 means no limit.",
      check: .atLeast(0)),
    Field(
      "max_log_size", \.maxLogSize,
      "A series ends once its text is larger than this; 0 means no limit."),
    Field(
      "overwrite_with", \.overwriteWith,
      "Whether all other fields are those of the oldest or of the newest entry of a series."),
    Field(
      "force_flush_period", \.forceFlushPeriod, "How long after its first entry a series ends at the latest.",
      check: .atLeast(.milliseconds(1))),
    Field(
      "source_identifier", \.sourceIdentifier,
      "The field that tells sources apart; entries without it belong to the file or connection they came from."
    ),
    Field(
      "max_sources", \.maxSources,
      "How many sources may have an open series; when there is one more, all series end.", check: .atLeast(1)),
    .group(\.common),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if checker.hasError(\.isFirstEntry) || checker.hasError(\.isLastEntry) { return }
    if isFirstEntry == nil, isLastEntry == nil {
      checker.error("one of is_first_entry and is_last_entry is required")
    } else if isFirstEntry != nil, isLastEntry != nil {
      checker.error(\.isLastEntry, "cannot be set together with is_first_entry")
    }
  }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .holding(Recombiner(self, context.environment))
  }

  /// Which entry of a series gives the fields that are not joined.
  package enum Survivor: String, ConfigEnum { case oldest, newest }
}
