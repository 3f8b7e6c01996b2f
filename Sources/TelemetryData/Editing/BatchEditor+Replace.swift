import WireFormat

extension BatchEditor {
  /// What becomes of fields.
  enum FieldOutcome {
    case unchanged
    case removed
    /// A whole field, with its tag.
    case field(WirePatch.Piece)
  }

  /// Changes the fields that match, knowing of changes made before.
  ///
  /// Of several matching fields the first is replaced and the others are removed.
  mutating func change(
    _ match: FieldMatch, on target: EditTarget, whenPresent: FieldOutcome, whenAbsent: FieldOutcome
  ) {
    guard let payload = payload(of: target) else {
      changeNewMessage(match, of: target, whenPresent: whenPresent, whenAbsent: whenAbsent)
      return
    }
    var found = false
    var insertion = payload.upperBound
    var hasPlace = false
    var replacement = whenPresent
    let source = batch.bytes
    var cursor = WireCursor(source.span, in: payload)
    let number = match.number
    while let field = cursor.nextField() {
      if field.fieldNumber != number {
        if field.fieldNumber > number { hasPlace = true } else if !hasPlace { insertion = cursor.offset }
        continue
      }
      insertion = cursor.offset
      guard match.matches(field, in: source.span) else { continue }
      let earlier = recorded(field.range, on: target)
      if let earlier, earlier.piece.range.isEmpty { continue }
      found = true
      apply(replacement, to: field.range, earlier: earlier?.position, on: target)
      if case .field = replacement { replacement = .removed }
    }
    if changeInsertions(match, on: target, to: replacement) { return }
    if !found, case .field(let piece) = whenAbsent {
      let frame = frame(of: target)
      patch.insert(piece, at: insertion, in: frame)
    }
  }

  private mutating func apply(
    _ outcome: FieldOutcome, to range: WireRange, earlier: Int?, on target: EditTarget
  ) {
    let piece: WirePatch.Piece
    switch outcome {
    case .unchanged: return
    case .removed: piece = .nothing
    case .field(let field): piece = field
    }
    if let earlier {
      patch.revise(at: earlier, with: piece)
    } else {
      let frame = frame(of: target)
      patch.replace(range, with: piece, in: frame)
    }
  }

  /// Changes matching fields among those inserted before; true when one was there.
  private mutating func changeInsertions(
    _ match: FieldMatch, on target: EditTarget, to outcome: FieldOutcome
  ) -> Bool {
    guard let frame = openFrame(of: target) else { return false }
    var insertions: [(position: Int, piece: WirePatch.Piece)] = []
    patch.forEachReplacement(in: frame) { position, range, piece in
      if range.isEmpty, !piece.range.isEmpty { insertions.append((position, piece)) }
    }
    if insertions.isEmpty { return false }
    var changed = false
    var rest: [UInt8]?
    var keeps = false
    switch outcome {
    case .unchanged: keeps = true
    case .removed: break
    case .field(let piece): rest = bytes(of: piece)
    }
    for insertion in insertions {
      let content = bytes(of: insertion.piece)
      guard let bytes = match.rewrite(content.span, with: rest) else { continue }
      changed = true
      if keeps { continue }
      let piece = piece(bytes)
      patch.revise(at: insertion.position, with: piece)
      rest = nil
    }
    return changed
  }

  /// The change recorded for a field, if any: one that replaces it, or a deletion that covers it.
  private func recorded(
    _ field: WireRange, on target: EditTarget
  ) -> (position: Int, piece: WirePatch.Piece)? {
    guard let frame = openFrame(of: target) else { return nil }
    var result: (Int, WirePatch.Piece)?
    patch.forEachReplacement(in: frame) { position, range, piece in
      if range.start <= field.start, range.end >= field.end, !range.isEmpty { result = (position, piece) }
    }
    return result
  }

  private mutating func changeNewMessage(
    _ match: FieldMatch, of target: EditTarget, whenPresent: FieldOutcome, whenAbsent: FieldOutcome
  ) {
    let content = newMessages[target] ?? []
    switch whenPresent {
    case .unchanged:
      if match.rewrite(content.span, with: nil) != nil { return }
    case .removed:
      if let rewritten = match.rewrite(content.span, with: nil) {
        newMessages[target] = rewritten
        return
      }
    case .field(let piece):
      if let rewritten = match.rewrite(content.span, with: bytes(of: piece)) {
        newMessages[target] = rewritten
        return
      }
    }
    if case .field(let piece) = whenAbsent { newMessages[target] = content + bytes(of: piece) }
  }

  private func bytes(of piece: WirePatch.Piece) -> [UInt8] {
    BytesView(patch.pieces.bytes.extracting(piece.range.range)).array
  }

  /// Puts bytes among the pieces.
  private mutating func piece(_ bytes: [UInt8]) -> WirePatch.Piece {
    let start = patch.pieces.count
    patch.pieces.write(bytes.span)
    return patch.piece(from: start)
  }
}
