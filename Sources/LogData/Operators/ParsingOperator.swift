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
      try entry.set(found, at: target)
    } catch {
      entry.rewind(to: mark)
      throw error
    }
    return .pass
  }
}
