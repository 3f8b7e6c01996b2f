import WireFormat

extension BatchEditor {
  /// Applies compiled actions to one target.
  public mutating func apply(_ actions: AttributeActions, to target: EditTarget) {
    guard let number = batch.attributesField(of: target) else { return }
    let pieces = load(actions, fieldNumber: number)
    let source = batch.bytes
    apply(
      ActionWalk(actions, pieces: pieces.span, bytes: source.span, fieldNumber: number), actions, to: target)
  }

  /// Applies compiled actions to every span or log record, and for metrics to every data point.
  ///
  /// - Parameter chosen: the spans, log records or metrics that are changed; nil for all.
  public mutating func applyToItems(_ actions: AttributeActions, of chosen: ItemSet? = nil) {
    if actions.isEmpty || batch.index.items.isEmpty { return }
    guard let number = batch.attributesField(of: .item(0)) else {
      applyToDataPoints(actions, of: chosen)
      return
    }
    let pieces = load(actions, fieldNumber: number)
    let source = batch.bytes
    let walk = ActionWalk(actions, pieces: pieces.span, bytes: source.span, fieldNumber: number)
    for position in 0..<batch.index.items.count where chosen?.contains(position) ?? true {
      apply(walk, actions, to: .item(position))
    }
  }

  /// Applies compiled actions to every resource.
  public mutating func applyToResources(_ actions: AttributeActions) {
    if actions.isEmpty { return }
    let pieces = load(actions, fieldNumber: 1)
    let source = batch.bytes
    let walk = ActionWalk(actions, pieces: pieces.span, bytes: source.span, fieldNumber: 1)
    for position in 0..<batch.index.resources.count { apply(walk, actions, to: .resource(position)) }
  }

  private mutating func applyToDataPoints(_ actions: AttributeActions, of chosen: ItemSet?) {
    let source = batch.bytes
    var loaded: [UInt32: [WirePatch.Piece]] = [:]
    for metric in 0..<batch.index.items.count where chosen?.contains(metric) ?? true {
      for place in batch.dataPoints(ofMetric: metric) {
        let number = place.kind.attributesField
        let pieces = loaded[number] ?? load(actions, fieldNumber: number)
        loaded[number] = pieces
        let walk = ActionWalk(actions, pieces: pieces.span, bytes: source.span, fieldNumber: number)
        apply(walk, actions, to: .dataPoint(place))
      }
    }
  }

  /// Puts the values of actions among the pieces, as fields of a number.
  private mutating func load(_ actions: AttributeActions, fieldNumber: UInt32) -> [WirePatch.Piece] {
    var loaded: [WirePatch.Piece] = []
    for value in actions.values {
      let start = patch.pieces.count
      patch.pieces.bytesField(fieldNumber, value)
      loaded.append(patch.piece(from: start))
    }
    return loaded
  }

  private mutating func apply(
    _ walk: borrowing ActionWalk, _ actions: borrowing AttributeActions, to target: EditTarget
  ) {
    if let payload = payload(of: target), openFrame(of: target) == nil, walk.entries.count <= 64 {
      applyInOneWalk(walk, to: target, payload: payload)
    } else {
      applyOneByOne(walk, to: target)
    }
  }

  /// For targets that were changed before, or that the batch lacks.
  private mutating func applyOneByOne(_ walk: borrowing ActionWalk, to target: EditTarget) {
    for position in walk.entries.indices {
      let entry = walk.entries[position]
      let key = BytesView(walk.keys.extracting(entry.key.range)).array
      let whenPresent = outcome(entry.whenPresent, walk, ifAbsent: .removed)
      let whenAbsent = outcome(entry.whenAbsent, walk, ifAbsent: .unchanged)
      change(
        .attribute(walk.tag.fieldNumber, key: key), on: target, whenPresent: whenPresent,
        whenAbsent: whenAbsent)
    }
  }

  private func outcome(
    _ outcome: AttributeActions.Outcome, _ walk: borrowing ActionWalk, ifAbsent: FieldOutcome
  ) -> FieldOutcome {
    switch outcome {
    case .unchanged: .unchanged
    case .absent: ifAbsent
    default: .field(walk.pieces[outcome.value])
    }
  }

