/// Merges configuration trees as the Collector does.
enum Merging {
  /// The later tree on top of the earlier one: maps deeply, everything else replaced, null included.
  static func merge(_ earlier: ConfigNode, _ later: ConfigNode) -> ConfigNode {
    guard case .map(var entries) = earlier.value, case .map(let additions) = later.value else { return later }
    var index: [String: Int] = [:]
    for (position, entry) in entries.enumerated() { index[entry.key] = position }
    for addition in additions {
      if let position = index[addition.key] {
        let old = entries[position]
        let isMerged = old.value.kind == .map && addition.value.kind == .map
        entries[position] = ConfigNode.Entry(
          key: addition.key, keyOrigin: isMerged ? old.keyOrigin : addition.keyOrigin,
          value: merge(old.value, addition.value))
      } else {
        index[addition.key] = entries.count
        entries.append(addition)
      }
    }
    return ConfigNode(.map(entries), origin: earlier.origin)
  }
}
