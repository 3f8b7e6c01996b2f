/// Replaces references in the leaves of a parsed tree.
///
/// Working on leaves keeps every position, and a value can never break the structure around it. A leaf that is
/// one reference takes the value's type; references inside longer text are inserted as text.
struct Substitution {
  /// The most references that one leaf may lead to.
  static let mostExpansions = 100

  let environment: ConfigEnvironment
  private(set) var diagnostics = Diagnostics()
  private var path = ConfigPath()
  private var used = 0
  private var leaf: ConfigNode?

  init(environment: ConfigEnvironment) { self.environment = environment }

  /// The tree with all references replaced.
  mutating func expand(_ node: ConfigNode) -> ConfigNode { expand(node, path, active: []) }

  private mutating func expand(_ node: ConfigNode, _ path: ConfigPath, active: [String]) -> ConfigNode {
    switch node.value {
    case .map(let entries):
      let expanded = entries.map { entry in
        var entry = entry
        entry.value = expand(entry.value, path.key(entry.key), active: active)
        return entry
      }
      return ConfigNode(.map(expanded), origin: node.origin, expansion: node.expansion)
    case .list(let elements):
      let expanded = elements.enumerated().map { expand($1, path.element($0), active: active) }
      return ConfigNode(.list(expanded), origin: node.origin, expansion: node.expansion)
    case .scalar(let scalar):
      guard scalar.text.utf8.contains(0x24) else { return node }
      let outer = (self.path, leaf)
      defer { (self.path, leaf) = outer }
      self.path = path
      leaf = node
      if active.isEmpty { used = 0 }
      return expand(scalar, of: node, active: active)
    }
  }

  private mutating func expand(_ scalar: ConfigScalar, of node: ConfigNode, active: [String]) -> ConfigNode {
    let parts = ReferenceText.parse(scalar.text)
    if parts.count == 1, case .reference(let inner, let written) = parts[0] {
      return whole(inner, written, of: node, active: active)
    }
    if active.isEmpty, ReferenceText.holdsGroupNumber(scalar.text) {
      diagnostics.note(
        "dollar-number", "a $ in front of a digit is kept as it is", at: node.origin, path: path.description,
        help: "write $$ instead of $ if older Collectors must read this file too")
    }
    var holdsReference = false
    for case .reference in parts { holdsReference = true }
    let text = text(of: parts, active: active)
    return ConfigNode(
      .scalar(ConfigScalar(text, style: holdsReference ? .quoted : scalar.style)), origin: node.origin,
      expansion: node.expansion)
  }

  /// A leaf that is one reference: the value may have any type.
  private mutating func whole(
    _ inner: [ReferenceText.Part], _ written: String, of node: ConfigNode, active: [String]
  ) -> ConfigNode {
    let raw = fetch(inner, written, active: active)
    let name = raw?.name ?? written
    let text = raw?.text ?? ""
    let source = ConfigSourceText(name: name, kind: raw?.isFile == true ? .file : .environment, text: text)
    var ignored = Diagnostics()
    let parsed = YAMLReader.read(text, source: source, diagnostics: &ignored)
    let value: ConfigNode
    if let parsed, parsed.kind == .map || parsed.kind == .list {
      value = ConfigNode(parsed.value, origin: parsed.origin)
    } else {
      // Strings keep the text as it is, even when YAML would unquote it or cannot read it.
      var scalar = ConfigScalar(text)
      if let plain = parsed?.scalar, plain.meaning != .string { scalar = plain }
      value = ConfigNode(.scalar(scalar), origin: node.origin)
    }
    let expanded = expand(value, path, active: active + [name])
    let isFinal = !text.utf8.contains(0x24)
    let finalText = isFinal ? text : self.text(of: ReferenceText.parse(text), active: active + [name])
    return ConfigNode(
      expanded.value, origin: expanded.origin,
      expansion: ConfigNode.Expansion(reference: written, text: finalText))
  }

  /// The text with every reference inserted as text.
  private mutating func text(of parts: [ReferenceText.Part], active: [String]) -> String {
    var result = ""
    for part in parts {
      switch part {
      case .text(let text): result += text
      case .unclosed(let text):
        report(.warning, "unclosed-reference", "\(text) has no closing brace and is kept as it is", text)
        result += text
      case .reference(let inner, let written):
        guard let raw = fetch(inner, written, active: active) else { continue }
        result +=
          raw.text.utf8.contains(0x24)
          ? text(of: ReferenceText.parse(raw.text), active: active + [raw.name]) : raw.text
      }
    }
    return result
  }

  private struct Fetched {
    let name: String
    let text: String
    var isFile = false
  }

  /// Looks a reference up; nil after reporting why not.
  private mutating func fetch(
    _ inner: [ReferenceText.Part], _ written: String, active: [String]
  ) -> Fetched? {
    used += 1
    guard used <= Self.mostExpansions else {
      report(
        .error, "too-many-references", "the value leads to more than \(Self.mostExpansions) references",
        written)
      return nil
    }
    let text = text(of: inner, active: active)
    guard let reference = Reference(text) else {
      report(.error, "bad-reference", Reference.problem(text), written, help: Reference.help(text))
      return nil
    }
    if active.contains(reference.name) {
      let round = (active.drop { $0 != reference.name } + [reference.name]).joined(separator: " → ")
      report(.error, "reference-cycle", "the reference leads back to itself: \(round)", written)
      return nil
    }
    return fetch(reference, written)
  }

