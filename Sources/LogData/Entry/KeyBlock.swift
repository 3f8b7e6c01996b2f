internal import WireFormat

/// Keys that are known beforehand, put into an entry all at once.
struct KeyBlock: Sendable {
  /// All keys in one piece.
  private let bytes: [UInt8]
  private let places: [Range<Int>]
  /// Whether a key is there more than once.
  let hasDuplicates: Bool

  init(_ keys: [String]) {
    var bytes: [UInt8] = []
    places = keys.map { key in
      let start = bytes.count
      bytes += key.utf8
      return start..<bytes.count
    }
    self.bytes = bytes
    hasDuplicates = Set(keys.map { Array($0.utf8) }).count < keys.count
  }

  var count: Int { places.count }

  /// Puts the keys into the arena of an entry; returns where they begin.
  func add(to entry: inout LogEntry) -> Int { entry.add(bytes.span).lowerBound }

  /// A key of the arena in which the keys begin at an offset.
  func key(_ number: Int, from start: Int) -> WireRange {
    let place = places[number]
    return WireRange(start + place.lowerBound, start + place.upperBound)
  }
}
