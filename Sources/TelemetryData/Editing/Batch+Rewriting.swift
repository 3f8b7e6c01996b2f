public import WireFormat

/// What becomes of an item that a closure looked at.
public enum ItemRewrite: Sendable {
  /// It stays as it is; what was written is forgotten.
  case kept
  /// It is what was written.
  case written
  /// It goes, and its scope and resource with the last one.
  case removed
}

extension Batch {
  /// A batch in which a closure has written some of the spans, metrics or log records anew.
  ///
  /// For items of which much changes, so that writing them costs less than many edits.
  ///
  /// - Parameters:
  ///   - body: gets the position of an item, in the order of the batch, and writes the fields of its message.
  ///   - appending: called behind the items of each scope, with its position: writes more items, each a field 2.
  ///   - trailing: called at the end: writes more resources with what is in them, each a field 1.
  /// - Throws: ``WireError/Reason/tooLarge`` when the result would not be addressable with 32 bits.
  public func rewritingItems(
    _ body: (_ position: Int, _ writer: inout WireWriter) -> ItemRewrite,
    appending: (_ scope: Int, _ writer: inout WireWriter) -> Void = { _, _ in },
    trailing: (_ writer: inout WireWriter) -> Void = { _ in }
  ) throws(WireError) -> Batch {
    var patch = WirePatch(capacity: index.items.count / 4 + 16)
    for resource in index.resources.indices {
      var outer: WirePatch.Frame?
      let scopes = index.scopes(ofResource: resource)
      var emptied = ItemSet(capacity: scopes.count)
      var decisions: [ScopeRewrite] = []
      for scope in scopes {
        let decision = decide(scope, in: &patch, body, appending)
        if decision.isEmptied { emptied.insert(scope - scopes.lowerBound) }
        decisions.append(decision)
      }
      if !scopes.isEmpty, emptied.count == scopes.count {
        patch.delete(index.resources[resource].field, in: .root)
        continue
      }
      for (scope, decision) in zip(scopes, decisions) where decision.changes {
        let frame = outer ?? openResource(resource, in: &patch)
        outer = frame
        if decision.isEmptied {
          patch.delete(index.scopes[scope].field, in: frame)
        } else {
          apply(decision, to: scope, of: frame, in: &patch)
        }
      }
    }
    let start = patch.pieces.count
    trailing(&patch.pieces)
    if patch.pieces.count > start {
      patch.insert(patch.piece(from: start), at: bytes.count, in: .root)
    }
    return patch.isEmpty ? self : Batch(rewritten: try patch.apply(to: bytes), signal: signal)
  }

  /// What becomes of the items of a scope.
  private struct ScopeRewrite {
    /// Items with what takes their place; nothing for those that go.
    var replacements: [(item: Int, piece: WirePatch.Piece)] = []
    var appended = WirePatch.Piece.nothing
    /// Whether the last item has gone.
    var isEmptied = false
    var changes: Bool { !replacements.isEmpty || !appended.range.isEmpty }
  }

  private func decide(
    _ scope: Int, in patch: inout WirePatch, _ body: (Int, inout WireWriter) -> ItemRewrite,
    _ appending: (Int, inout WireWriter) -> Void
  ) -> ScopeRewrite {
    var decision = ScopeRewrite()
    var removed = 0
    let items = index.items(ofScope: scope)
    for item in items {
      let start = patch.pieces.count
      let mark = patch.pieces.beginMessage(2)
      switch body(item, &patch.pieces) {
      case .kept: patch.pieces.cancelMessage(mark, 2)
      case .removed:
        patch.pieces.cancelMessage(mark, 2)
        decision.replacements.append((item, .nothing))
        removed += 1
      case .written:
        patch.pieces.endMessage(mark)
        decision.replacements.append((item, patch.piece(from: start)))
      }
    }
    let start = patch.pieces.count
    appending(scope, &patch.pieces)
    if patch.pieces.count > start { decision.appended = patch.piece(from: start) }
    decision.isEmptied = removed > 0 && removed == items.count && decision.appended.range.isEmpty
    return decision
  }

  private func apply(
    _ decision: ScopeRewrite, to scope: Int, of resource: WirePatch.Frame, in patch: inout WirePatch
  ) {
    let frame = openScope(scope, of: resource, in: &patch)
    for (item, piece) in decision.replacements {
      patch.replace(index.items[item].field, with: piece, in: frame)
    }
    if !decision.appended.range.isEmpty {
      patch.insert(decision.appended, at: index.scopes[scope].payload.upperBound, in: frame)
    }
  }
}

/// Some of the fields of a message, by numbers below 64.
public struct FieldNumbers: Sendable, Hashable, ExpressibleByArrayLiteral {
  private var bits: UInt64 = 0

  public init(arrayLiteral elements: UInt32...) {
    for number in elements { insert(number) }
  }

  public mutating func insert(_ number: UInt32) { if number < 64 { bits |= 1 &<< UInt64(number) } }

  public mutating func formUnion(_ other: FieldNumbers) { bits |= other.bits }

  public func contains(_ number: UInt32) -> Bool { number < 64 && bits & (1 &<< UInt64(number)) != 0 }
}

extension WireWriter {
  /// Copies the fields of a message as they are, unknown ones included, but for some.
  public mutating func copyFields(of message: WireMessage, except left: FieldNumbers) {
    var cursor = message.fields
    while let field = cursor.nextField() {
      if !left.contains(field.fieldNumber) { write(message.bytes, in: field.range) }
    }
  }
}
