package import ConfigSchema
internal import NativeCodecs

/// A status that the `span` processor sets.
package enum SpanStatusCode: String, ConfigEnum {
  case ok = "Ok"
  case error = "Error"
  case unset = "Unset"
}

/// The settings of the `span` processor.
package struct SpanConfig: ConfigGroup {
  package var name = SpanNameConfig()
  package var status: SpanStatusConfig?
  package var include: MatchProperties?
  package var exclude: MatchProperties?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("name", \.name, "How the name is made of attributes, or attributes of the name."),
    Field("status", \.status, "The status to set."),
    Field("include", \.include, "What a span must be like to be changed; left out, all are."),
    Field("exclude", \.exclude, "Which of the included spans stay as they are."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if name.fromAttributes.isEmpty, name.toAttributes?.rules.isEmpty ?? true, status == nil,
      !checker.hasError(\.status), !checker.hasError(\.name)
    {
      checker.error(
        "does nothing", help: "set name.from_attributes, name.to_attributes.rules or status")
    }
  }
}

/// The block `name`: first the name is made of attributes, then attributes of the name.
package struct SpanNameConfig: ConfigGroup {
  package var fromAttributes: [String] = []
  package var separator = ""
  package var toAttributes: SpanToAttributesConfig?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "from_attributes", \.fromAttributes,
      "The attributes whose values make the name, in this order; without one of them the name stays."),
    Field("separator", \.separator, "What stands between the values."),
    Field("to_attributes", \.toAttributes, "How attributes are taken out of the name."),
  ]
}

/// The block `to_attributes`.
package struct SpanToAttributesConfig: ConfigGroup {
  package var rules: [RegexText] = []
  package var breakAfterMatch = false
  package var keepOriginalName = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "rules", \.rules,
      "Regular expressions of RE2 with named groups, such as `^/orders/(?P<order_id>\\d+)$`: what a group matches becomes the attribute of its name, and in the span's name `{order_id}` stands in its place. Each rule works on what the one before has left.",
      check: .nonEmpty, required: true),
    Field(
      "break_after_match", \.breakAfterMatch, "Whether rules behind the first that matches are left out."),
    Field("keep_original_name", \.keepOriginalName, "Whether the name of the span stays."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    for rule in rules {
      let names = rule.pattern.groupNames.dropFirst()
      if names.isEmpty {
        checker.error(
          \.rules, "\"\(rule.pattern.text)\" has no named group",
          help: "write (?P<name>…) around what to take out")
      } else if names.contains("") {
        checker.error(
          \.rules, "\"\(rule.pattern.text)\" has a group without a name",
          help: "write (?P<name>…), or (?:…) for none")
      }
    }
  }
}

/// The block `status`.
package struct SpanStatusConfig: ConfigGroup {
  package var code: SpanStatusCode?
  package var description = ""

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("code", \.code, "The status.", required: true),
    Field("description", \.description, "What went wrong; for the code `Error`."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if let code, code != .error, !description.isEmpty {
      checker.error(\.description, "is for the code Error only")
    }
  }
}
