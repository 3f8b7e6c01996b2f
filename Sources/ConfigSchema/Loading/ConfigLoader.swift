/// Reads, merges and substitutes the configuration.
public enum ConfigLoader {
  /// Loads every source, later ones winning, applies overrides, and replaces references.
  ///
  /// Maps are merged deeply, lists are replaced, a null section of a later source removes the earlier one, an
  /// empty `{}` does not. References such as `${env:X}` are replaced after merging, so that only those in use
  /// are looked up.
  ///
  /// - Parameters:
  ///   - sources: in the order of the command line.
  ///   - overrides: the arguments of `--set`: `a.b.c=value`; `a::b::c=value` when a key holds dots.
  ///   - environment: where files and variables come from.
  /// - Returns: the tree, nil when a source could not be read at all, and every finding. A tree may come with
  ///   errors, so that its other mistakes can be shown too: check `hasErrors` before using it.
  public static func load(
    sources: [ConfigSource], overrides: [String] = [], environment: ConfigEnvironment = .process
  ) -> (ConfigNode?, Diagnostics) {
    var diagnostics = Diagnostics()
    var merged: ConfigNode?
    var isComplete = true
    var empty: [ConfigSource] = []
    if sources.isEmpty, overrides.isEmpty {
      diagnostics.error("no-config", "no configuration was given", help: "name a file: millrace run FILE")
      return (nil, diagnostics)
    }
    for source in sources {
      switch read(source, environment: environment, diagnostics: &diagnostics) {
      case .tree(let node): merged = merged.map { Merging.merge($0, node) } ?? node
      case .empty: empty.append(source)
      case .failed: isComplete = false
      }
    }
    for override in overrides {
      guard let node = Overrides.parse(override, diagnostics: &diagnostics) else {
        isComplete = false
        continue
      }
      merged = merged.map { Merging.merge($0, node) } ?? node
    }
    guard isComplete else { return (nil, diagnostics) }
    for source in empty {
      diagnostics.append(
        Diagnostic(
          merged == nil ? .error : .warning, code: "empty-config", "\(source.name) is empty",
          help: "declare receivers, exporters and service.pipelines"))
    }
    guard let merged else { return (nil, diagnostics) }
    var substitution = Substitution(environment: environment)
    let node = substitution.expand(merged)
    diagnostics.append(contentsOf: substitution.diagnostics)
    return (node, diagnostics)
  }

  private enum Reading {
    case tree(ConfigNode)
    case empty
    case failed
  }

  private static func read(
    _ source: ConfigSource, environment: ConfigEnvironment, diagnostics: inout Diagnostics
  ) -> Reading {
    switch source.kind {
    case .file(let path):
      switch environment.file(path) {
      case .success(let text):
        return parse(text, name: path, kind: .file, diagnostics: &diagnostics)
      case .failure(let error):
        diagnostics.error("unreadable-file", "cannot read \(path): \(error)")
        return .failed
      }
    case .environment(let name):
      guard let text = environment.variable(name) else {
        diagnostics.error("unset-variable", "environment variable \(name) is not set")
        return .failed
      }
      return parse(text, name: "env:\(name)", kind: .environment, diagnostics: &diagnostics)
    case .yaml(let text):
      return parse(text, name: source.name, kind: .commandLine, diagnostics: &diagnostics)
    case .text(let name, let text):
      return parse(text, name: name, kind: .file, diagnostics: &diagnostics)
    case .unsupported(let scheme):
      diagnostics.error(
        "unsupported-source", "cannot load \(source.name): \(scheme) sources are not supported",
        help: "fetch the file first and name its path; file:, env: and yaml: work")
      return .failed
    }
  }

  private static func parse(
    _ text: String, name: String, kind: ConfigSourceText.Kind, diagnostics: inout Diagnostics
  ) -> Reading {
    let errors = diagnostics.errorCount
    let source = ConfigSourceText(name: name, kind: kind, text: text)
    let node = YAMLReader.read(text, source: source, diagnostics: &diagnostics)
    guard diagnostics.errorCount == errors else { return .failed }
    guard let node, !node.isNull else { return .empty }
    guard node.kind == .map else {
      let help = node.scalar.flatMap { YAMLProblem.missingSpaceHelp($0.text) }
      diagnostics.error(
        "not-a-map", "expected a configuration with keys such as receivers:, found a \(node.kind.rawValue)",
        at: node.origin, help: help)
      return .failed
    }
    return .tree(kind == .file ? node : Overrides.unflatten(node))
  }
}
