package import ConfigSchema

/// `flatten`: moves the fields of a map up to where the map stands.
package struct FlattenConfig: OperatorSettings {
  package static let type = "flatten"
  package static let summary = "Moves what is in a map to the level of the map itself."
  package var field: FieldPath?
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("field", \.field, "The map that is flattened, one level of it.", required: true), .group(\.common),
  ]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(FieldFlattener(field: field ?? FieldPath(.body))))
  }
}

/// Flattens a map by one level.
struct FieldFlattener: EntryReader {
  private let field: FieldPath
  private let parent: FieldPath

  init(field: FieldPath) {
    self.field = field
    parent = FieldPath(field.root, Array(field.keys.dropLast()))
  }

  func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    guard let value = entry.value(at: field) else { throw LogOperatorError.missing(field) }
    guard value.kind == .map, let elements = value.chain else {
      throw LogOperatorError("\(field) is \(value.kind.noun), not a map")
    }
    // The body as a whole is as flat as it gets.
    if field.keys.isEmpty { return }
    _ = entry.remove(at: field)
    guard let target = entry.value(at: parent)?.chain else { return }
    entry.moveElements(of: elements, to: target)
  }
}

extension LogEntry {
  /// Puts each element of a map into another, maps merged into maps.
  fileprivate mutating func moveElements(of map: LogChain, to target: LogChain) {
    var position = chains[map.position].first
    while position >= 0 {
      let slot = slots[Int(position)]
      put(slot.value, under: slot.key, in: target)
      position = slot.next
    }
  }
}
