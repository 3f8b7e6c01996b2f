package import ConfigSchema
internal import PipelineKit

/// What is done with the metrics that match.
package enum MetricTransformAction: String, ConfigEnum { case insert, update, combine, group }

/// How data points become one.
package enum AggregationType: String, ConfigEnum { case sum, mean, min, max, count, median }

/// In which case of letters the groups of a match become labels.
package enum SubmatchCase: String, ConfigEnum { case lower, upper }

/// One of the transforms of `metrics_transform`.
package struct MetricTransformConfig: ConfigGroup {
  package var include = ""
  package var matchType = MatchType.strict
  package var matchLabels: ConfigMap<String> = [:]
  package var action: MetricTransformAction?
  package var newName = ""
  package var groupResourceLabels: ConfigMap<String> = [:]
  package var aggregationType: AggregationType?
  package var submatchCase: SubmatchCase?
  package var operations: [MetricOperationConfig] = []

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "include", \.include, "The name of the metrics, or a regular expression of RE2 for it.",
      check: .nonEmpty, required: true),
    Field(
      "match_type", \.matchType,
      "Whether the name must be equal (`strict`) or match a regular expression somewhere (`regexp`)."),
    Field(
      "experimental_match_labels", \.matchLabels,
      "Values that attributes of data points must have, or match; the empty text means that there is none."),
    Field(
      "action", \.action,
      "`update` changes the metrics, `insert` changes copies of them, `combine` makes one of all, `group` moves them to "
        + "a resource of their own.", required: true),
    Field(
      "new_name", \.newName,
      "The name that the metrics get; `$1` and `${name}` stand for groups of a regular expression."),
    Field(
      "group_resource_labels", \.groupResourceLabels,
      "Attributes of the resource that `group` makes, besides those of the one the metrics come from."),
    Field(
      "aggregation_type", \.aggregationType,
      "How `combine` makes one of data points with the same attributes and time; left out, `sum`."),
    Field(
      "submatch_case", \.submatchCase,
      "In which case of letters `combine` makes attributes of the groups of a regular expression."),
    Field(
      "operations", \.operations, "What is done with the metrics that result, one after the other."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if matchType == .regexp {
      if let reason = TextMatch.problem(ofPattern: include) {
        checker.error(\.include, "\"\(include)\" is not a regular expression of RE2: \(reason)")
      }
      for entry in matchLabels.entries {
        if let reason = TextMatch.problem(ofPattern: entry.value) {
          checker.error(\.matchLabels, "\"\(entry.value)\" is not a regular expression of RE2: \(reason)")
        }
      }
    }
    guard let action, !checker.hasError(\.action) else { return }
    if action == .insert || action == .combine, newName.isEmpty {
      checker.error(\.newName, "is required by action \(action.rawValue)")
    }
    if action == .group, groupResourceLabels.entries.isEmpty {
      checker.error(\.groupResourceLabels, "is required by action group")
    }
    if action != .group, !groupResourceLabels.entries.isEmpty {
      checker.error(\.groupResourceLabels, "is for action group only")
    }
    if action == .group, !newName.isEmpty || !operations.isEmpty {
      checker.error(
        \.action, "group only moves metrics",
        help: "rename or change them in a transform of its own, before or after")
    }
    if action != .combine {
      if aggregationType != nil { checker.error(\.aggregationType, "is for action combine only") }
      if submatchCase != nil { checker.error(\.submatchCase, "is for action combine only") }
    }
  }
}

/// The operations of a transform.
package enum MetricOperationAction: String, ConfigEnum {
  case addLabel = "add_label"
  case updateLabel = "update_label"
  case deleteLabelValue = "delete_label_value"
  case toggleScalarDataType = "toggle_scalar_data_type"
  case scaleValue = "experimental_scale_value"
  case aggregateLabels = "aggregate_labels"
  case aggregateLabelValues = "aggregate_label_values"
}

/// One of the operations of a transform.
package struct MetricOperationConfig: ConfigGroup {
  package var action: MetricOperationAction?
  package var label = ""
  package var newLabel = ""
  package var labelSet: [String] = []
  package var aggregationType: AggregationType?
  package var aggregatedValues: [String] = []
  package var newValue = ""
  package var valueActions: [LabelValueAction] = []
  package var scale = 0.0
  package var labelValue = ""

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("action", \.action, "What is done.", required: true),
    Field("label", \.label, "The attribute that it is about."),
    Field("new_label", \.newLabel, "The name that an attribute gets, or that of a new one."),
    Field("label_set", \.labelSet, "The attributes that `aggregate_labels` leaves."),
    Field(
      "aggregation_type", \.aggregationType, "How several data points become one; left out, `sum`."),
    Field("aggregated_values", \.aggregatedValues, "The values of the attribute that become one."),
    Field(
      "new_value", \.newValue,
      "The value of a new attribute, or of those that become one; `{{version}}` is this program's version."),
    Field("value_actions", \.valueActions, "Values of the attribute that become others."),
    Field(
      "experimental_scale", \.scale,
      "The factor for the values of gauges and sums, and for sum, bounds and extremes of histograms."),
    Field("label_value", \.labelValue, "The value of the attribute whose data points are removed."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    guard let action, !checker.hasError(\.action) else { return }
    switch action {
    case .addLabel:
      require(\.newLabel, newLabel, &checker)
      require(\.newValue, newValue, &checker)
    case .updateLabel, .deleteLabelValue, .aggregateLabelValues: require(\.label, label, &checker)
    case .scaleValue:
      if scale == 0, !checker.hasError(\.scale) {
        checker.error(\.scale, "is required by action \(action.rawValue)")
      }
    case .toggleScalarDataType, .aggregateLabels: break
    }
    if action == .aggregateLabelValues {
      require(\.newValue, newValue, &checker)
      if aggregatedValues.isEmpty, !checker.hasError(\.aggregatedValues) {
        checker.error(\.aggregatedValues, "is required by action \(action.rawValue)")
      }
    }
  }

  private func require(
    _ field: KeyPath<Self, String>, _ value: String, _ checker: inout ConfigChecker
  ) {
    if value.isEmpty, !checker.hasError(field) {
      checker.error(field, "is required by action \(action?.rawValue ?? "")")
    }
  }
}

/// A value that becomes another.
package struct LabelValueAction: ConfigGroup {
  package var value = ""
  package var newValue = ""

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("value", \.value, "The value as it is."),
    Field("new_value", \.newValue, "What it becomes; `{{version}}` is this program's version."),
  ]
}
