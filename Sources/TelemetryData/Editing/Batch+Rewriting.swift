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
  /// - Parameter body: gets the position of an item, in the order of the batch, and writes the fields of its message.
  /// - Throws: ``WireError/Reason/tooLarge`` when the result would not be addressable with 32 bits.
  public func rewritingItems(
    _ body: (_ position: Int, _ writer: inout WireWriter) -> ItemRewrite
  ) throws(WireError) -> Batch {
    var patch = WirePatch(capacity: index.items.count / 4 + 16)
    var remaining: ItemSet?
    for resource in index.resources.indices {
      var resourceFrame: WirePatch.Frame?
      for scope in index.scopes(ofResource: resource) {
        var scopeFrame: WirePatch.Frame?
        for item in index.items(ofScope: scope) {
          let start = patch.pieces.count
          let mark = patch.pieces.beginMessage(2)
          switch body(item, &patch.pieces) {
          case .kept: patch.pieces.cancelMessage(mark, 2)
          case .removed:
            patch.pieces.cancelMessage(mark, 2)
            var left = remaining ?? ItemSet(capacity: index.items.count, all: true)
            left.remove(item)
            remaining = left
          case .written:
            patch.pieces.endMessage(mark)
            let outer = resourceFrame ?? openResource(resource, in: &patch)
            resourceFrame = outer
            let inner = scopeFrame ?? openScope(scope, of: outer, in: &patch)
            scopeFrame = inner
            patch.replace(index.items[item].field, with: patch.piece(from: start), in: inner)
          }
        }
      }
    }
    let rewritten =
      patch.isEmpty ? self : Batch(rewritten: try patch.apply(to: bytes), signal: signal)
    return remaining.map { rewritten.selecting($0) } ?? rewritten
  }
}

/// Some of the fields of a message, by numbers below 64.
public struct FieldNumbers: Sendable, Hashable, ExpressibleByArrayLiteral {
  private let bits: UInt64

  public init(arrayLiteral elements: UInt32...) {
    bits = elements.reduce(0) { $0 | 1 << UInt64($1) }
  }

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
