package import ConfigSchema
internal import NativeCodecs
package import PipelineKit

/// What an action does.
package enum AttributeActionKind: String, ConfigEnum {
  case insert, update, upsert, delete, hash, extract, convert
  package static var ignoresCase: Bool { true }
}

/// What `convert` makes of a value.
package enum ConvertedType: String, ConfigEnum { case int, double, string }

/// One of the actions of the `attributes` and `resource` processors.
package struct AttributeActionConfig: ConfigGroup {
  package var key = ""
  package var action: AttributeActionKind?
  package var value: LiteralValue?
  package var fromAttribute = ""
  package var fromContext = ""
  package var pattern: RegexText?
  package var convertedType: ConvertedType?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("key", \.key, "The attribute that the action is about."),
    Field("action", \.action, "What is done.", required: true),
    Field("value", \.value, "The value to set, of any type."),
    Field("from_attribute", \.fromAttribute, "The attribute whose value is set; without it nothing is done."),
    Field(
      "from_context", \.fromContext,
      "What is set from the request that brought the data: `metadata.<header>`, `client.address`, or what an authenticator knows of the client, such as `auth.username`; several values are joined by `;`."
    ),
    Field(
      "pattern", \.pattern,
      "A regular expression of RE2: for `delete` and `hash` of the keys, for `extract` of the value, with named groups."
    ),
    Field("converted_type", \.convertedType, "The type that `convert` makes."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    guard let action, !checker.hasError(\.action) else { return }
    let sources = (value == nil ? 0 : 1) + (fromAttribute.isEmpty ? 0 : 1) + (fromContext.isEmpty ? 0 : 1)
    let name = action.rawValue
    switch action {
    case .insert, .update, .upsert:
      requireKey(&checker)
      if sources != 1, !checker.hasError(\.value) {
        checker.error(
          "action \(name) needs exactly one of value, from_attribute and from_context, and has \(sources)")
      }
    case .delete, .hash:
      if key.isEmpty, pattern == nil, !checker.hasError(\.pattern) {
        checker.error("action \(name) needs a key or a pattern")
      }
    case .extract:
      requireKey(&checker)
      if let pattern {
        if pattern.pattern.groupCount == 0 {
          checker.error(\.pattern, "needs named groups, such as (?P<http_path>/[^?]*)")
        } else if pattern.pattern.groupNames.dropFirst().contains("") {
          checker.error(\.pattern, "has a group without a name: write (?P<name>…), or (?:…) for none")
        }
      } else if !checker.hasError(\.pattern) {
        checker.error(\.pattern, "is required by action extract")
      }
    case .convert:
      requireKey(&checker)
      if convertedType == nil, !checker.hasError(\.convertedType) {
        checker.error(\.convertedType, "is required by action convert", help: "int, double or string")
      }
    }
    if fromContext.lowercased() == "auth.raw" {
      checker.error(
        \.fromContext, "auth.raw is the password with its user: it must not become data",
        help: "auth.username is the user alone")
    }
    let takesValue = action == .insert || action == .update || action == .upsert
    refuse(\.value, value != nil && !takesValue, &checker)
    refuse(\.fromAttribute, !fromAttribute.isEmpty && !takesValue, &checker)
    refuse(\.fromContext, !fromContext.isEmpty && !takesValue, &checker)
    refuse(\.pattern, pattern != nil && (takesValue || action == .convert), &checker)
    refuse(\.convertedType, convertedType != nil && action != .convert, &checker)
  }

  private func requireKey(_ checker: inout ConfigChecker) {
    if key.isEmpty { checker.error("action \(action?.rawValue ?? "") needs a key") }
  }

  private func refuse<Value>(_ field: KeyPath<Self, Value>, _ isSet: Bool, _ checker: inout ConfigChecker) {
    if isSet { checker.error(field, "cannot be set for action \(action?.rawValue ?? "")") }
  }
}
