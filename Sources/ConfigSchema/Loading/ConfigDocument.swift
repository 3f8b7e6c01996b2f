/// Reads YAML or JSON texts other than the configuration itself, such as lists of targets.
///
/// References are not replaced: what such texts hold is data.
public enum ConfigDocument {
  /// The tree of a text, nil when it holds nothing or cannot be read, and what is wrong with it.
  ///
  /// - Parameter name: what diagnostics call it, a path mostly.
  public static func read(_ text: String, name: String) -> (ConfigNode?, Diagnostics) {
    var diagnostics = Diagnostics()
    let source = ConfigSourceText(name: name, kind: .file, text: text)
    let node = YAMLReader.read(text, source: source, diagnostics: &diagnostics)
    return (diagnostics.hasErrors ? nil : node.flatMap { $0.isNull ? nil : $0 }, diagnostics)
  }

  /// The tree of a JSON text, nil when it cannot be read, and what is wrong with it.
  public static func readJSON(_ text: String, name: String) -> (ConfigNode?, Diagnostics) {
    var diagnostics = Diagnostics()
    let source = ConfigSourceText(name: name, kind: .file, text: text)
    return (JSONReader.read(text, source: source, diagnostics: &diagnostics), diagnostics)
  }
}
