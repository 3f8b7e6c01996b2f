import WireFormat

extension BatchEditor {
  /// Sets an attribute, whether it is there or not. Metrics have none: address their data points.
  public mutating func upsert(_ key: String, _ value: AnyValue, on target: EditTarget) {
    change(key, value, on: target) { field in (.field(field), .field(field)) }
  }

  /// Sets an attribute if it is not there.
  public mutating func insert(_ key: String, _ value: AnyValue, on target: EditTarget) {
    change(key, value, on: target) { field in (.unchanged, .field(field)) }
  }

  /// Sets an attribute if it is there.
  public mutating func update(_ key: String, _ value: AnyValue, on target: EditTarget) {
    change(key, value, on: target) { field in (.field(field), .unchanged) }
  }

  /// Removes an attribute, every time it occurs.
  public mutating func delete(_ key: String, on target: EditTarget) {
    change(key, .empty, on: target) { _ in (.removed, .unchanged) }
  }

  private mutating func change(
    _ key: String, _ value: AnyValue, on target: EditTarget,
    to outcomes: (WirePatch.Piece) -> (whenPresent: FieldOutcome, whenAbsent: FieldOutcome)
  ) {
    guard let number = batch.attributesField(of: target) else { return }
    let start = patch.pieces.count
    patch.pieces.message(number) { $0.writeKeyValue(key, value) }
    let outcome = outcomes(patch.piece(from: start))
    change(
      .attribute(number, key: [UInt8](key.utf8)), on: target, whenPresent: outcome.whenPresent,
      whenAbsent: outcome.whenAbsent)
  }
}
