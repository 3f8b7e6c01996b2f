/// Reports keys that a group does not declare, with the key that was probably meant.
enum UnknownKeys {
  static func report<Group: ConfigGroup>(
    in node: ConfigNode, of type: Group.Type, context: inout ConfigContext
  ) {
    let known = GroupDecoding.names(of: type)
    let names = Set(known)
    for entry in node.entries where !names.contains(entry.key) {
      let fields = GroupDescription(type).fields
      let isSecret = hides(entry.key, among: fields)
      if isSecret { entry.value.hide() }
      let place = context.path.description.isEmpty ? "" : " in \(context.path)"
      context.diagnostics.append(
        Diagnostic(
          .error, code: "unknown-key", "unknown key \"\(entry.key)\"\(place)", at: entry.keyOrigin,
          path: context.path.key(entry.key).description, help: help(for: entry.key, among: fields),
          hidesValue: isSecret))
    }
  }

  private static func help(for key: String, among fields: [FieldDescription]) -> String? {
    if let section = section(holding: key, among: fields) {
      return "\"\(key)\" belongs under \"\(section)\""
    }
    let offered = fields.filter { $0.status == .supported }
    if let closest = Spelling.closest(to: key, among: offered.map(\.name)) {
      return "did you mean \"\(closest)\"?"
    }
    if offered.isEmpty { return "no keys are expected here" }
    let names = offered.prefix(12).map(\.name).joined(separator: ", ")
    return "known keys are \(names)" + (offered.count > 12 ? ", …" : "")
  }

  /// The nested section that declares the key, when exactly one does.
  private static func section(holding key: String, among fields: [FieldDescription]) -> String? {
    let holders = fields.filter { field in
      guard field.status == .supported, case .group(let group) = field.type else { return false }
      return group.fields.contains { $0.name == key && $0.status == .supported }
    }
    return holders.count == 1 ? holders.first?.name : nil
  }

  /// Whether the misspelt key may hold a secret, so that its line must not be quoted in full.
  private static func hides(_ key: String, among fields: [FieldDescription]) -> Bool {
    let secrets = fields.filter { $0.type.isSecret }.map(\.name)
    if Spelling.closest(to: key, among: secrets) != nil { return true }
    let lower = key.lowercased()
    return ["token", "password", "secret", "api_key", "apikey", "authorization", "credential"]
      .contains { lower.contains($0) }
  }
}
