internal import TelemetryData

/// Trace ids that a decision was taken for, the least recently asked for forgotten first.
struct DecisionCache {
  private struct Neighbours {
    var newer = TraceIDIndex.none
    var older = TraceIDIndex.none
  }
  private let capacity: Int
  private var index: TraceIDIndex
  private var neighbours: [Neighbours] = []
  private var newest = TraceIDIndex.none
  private var oldest = TraceIDIndex.none

  /// - Parameter capacity: the most ids that are kept; 0 keeps none.
  init(capacity: Int, seed: UInt64) {
    self.capacity = capacity
    index = TraceIDIndex(seed: seed)
  }

  var count: Int { index.count }

  /// What an id takes of memory, in bytes.
  static let bytesPerID = 16 + MemoryLayout<Neighbours>.stride + 8

  /// Whether an id is kept; it then counts as just asked for.
  mutating func contains(_ id: TraceID) -> Bool {
    guard capacity > 0, let place = index.place(of: id) else { return false }
    if place != newest {
      unlink(place)
      link(place)
    }
    return true
  }

  /// Keeps an id; false where none are kept.
  mutating func insert(_ id: TraceID) -> Bool {
    if capacity == 0 { return false }
    if contains(id) { return true }
    if index.count >= capacity {
      let place = oldest
      unlink(place)
      index.remove(place)
    }
    let place = index.insert(id)
    if Int(place) == neighbours.count { neighbours.append(Neighbours()) }
    link(place)
    return true
  }

  private mutating func link(_ place: UInt32) {
    neighbours[Int(place)] = Neighbours(older: newest)
    if newest != TraceIDIndex.none { neighbours[Int(newest)].newer = place }
    newest = place
    if oldest == TraceIDIndex.none { oldest = place }
  }

  private mutating func unlink(_ place: UInt32) {
    let (newer, older) = (neighbours[Int(place)].newer, neighbours[Int(place)].older)
    if newer == TraceIDIndex.none { newest = older } else { neighbours[Int(newer)].older = older }
    if older == TraceIDIndex.none { oldest = newer } else { neighbours[Int(older)].newer = newer }
  }
}
