internal import WireFormat

/// Messages whose fields lie otherwise than ``OTLPJSONWriter/Order/assumed`` expects.
///
/// What protobuf decoders make of them: the last value of a singular field counts, several values of a
/// singular message are merged, which is what decoding their bytes one behind the other does, and a member of
/// a oneof clears the others.
extension OTLPJSONWriter {
  /// Whether the fields of a message, not of those within it, stand once and side by side.
  func isInOrder(
    _ message: Int, _ source: WireCursor, _ table: borrowing OTLPTableView
  ) throws(WireError) -> Bool {
    var cursor = source
    var seen: UInt32 = 0
    var last: UInt32 = 0
    while let tag = try cursor.nextTag() {
      let index = table.index(message, tag)
      try cursor.skip(tag)
      if index == OTLPMessageTable.none { continue }
      let field = table.fields[Int(index)]
      let goesOn = field.presence == .repeated && field.bit == last
      if !goesOn && seen & field.conflicts != 0 { return false }
      seen |= field.bit
      last = field.bit
    }
    return true
  }

  /// Writes the fields of a message that lies in pieces, each field with everything that belongs to it.
  ///
  /// One piece is a message out of order; several are messages to be merged. They stay where they are:
  /// copying them together at every level of nesting would cost many times their size.
  mutating func writeOutOfOrder(
    _ message: Int, _ pieces: [WireRange], _ bytes: Span<UInt8>, _ table: borrowing OTLPTableView
  ) throws(WireError) {
    let first = Int(table.starts[message])
    let places = try Self.places(of: message, pieces, bytes, table)
    for index in first..<Int(table.starts[message + 1]) {
      let places = places[index - first]
      guard let last = places.last else { continue }
      let field = table.fields[index]
      if field.presence == .repeated {
        try writeRepeated(places, field, bytes, table)
      } else if field.kind == .message && places.count > 1 {
        try writeMerged(places, field, bytes, table)
      } else {
        var cursor = WireCursor(bytes, in: last.rest)
        if field.presence == .implicit, try cursor.skipDefault(field) { continue }
        writeLabel(field, table)
        _ = try writeValue(&cursor, field, table)
      }
    }
  }

  /// Where a value lies: its tag, and the piece from the value on.
  private struct Place {
    var tag: WireTag
    var rest: WireRange
  }

  /// The places of every field of a message, without those that a later member of the oneof has cleared.
  private static func places(
    of message: Int, _ pieces: [WireRange], _ bytes: Span<UInt8>, _ table: borrowing OTLPTableView
  ) throws(WireError) -> [[Place]] {
    let first = Int(table.starts[message])
    var places = [[Place]](repeating: [], count: Int(table.starts[message + 1]) - first)
    for piece in pieces {
      var cursor = WireCursor(bytes, in: piece)
      while let tag = try cursor.nextTag() {
        let place = Place(tag: tag, rest: WireRange(cursor.offset, cursor.end))
        let index = table.index(message, tag)
        try cursor.skip(tag)
        if index == OTLPMessageTable.none { continue }
        let field = table.fields[Int(index)]
        for other in places.indices where field.conflicts & ~field.bit & 1 << UInt32(other) != 0 {
          places[other] = []
        }
        places[Int(index) - first].append(place)
      }
    }
    return places
  }

  private mutating func writeLabel(_ field: OTLPField, _ table: borrowing OTLPTableView) {
    output.appendLabel(table.names, at: Int(field.labelStart), length: Int(field.labelLength))
  }

  private mutating func writeRepeated(
    _ places: [Place], _ field: OTLPField, _ bytes: Span<UInt8>, _ table: borrowing OTLPTableView
  ) throws(WireError) {
    var isFirst = true
    for place in places {
      var cursor = WireCursor(bytes, in: place.rest)
      if try cursor.isEmptyPacked(place.tag, field) { continue }
      if isFirst {
        writeLabel(field, table)
        output.append(0x5B)
      } else {
        output.append(0x2C)
      }
      isFirst = false
      _ = try writeElements(&cursor, place.tag, field, table)
    }
    if !isFirst { output.append(0x5D) }
  }

  private mutating func writeMerged(
    _ places: [Place], _ field: OTLPField, _ bytes: Span<UInt8>, _ table: borrowing OTLPTableView
  ) throws(WireError) {
    writeLabel(field, table)
    var pieces: [WireRange] = []
    for place in places {
      var cursor = WireCursor(bytes, in: place.rest)
      pieces.append(try cursor.readLengthDelimited())
    }
    let start = try open(at: pieces[0].lowerBound)
    try writeOutOfOrder(Int(field.detail), pieces, bytes, table)
    close(start)
  }
}