  private mutating func fetch(_ reference: Reference, _ written: String) -> Fetched? {
    switch reference {
    case .variable(let name, let fallback):
      if let value = environment.variable(name) ?? fallback {
        return Fetched(name: reference.name, text: value)
      }
      report(
        .warning, "unset-variable", "environment variable \(name) is not set, its value is empty", written,
        help: "set it, or give a default: ${env:\(name):-default}")
      return Fetched(name: reference.name, text: "")
    case .file(let path):
      switch environment.file(path) {
      case .success(let text):
        return Fetched(name: path, text: Self.withoutFinalLineEnd(text), isFile: true)
      case .failure(let error):
        report(.error, "unreadable-file", "cannot read \(path): \(error)", written)
        return nil
      }
    case .yaml(let text): return Fetched(name: reference.name, text: text)
    }
  }

  /// Files of secrets end with a line end that is not part of the secret.
  private static func withoutFinalLineEnd(_ text: String) -> String {
    text.hasSuffix("\r\n") || text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  private mutating func report(
    _ severity: Diagnostic.Severity, _ code: String, _ message: String, _ written: String, help: String? = nil
  ) {
    diagnostics.append(
      Diagnostic(severity, code: code, message, at: place(of: written), path: path.description, help: help))
  }

  /// Where the reference stands within the leaf.
  private func place(of written: String) -> Origin? {
    guard let origin = leaf?.origin, let line = origin.source.line(origin.line) else { return leaf?.origin }
    let rest = line.unicodeScalars.dropFirst(origin.column - 1)
    guard let range = String(String.UnicodeScalarView(rest)).firstRange(of: written) else { return origin }
    let before = String(String.UnicodeScalarView(rest))[..<range.lowerBound].unicodeScalars.count
    return Origin(
      source: origin.source, line: origin.line, column: origin.column + before,
      length: written.unicodeScalars.count)
  }
}

/// What stands between `${` and `}`.
enum Reference: Equatable {
  /// A variable, with the text to use when it is not set.
  case variable(String, fallback: String?)
  case file(String)
  case yaml(String)

  /// Reads `env:X`, `X`, `env:X:-default`, `file:path`, `yaml:text`; nil when it is none of them.
  init?(_ text: String) {
    let (scheme, rest) = Self.split(text)
    switch scheme {
    case "file" where !rest.isEmpty: self = .file(rest)
    case "yaml": self = .yaml(rest)
    case "env", nil:
      var name = rest
      var fallback: String?
      if let range = rest.firstRange(of: ":-") {
        name = String(rest[..<range.lowerBound])
        fallback = String(rest[range.upperBound...])
      }
      guard Self.isName(name) else { return nil }
      self = .variable(name, fallback: fallback)
    default: return nil
    }
  }

  /// The reference without default, for naming and for finding cycles.
  var name: String {
    switch self {
    case .variable(let name, _): "env:\(name)"
    case .file(let path): path
    case .yaml(let text): "yaml:\(text)"
    }
  }

  /// The scheme when there is one, and the rest. `X:-default` has none.
  private static func split(_ text: String) -> (scheme: String?, rest: String) {
    guard let colon = text.firstIndex(of: ":") else { return (nil, text) }
    let rest = String(text[text.index(after: colon)...])
    let scheme = text[..<colon]
    if rest.hasPrefix("-"), !["env", "file", "yaml"].contains(scheme) { return (nil, text) }
    return (String(scheme), rest)
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, first < 0x30 || first > 0x39, text.utf8.count <= 200 else {
      return false
    }
    return text.utf8.allSatisfy {
      $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5F
    }
  }

  /// What is wrong with a text that is no reference.
  static func problem(_ text: String) -> String {
    if isGroupNumber(text) { return "${\(text)} is read as a reference to an environment variable" }
    let (scheme, rest) = split(text)
    if let scheme, scheme == "http" || scheme == "https" {
      return "\(scheme) references are not supported"
    }
    if scheme == nil || scheme == "env" {
      let name = rest.firstRange(of: ":-").map { String(rest[..<$0.lowerBound]) } ?? rest
      return "\"\(name)\" is not the name of an environment variable"
    }
    if scheme == "file" { return "the path after file: is missing" }
    return "\"\(scheme ?? "")\" is not a known kind of reference"
  }

  /// What to do about it.
  static func help(_ text: String) -> String {
    if isGroupNumber(text) {
      return "for group \(text) of a regular expression write $$\(text), or $${\(text)}"
    }
    let scheme = split(text).scheme
    if scheme == nil || scheme == "env" {
      return "names are letters, digits and _, not starting with a digit; for a literal ${…} write $${…}"
    }
    return "write ${env:NAME}, ${file:path} or ${yaml:text}; for a literal ${…} write $${…}"
  }

  private static func isGroupNumber(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
  }
}
