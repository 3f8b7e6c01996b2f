import Yams

/// Reads YAML into a ``ConfigNode`` tree with positions.
///
/// The only file besides ``YAMLProblem`` that knows the parser. Anchors, aliases and merge keys are resolved
/// here; the size of what aliases expand to, and the depth, are bounded.
struct YAMLReader {
  /// The deepest nesting of maps and lists.
  static let deepest = 100
  /// The most values one text may hold once aliases are expanded.
  static let mostNodes = 200_000

  private let source: ConfigSourceText
  private let firstColumn: Int
  private var diagnostics = Diagnostics()
  private var remaining = YAMLReader.mostNodes
  private var isStopped = false

  private init(source: ConfigSourceText, firstColumn: Int) {
    self.source = source
    self.firstColumn = firstColumn
  }

  /// Reads a text; nil when it holds nothing, or after an error was reported.
  ///
  /// - Parameter firstColumn: the column of the text's first character in the source, for parts of a line.
  static func read(
    _ text: String, source: ConfigSourceText, firstColumn: Int = 1, diagnostics: inout Diagnostics
  ) -> ConfigNode? {
    guard text.utf8.count <= ConfigEnvironment.largestFile else {
      diagnostics.error(
        "too-large", "\(source.name) is larger than \(ConfigEnvironment.largestFile >> 20) MiB")
      return nil
    }
    do {
      // The basic resolver leaves plain scalars alone: what they mean depends on the field they are for.
      let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
      guard let root = try parser.singleRoot() else { return nil }
      var reader = YAMLReader(source: source, firstColumn: firstColumn)
      let node = reader.convert(root, depth: 0, keyOrigin: nil)
      diagnostics.append(contentsOf: reader.diagnostics)
      return reader.diagnostics.hasErrors ? nil : node
    } catch let error as YamlError {
      diagnostics.append(YAMLProblem.diagnostic(for: error, in: source, firstColumn: firstColumn))
    } catch {
      diagnostics.error("yaml-syntax", "\(source.name) is not YAML")
    }
    return nil
  }

  private mutating func convert(_ node: Node, depth: Int, keyOrigin: Origin?) -> ConfigNode {
    let place = origin(node.mark) ?? keyOrigin ?? Origin(source: source, line: 1, column: 1)
    guard !isStopped else { return ConfigNode(.list([]), origin: place) }
    remaining -= 1
    if remaining < 0 {
      stop("yaml-too-large", "the text expands to more than \(Self.mostNodes) values", place)
      return ConfigNode(.list([]), origin: place)
    }
    if depth > Self.deepest {
      stop("too-deep", "values are nested more than \(Self.deepest) levels deep", place)
      return ConfigNode(.list([]), origin: place)
    }
    switch node {
    case .scalar(let scalar): return convert(scalar, place: place, keyOrigin: keyOrigin)
    case .sequence(let sequence):
      reportTag(sequence.tag.rawValue, "tag:yaml.org,2002:seq", place)
      return ConfigNode(
        .list(sequence.map { convert($0, depth: depth + 1, keyOrigin: nil) }), origin: place)
    case .mapping(let mapping):
      reportTag(mapping.tag.rawValue, "tag:yaml.org,2002:map", place)
      return convert(mapping, depth: depth, place: place)
    case .alias:
      return ConfigNode(.list([]), origin: place)
    }
  }

  private mutating func convert(_ scalar: Node.Scalar, place: Origin, keyOrigin: Origin?) -> ConfigNode {
    let isPlain = scalar.style == .plain
    let tag = scalar.tag.rawValue
    if tag == "tag:yaml.org,2002:binary" {
      diagnostics.error("yaml-tag", "binary values are not supported", at: place)
    } else if tag != "!" {
      reportTag(tag, "tag:yaml.org,2002:", place)
    }
    let isTagged = tag.hasPrefix("tag:yaml.org,2002:")
    let isString = !isPlain && !isTagged || tag == "tag:yaml.org,2002:str" || tag == "!"
    let content = ConfigScalar(scalar.string, style: isString ? .quoted : .plain)
    // An empty value has no extent of its own: point at its key.
    let isEmpty = isPlain && scalar.string.isEmpty
    let spanned = ScalarSpan.origin(of: scalar.string, isPlain: isPlain, at: place)
    return ConfigNode(.scalar(content), origin: isEmpty ? keyOrigin ?? place : spanned)
  }

  private mutating func convert(_ mapping: Node.Mapping, depth: Int, place: Origin) -> ConfigNode {
    var entries: [ConfigNode.Entry] = []
    var merged: [ConfigNode.Entry] = []
    for (key, value) in mapping {
      guard case .scalar(let name) = key else {
        diagnostics.error(
          "yaml-key", "a key must be a word, not a \(key.sequence == nil ? "map" : "list")",
          at: origin(key.mark) ?? place)
        continue
      }
      let isPlain = name.style == .plain
      let keyPlace = origin(key.mark) ?? place
      let keyOrigin = ScalarSpan.origin(of: name.string, isPlain: isPlain, at: keyPlace)
      if isPlain, name.string == "<<" {
        merged += mergedEntries(value, depth: depth, keyOrigin: keyOrigin)
      } else {
        let node = convert(value, depth: depth + 1, keyOrigin: keyOrigin)
        entries.append(ConfigNode.Entry(key: name.string, keyOrigin: keyOrigin, value: node))
      }
    }
    // Keys of the map itself win over merged ones, earlier merged maps over later ones.
    var known = Set(entries.map(\.key))
    for entry in merged where known.insert(entry.key).inserted { entries.append(entry) }
    let start = entries.first.map(\.keyOrigin)
    let isFirstKey = start?.line == place.line && start?.column == place.column
    return ConfigNode(.map(entries), origin: isFirstKey ? start ?? place : place)
  }

  private mutating func mergedEntries(_ value: Node, depth: Int, keyOrigin: Origin) -> [ConfigNode.Entry] {
    let node = convert(value, depth: depth + 1, keyOrigin: keyOrigin)
    let maps = node.kind == .list ? node.elements : [node]
    if !isStopped, !maps.allSatisfy({ $0.kind == .map }) {
      diagnostics.error(
        "yaml-merge", "<<: takes a map or a list of maps", at: keyOrigin, help: "write <<: *name")
    }
    return maps.flatMap(\.entries)
  }

  private mutating func reportTag(_ tag: String, _ accepted: String, _ place: Origin) {
    guard !tag.isEmpty, !tag.hasPrefix(accepted) else { return }
    diagnostics.warning("yaml-tag", "the tag \(tag) has no effect", at: place)
  }

  private mutating func stop(_ code: String, _ message: String, _ place: Origin) {
    isStopped = true
    diagnostics.error(code, message, at: place)
  }

  private func origin(_ mark: Mark?) -> Origin? {
    guard let mark else { return nil }
    let shift = mark.line == 1 ? firstColumn - 1 : 0
    return Origin(source: source, line: mark.line, column: mark.column + shift)
  }
}
