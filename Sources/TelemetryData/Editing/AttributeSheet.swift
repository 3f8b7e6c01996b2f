internal import WireFormat

/// The attributes of one message, copied out so that changes can read what earlier ones have made of them.
///
/// For actions that depend on values (hash, extract, convert, copy from another attribute); what only sets and removes
/// by key is faster as ``AttributeActions``. One sheet serves message after message and keeps its memory.
public struct AttributeSheet: ~Copyable {
  /// One attribute. Ranges are places in ``AttributeSheet/arena``.
  struct Entry: Sendable {
    var key: WireRange
    /// The fields of the `AnyValue` message.
    var value: WireRange
    /// The whole field in the batch; empty for an attribute that is new.
    var field: WireRange
    var isChanged = false
    var isRemoved = false
  }

  var entries: [Entry] = []
  /// Keys and values, old and new.
  var arena = WireWriter(capacity: 1024)

  public init() {}

  /// Reads the attributes of a message.
  ///
  /// - Parameters:
  ///   - payload: the fields of the message within `source`.
  ///   - number: the number of its attributes field.
  mutating func load(_ source: Span<UInt8>, _ payload: WireRange, fieldNumber number: UInt32) {
    entries.removeAll(keepingCapacity: true)
    arena.removeAll()
    var cursor = WireCursor(source, in: payload)
    while let field = cursor.nextField() {
      guard field.tag == .lengthDelimited(number) else { continue }
      let (key, value) = AttributeView.ranges(in: source, field.value)
      entries.append(
        Entry(
          key: add(source.extracting(key.range)), value: add(source.extracting(value.range)),
          field: field.range))
    }
  }

  /// The positions of the attributes that are there.
  public var positions: [Int] { entries.indices.filter { !entries[$0].isRemoved } }

  /// The position of the first attribute with a key; nil when there is none.
  public func position(of key: Span<UInt8>) -> Int? {
    for position in entries.indices where !entries[position].isRemoved {
      if arena.bytes.extracting(entries[position].key.range).hasSameBytes(as: key) { return position }
    }
    return nil
  }

  /// The key at a position.
  @_lifetime(borrow self)
  public func key(at position: Int) -> BytesView {
    BytesView(arena.bytes.extracting(entries[position].key.range))
  }

  /// The value at a position.
  @_lifetime(borrow self)
  public func value(at position: Int) -> AnyValueView {
    AnyValueView(WireMessage(arena.bytes, entries[position].value))
  }

  /// Sets the value at a position.
  public mutating func set(_ value: AnyValue, at position: Int) {
    entries[position].value = encode(value)
    entries[position].isChanged = true
  }

  /// Gives the attribute at a position the value of another.
  public mutating func copyValue(from source: Int, to position: Int) {
    entries[position].value = entries[source].value
    entries[position].isChanged = true
  }

  /// Adds an attribute behind the others; the caller knows that its key is not there.
  public mutating func append(_ key: Span<UInt8>, _ value: AnyValue) {
    append(add(key), encode(value))
  }

  /// Adds an attribute with the value of another.
  public mutating func append(_ key: Span<UInt8>, valueOf source: Int) {
    append(add(key), entries[source].value)
  }

  private mutating func append(_ key: WireRange, _ value: WireRange) {
    entries.append(Entry(key: key, value: value, field: WireRange(start: 0, end: 0), isChanged: true))
  }

  /// Takes the attribute at a position out.
  public mutating func remove(at position: Int) { entries[position].isRemoved = true }

  /// Takes out every attribute with a key.
  public mutating func removeAll(_ key: Span<UInt8>) {
    while let position = position(of: key) { remove(at: position) }
  }

  private mutating func add(_ text: Span<UInt8>) -> WireRange {
    let start = arena.count
    arena.write(text)
    return WireRange(start, arena.count)
  }

  private mutating func encode(_ value: AnyValue) -> WireRange {
    let start = arena.count
    arena.writeAnyValue(value)
    return WireRange(start, arena.count)
  }
}

extension BatchEditor {
  /// Lets a closure change the attributes of a target that was not changed before.
  ///
  /// - Important: other edits of the same target are made before or after the whole editor, not within it.
  public mutating func rewriteAttributes(
    of target: EditTarget, using sheet: inout AttributeSheet, _ body: (inout AttributeSheet) -> Void
  ) {
    guard let number = batch.attributesField(of: target) else { return }
    let source = batch.bytes
    let payload = payload(of: target)
    sheet.load(source.span, payload ?? WireRange(start: 0, end: 0), fieldNumber: number)
    body(&sheet)
    guard let payload else {
      for entry in sheet.entries where !entry.isRemoved {
        let piece = piece(entry, of: sheet, number: number)
        newMessages[target, default: []] += BytesView(patch.pieces.bytes.extracting(piece.range.range)).array
      }
      return
    }
    var insertion = payload.upperBound
    for entry in sheet.entries {
      let isNew = entry.field.isEmpty
      if !isNew { insertion = entry.field.upperBound }
      if entry.isRemoved {
        if isNew { continue }
        let frame = frame(of: target)
        patch.delete(entry.field, in: frame)
      } else if entry.isChanged {
        let piece = piece(entry, of: sheet, number: number)
        let frame = frame(of: target)
        if isNew {
          patch.insert(piece, at: insertion, in: frame)
        } else {
          patch.replace(entry.field, with: piece, in: frame)
        }
      }
    }
  }

  private mutating func piece(
    _ entry: AttributeSheet.Entry, of sheet: borrowing AttributeSheet, number: UInt32
  ) -> WirePatch.Piece {
    let start = patch.pieces.count
    sheet.write(entry, number, to: &patch.pieces)
    return patch.piece(from: start)
  }
}
