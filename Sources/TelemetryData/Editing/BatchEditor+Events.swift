import WireFormat

extension AttributeSheet {
  /// How many attributes there are, those that were taken out included.
  package var count: Int { entries.count }

  /// Whether the message would be another.
  var isChanged: Bool {
    for entry in entries where entry.isChanged || entry.isRemoved { return true }
    return false
  }

  /// Writes the fields of the message that was loaded, with its attributes as they are now.
  ///
  /// - Parameters:
  ///   - payload: the same as when it was loaded.
  ///   - number: the number of its attributes field.
  borrowing func write(
    _ source: Span<UInt8>, _ payload: WireRange, fieldNumber number: UInt32, to writer: inout WireWriter
  ) {
    var position = 0
    var cursor = WireCursor(source, in: payload)
    while let field = cursor.nextField() {
      guard field.tag == .lengthDelimited(number) else {
        writer.write(source, in: field.range)
        continue
      }
      let entry = entries[position]
      position += 1
      if entry.isRemoved { continue }
      if entry.isChanged {
        write(entry, number, to: &writer)
      } else {
        writer.write(source, in: field.range)
      }
    }
    while position < entries.count {
      if !entries[position].isRemoved { write(entries[position], number, to: &writer) }
      position += 1
    }
  }

  /// Writes one attribute as a field.
  borrowing func write(_ entry: Entry, _ number: UInt32, to writer: inout WireWriter) {
    let mark = writer.beginMessage(number)
    if !entry.key.isEmpty { writer.bytesField(1, arena.bytes.extracting(entry.key.range)) }
    writer.bytesField(2, arena.bytes.extracting(entry.value.range))
    writer.endMessage(mark)
  }
}

extension BatchEditor {
  /// Lets a closure change the attributes of each event of a span whose events were not changed before.
  public mutating func rewriteEventAttributes(
    ofSpan position: Int, using sheet: inout AttributeSheet, _ body: (inout AttributeSheet) -> Void
  ) {
    let source = batch.bytes
    var cursor = WireCursor(source.span, in: batch.index.items[position].payload)
    while let field = cursor.nextField() {
      guard field.tag == .lengthDelimited(11) else { continue }
      sheet.load(source.span, field.value, fieldNumber: 3)
      body(&sheet)
      guard sheet.isChanged else { continue }
      let start = patch.pieces.count
      let mark = patch.pieces.beginMessage(11)
      sheet.write(source.span, field.value, fieldNumber: 3, to: &patch.pieces)
      patch.pieces.endMessage(mark)
      let piece = patch.piece(from: start)
      let frame = itemFrame(position)
      patch.replace(field.range, with: piece, in: frame)
    }
  }
}
