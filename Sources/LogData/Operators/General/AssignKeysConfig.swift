package import ConfigSchema

/// `assign_keys`: makes a map of a list.
package struct AssignKeysConfig: OperatorSettings {
  package static let type = "assign_keys"
  package static let summary = "Makes a map of a list whose values get the keys of the settings."
  package var field: FieldPath?
  package var keys: [String] = []
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("field", \.field, "The list.", required: true),
    Field(
      "keys", \.keys, "The keys, as many as the list has values.", check: .nonEmpty, required: true),
    .group(\.common),
  ]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(KeyAssigner(field: field ?? FieldPath(.body), keys: keys)))
  }
}

/// Makes a map of a list.
struct KeyAssigner: EntryReader {
  let field: FieldPath
  let keys: [String]

  func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    guard let value = entry.value(at: field) else { throw LogOperatorError.missing(field) }
    guard value.kind == .list, let list = value.chain else {
      throw LogOperatorError("\(field) is \(value.kind.noun), not a list")
    }
    let count = entry.count(of: list)
    guard count == keys.count else {
      throw LogOperatorError("\(field) has \(count) values for \(keys.count) keys")
    }
    let (map, result) = entry.makeMap()
    var position = entry.chains[list.position].first
    for key in keys where position >= 0 {
      let slot = entry.slots[Int(position)]
      entry.set(entry.add(key), to: slot.value, in: map)
      position = slot.next
    }
    try entry.set(result, at: field)
  }
}
