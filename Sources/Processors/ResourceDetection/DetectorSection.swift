package import ConfigSchema

/// Whether a detector sets one of its attributes.
package struct AttributeSwitch: ConfigGroup {
  package var enabled = true
  package init() {}
  package static let fields: [Field<Self>] = [
    Field("enabled", \.enabled, "Whether the attribute is set.", required: true)
  ]
}

/// The settings of one detector, with a switch for each of its attributes.
package protocol DetectorSection: ConfigGroup {
  /// What it can find out, and whether it says so unless told otherwise.
  static var attributes: KeyValuePairs<String, Bool> { get }
  var switches: ConfigMap<AttributeSwitch> { get set }
}

extension DetectorSection {
  /// Whether an attribute is wanted.
  func isEnabled(_ name: String) -> Bool {
    switches[name]?.enabled ?? Self.attributes.first { $0.key == name }?.value ?? true
  }

  /// The declaration of the switches.
  static func switchesField(_ path: any WritableKeyPath<Self, ConfigMap<AttributeSwitch>> & Sendable)
    -> Field<Self>
  {
    let on = attributes.filter(\.value).map { "`\($0.key)`" }.joined(separator: ", ")
    let off = attributes.filter { !$0.value }.map { "`\($0.key)`" }.joined(separator: ", ")
    return Field(
      "resource_attributes", path,
      "Which attributes are set, as `name: {enabled: true}`. Unless told otherwise these are: \(on)."
        + (off.isEmpty ? "" : " These are not: \(off)."))
  }

  /// Refuses switches of attributes that the detector does not know.
  func checkSwitches(_ checker: inout FieldChecker<Self>) {
    let names = Self.attributes.map(\.key)
    for entry in switches where !names.contains(entry.key) {
      checker.error(
        at: entry.origin, path: "resource_attributes.\(entry.key)",
        "this detector has no attribute \"\(entry.key)\"",
        help: Spelling.closest(to: entry.key, among: names).map { "did you mean \"\($0)\"?" }
          ?? "it has \(names.joined(separator: ", "))")
    }
  }
}
