package import ConfigSchema

/// The settings of an operator that parses one value of an entry.
package protocol ParserSettings: OperatorSettings {
  /// Conformers inline it with `.group(\.keys)`.
  var keys: ParserKeys { get }
  /// Conformers inline it with `.group(\.blocks)`.
  var blocks: ParserBlocks { get }
}

extension ParserSettings {
  package func makeBlocks(_ context: OperatorContext) -> [any LogOperator] { blocks.makeOperators() }

  /// Refuses what no parser can do; part of the conformer's `check`.
  package func checkParser(_ checker: inout ConfigChecker) {
    if blocks.body != nil, keys.parseTo.path == FieldPath(.body) {
      checker.error("\"body\" cannot be set along with \"parse_to: body\": both say what becomes the body")
    }
  }
}

/// Parses one value of an entry and puts what was found into the entry.
package final class ParsingOperator<Parser: LogValueParser>: LogOperator {
  private var parser: Parser
  private let source: FieldPath
  private let target: FieldPath
  private let dropsSource: Bool

  package init(_ parser: Parser, _ keys: ParserKeys) {
    self.parser = parser
    source = keys.parseFrom
    target = keys.parseTo.path
    dropsSource = keys.dropField
  }

  package func process(_ entry: inout LogEntry) throws(LogOperatorError) -> LogVerdict {
    guard let value = entry.value(at: source) else { throw .missing(source) }
    let mark = entry.mark
    do throws(LogOperatorError) {
      let found = try parser.parse(value, of: &entry)
      if dropsSource { _ = entry.remove(at: source) }
      try entry.place(found, at: target)
    } catch {
      entry.rewind(to: mark)
      throw error
    }
    return .pass
  }
}

extension LogEntry {
  /// Puts a value that belongs to nothing yet at a path, as parsers do it: the elements of a map are merged into the map
  /// that is there, and whatever else is there or on the way is replaced.
  ///
  /// - Throws: when attributes or resource as a whole would be something else than a map; nothing has been changed then.
  package mutating func place(_ value: LogValue, at path: FieldPath) throws(LogOperatorError) {
    if value.kind == .map, let map = value.chain {
      if path.root == .body, path.keys.isEmpty, body.kind != .map {
        body = value
      } else {
        merge(map, into: mapOnTheWay(to: path.keys[...], from: path.root))
      }
      return
    }
    guard let last = path.keys.last else {
      if path.root != .body {
        throw LogOperatorError("\(path.root.rawValue) as a whole must be a map, found \(value.kind.noun)")
      }
      body = value
      return
    }
    let map = mapOnTheWay(to: path.keys.dropLast(), from: path.root)
    let position = slot(of: last.utf8.span, in: map)
    if position >= 0 { slots[position].value = value } else { append(key: add(last), value, to: map) }
  }

  /// The map behind some keys; what is missing or no map becomes one.
  private mutating func mapOnTheWay(to keys: ArraySlice<String>, from root: FieldPath.Root) -> LogChain {
    var map: LogChain
    switch root {
    case .attributes: map = .attributes
    case .resource: map = .resource
    case .body:
      if body.kind != .map { body = makeMap().value }
      map = body.chain ?? .attributes
    }
    for key in keys {
      let position = slot(of: key.utf8.span, in: map)
      if position >= 0, slots[position].value.kind == .map, let next = slots[position].value.chain {
        map = next
        continue
      }
      let (next, value) = makeMap()
      if position >= 0 { slots[position].value = value } else { append(key: add(key), value, to: map) }
      map = next
    }
    return map
  }
}
