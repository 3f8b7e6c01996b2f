internal import WireFormat

/// Keys to be found among, by bytes and without allocating.
struct KeyList: Sendable {
  /// By length.
  private var keys: [[[UInt8]]] = []

  init(_ texts: [String]) {
    for text in texts {
      let key = [UInt8](text.utf8)
      while keys.count <= key.count { keys.append([]) }
      if !keys[key.count].contains(key) { keys[key.count].append(key) }
    }
  }

  func contains(_ key: Span<UInt8>) -> Bool {
    guard key.count < keys.count else { return false }
    for other in keys[key.count] where other.span.hasSameBytes(as: key) { return true }
    return false
  }
}
