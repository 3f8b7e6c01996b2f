/// Lets ``ConfigGroup/check(_:)`` report findings at fields.
///
/// Findings about a field that already has an error are dropped: they would only be consequences.
public struct FieldChecker<Group: ConfigGroup>: Sendable {
  var context: ConfigContext
  let node: ConfigNode

  /// Reports an error at a field.
  ///
  /// - Parameters:
  ///   - field: the property, or one of a nested section: `\.retry.maxInterval`.
  ///   - message: one sentence, lower case, without a final stop.
  ///   - at: a key below the field, for optional sections: `error(\.grpc, at: "endpoint", …)`.
  ///   - help: what to do.
  public mutating func error<Value>(
    _ field: KeyPath<Group, Value>, at below: String = "", _ message: String, help: String? = nil
  ) {
    report(.error, field, below, message, help)
  }

  /// Reports a warning at a field.
  public mutating func warning<Value>(
    _ field: KeyPath<Group, Value>, at below: String = "", _ message: String, help: String? = nil
  ) {
    report(.warning, field, below, message, help)
  }

  /// Reports a note at a field.
  public mutating func note<Value>(
    _ field: KeyPath<Group, Value>, at below: String = "", _ message: String, help: String? = nil
  ) {
    report(.note, field, below, message, help)
  }

  /// Reports an error about the section as a whole.
  public mutating func error(_ message: String, help: String? = nil) {
    report(.error, \.self, "", message, help)
  }

  /// Reports a warning about the section as a whole.
  public mutating func warning(_ message: String, help: String? = nil) {
    report(.warning, \.self, "", message, help)
  }

  /// Reports an error at a place of its own, such as in one of several elements or in a file that the section names.
  public mutating func error(
    at origin: Origin, path: String, _ message: String, help: String? = nil,
    context: [Diagnostic.Related] = []
  ) {
    self.context.diagnostics.append(
      Diagnostic(
        .error, code: "invalid-config", message, at: origin, path: path, help: help, context: context))
  }

  /// Reports a warning at a place of its own.
  public mutating func warning(at origin: Origin, path: String, _ message: String, help: String? = nil) {
    context.diagnostics.append(
      Diagnostic(.warning, code: "invalid-config", message, at: origin, path: path, help: help))
  }

  /// Whether the field or something in it could not be read, so that its value is the default.
  public func hasError<Value>(_ field: KeyPath<Group, Value>) -> Bool {
    guard let key = GroupDecoding.key(of: field, in: Group.self), !key.isEmpty else { return false }
    return context.diagnostics.hasError(at: context.path.key(key).description)
  }

  /// Whether the key of the field is written in the file, whatever its value.
  public func isPresent<Value>(_ field: KeyPath<Group, Value>) -> Bool {
    guard let key = GroupDecoding.key(of: field, in: Group.self) else { return false }
    return place(key).isPresent
  }

  private mutating func report(
    _ severity: Diagnostic.Severity, _ field: PartialKeyPath<Group>, _ below: String, _ message: String,
    _ help: String?
  ) {
    var key = GroupDecoding.key(of: field, in: Group.self) ?? ""
    if !below.isEmpty { key = key.isEmpty ? below : "\(key).\(below)" }
    let place = place(key)
    let path = key.isEmpty ? context.path : context.path.key(key)
    if !key.isEmpty, context.diagnostics.hasError(at: path.description) { return }
    context.diagnostics.append(
      Diagnostic(
        severity, code: "invalid-config", key.isEmpty ? message : "\(key): \(message)", at: place.origin,
        path: path.description, help: help))
  }

  /// The position of a dotted key, or of the closest section around it.
  private func place(_ key: String) -> (origin: Origin, isPresent: Bool) {
    var origin = context.keyOrigin ?? node.origin
    var current = node
    for part in key.split(separator: ".") {
      guard let entry = current.entry(String(part)) else { return (origin, false) }
      origin = entry.keyOrigin
      current = entry.value
    }
    return (origin, true)
  }
}