  /// For targets as they came: finds all keys in one walk.
  private mutating func applyInOneWalk(
    _ walk: borrowing ActionWalk, to target: EditTarget, payload: WireRange
  ) {
    var frame = WirePatch.Frame.root
    var seen: UInt64 = 0
    var insertion = payload.upperBound
    var hasPlace = false
    var cursor = WireCursor(walk.bytes, in: payload)
    while let step = cursor.nextField(walk.tag) {
      if step.tag != walk.tag {
        if step.tag.fieldNumber > walk.tag.fieldNumber {
          hasPlace = true
        } else if !hasPlace {
          insertion = cursor.offset
        }
        continue
      }
      insertion = cursor.offset
      hasPlace = true
      let position = walk.entry(forAttributeAt: step.payload)
      if position < 0 { continue }
      let isFirst = seen & (1 &<< UInt64(position)) == 0
      seen |= 1 &<< UInt64(position)
      let outcome = walk.entries[position].whenPresent
      if outcome == .unchanged { continue }
      let piece = outcome == .absent || !isFirst ? .nothing : walk.pieces[outcome.value]
      if frame == .root { frame = self.frame(of: target) }
      patch.replace(WireRange(step.start, cursor.offset), with: piece, in: frame)
    }
    var position = 0
    while position < walk.entries.count {
      let outcome = walk.entries[position].whenAbsent
      if seen & (1 &<< UInt64(position)) == 0, outcome.value >= 0 {
        if frame == .root { frame = self.frame(of: target) }
        patch.insert(walk.pieces[outcome.value], at: insertion, in: frame)
      }
      position &+= 1
    }
  }
}

/// All that a walk over one message needs, borrowed once for many messages.
private struct ActionWalk: ~Escapable {
  let bytes: Span<UInt8>
  let keys: Span<UInt8>
  let entries: Span<AttributeActions.Entry>
  /// The encoded fields by the position of the value.
  let pieces: Span<WirePatch.Piece>
  let tag: WireTag
  /// Bit n is set when a key has n bytes, modulo 64: most attributes need no more than this to be passed
  /// over.
  let keyLengths: UInt64

  @_lifetime(copy bytes, borrow actions, copy pieces)
  init(
    _ actions: borrowing AttributeActions, pieces: Span<WirePatch.Piece>, bytes: Span<UInt8>,
    fieldNumber: UInt32
  ) {
    self.bytes = bytes
    self.pieces = pieces
    keys = actions.keys.span
    entries = actions.entries.span
    tag = .lengthDelimited(fieldNumber)
    var lengths: UInt64 = 0
    for entry in actions.entries { lengths |= 1 &<< UInt64(truncatingIfNeeded: entry.key.count) }
    keyLengths = lengths
  }

  /// The position of the entry with the key of an attribute, or -1.
  @inline(__always)
  func entry(forAttributeAt payload: WireRange) -> Int {
    let key = AttributeView.ranges(in: bytes, payload).key
    if keyLengths & (1 &<< UInt64(truncatingIfNeeded: key.count)) == 0 { return -1 }
    var position = 0
    while position < entries.count {
      let candidate = entries[position].key
      if candidate.count == key.count,
        keys.extracting(candidate.range).hasSameBytes(as: bytes.extracting(key.range))
      {
        return position
      }
      position &+= 1
    }
    return -1
  }
}

extension WireCursor {
  /// The next field, whichever it is, with its value if it has a tag: for walks that look for one field and
  /// for the place where it belongs.
  @inline(__always)
  fileprivate mutating func nextField(
    _ wanted: WireTag
  ) -> (tag: WireTag, start: Int, payload: WireRange)? {
    if offset >= end { return nil }
    let start = offset
    // A tag of one byte and a length of one byte, as attributes have.
    if start &+ 1 < end, UInt32(bytes[start]) == wanted.rawValue, bytes[start &+ 1] < 0x80 {
      let payload = WireRange(start &+ 2, start &+ 2 &+ Int(bytes[start &+ 1]))
      if payload.upperBound <= end {
        offset = payload.upperBound
        return (wanted, start, payload)
      }
    }
    do throws(WireError) {
      let tag = try readTag()
      if tag == wanted { return (tag, start, try readLengthDelimited()) }
      try skip(tag)
      return (tag, start, WireRange(start: 0, end: 0))
    } catch {
      offset = end
      return nil
    }
  }
}
