internal import TelemetryData

/// Trace ids that a decision was taken for, the least recently asked for forgotten first.
struct DecisionCache {
  private struct Neighbours {
    var newer = TracePlace.none
    var older = TracePlace.none
  }
  private let capacity: Int
  private var table: TraceIDTable<Neighbours>
  private var newest = TracePlace.none
  private var oldest = TracePlace.none

  /// - Parameter capacity: the most ids that are kept; 0 keeps none.
  init(capacity: Int, seed: UInt64) {
    self.capacity = capacity
    table = TraceIDTable(seed: seed)
  }

  var count: Int { table.count }

  /// What an id takes of memory, in bytes.
  static let bytesPerID = TraceIDTable<Neighbours>.bytesPerEntry

  /// Whether an id is kept; it then counts as just asked for.
  mutating func contains(_ id: TraceID) -> Bool {
    guard capacity > 0, let place = table.place(of: id) else { return false }
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
    if table.count >= capacity {
      let place = oldest
      unlink(place)
      table.remove(place)
    }
    link(table.insert(id, Neighbours()))
    return true
  }

  private mutating func link(_ place: UInt32) {
    table[place] = Neighbours(older: newest)
    if newest != TracePlace.none { table[newest].newer = place }
    newest = place
    if oldest == TracePlace.none { oldest = place }
  }

  private mutating func unlink(_ place: UInt32) {
    let (newer, older) = (table[place].newer, table[place].older)
    if newer == TracePlace.none { newest = older } else { table[newer].older = older }
    if older == TracePlace.none { oldest = newer } else { table[older].newer = newer }
  }
}
