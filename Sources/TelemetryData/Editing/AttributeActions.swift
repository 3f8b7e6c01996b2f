import WireFormat

/// Changes of attributes by key, compiled so that one walk over a message applies them all.
///
/// Actions take effect one after the other, as the Collector's `attributes` and `resource` processors define
/// them. Several on one key are folded into what becomes of the key when it is there, and when it is not.
public struct AttributeActions: Sendable {
  /// What becomes of a key: the position of an encoded `KeyValue` in `values`, or one of the negative
  /// constants.
  struct Outcome: Sendable, Hashable {
    var value: Int
    static let unchanged = Outcome(value: -1)
    static let absent = Outcome(value: -2)
  }

  /// Plain numbers, so that reading one takes no reference counting.
  struct Entry: Sendable {
    /// Where the key stands in `keys`.
    var key: WireRange
    var whenPresent: Outcome
    var whenAbsent: Outcome
  }

  var entries: [Entry] = []
  /// The keys of all entries, one after the other.
  var keys: [UInt8] = []
  /// Encoded `KeyValue` messages.
  var values: [[UInt8]] = []

  public init() {}

  public var isEmpty: Bool { entries.isEmpty }

  /// Sets the attribute, whether it is there or not.
  public mutating func upsert(_ key: String, _ value: AnyValue) {
    let outcome = store(key, value)
    change(key) { _ in
      outcome
    } whenAbsent: { _ in
      outcome
    }
  }

  /// Sets the attribute if it is not there.
  public mutating func insert(_ key: String, _ value: AnyValue) {
    let outcome = store(key, value)
    let fill = { (current: Outcome) in current == .absent ? outcome : current }
    change(key, whenPresent: fill, whenAbsent: fill)
  }

  /// Sets the attribute if it is there.
  public mutating func update(_ key: String, _ value: AnyValue) {
    let outcome = store(key, value)
    let replace = { (current: Outcome) in current == .absent ? current : outcome }
    change(key, whenPresent: replace, whenAbsent: replace)
  }

  /// Removes the attribute, every time it occurs.
  public mutating func delete(_ key: String) {
    change(key) { _ in
      .absent
    } whenAbsent: { _ in
      .absent
    }
  }

  private mutating func store(_ key: String, _ value: AnyValue) -> Outcome {
    var writer = WireWriter(capacity: 64)
    writer.writeKeyValue(key, value)
    values.append(writer.finish())
    return Outcome(value: values.count - 1)
  }

  private mutating func change(
    _ key: String, whenPresent: (Outcome) -> Outcome, whenAbsent: (Outcome) -> Outcome
  ) {
    let bytes = key.utf8.span
    var position = 0
    while position < entries.count {
      if keys.span.extracting(entries[position].key.range).hasSameBytes(as: bytes) { break }
      position += 1
    }
    if position == entries.count {
      let range = WireRange(keys.count, keys.count + bytes.count)
      keys += Array(key.utf8)
      entries.append(Entry(key: range, whenPresent: .unchanged, whenAbsent: .absent))
    }
    entries[position].whenPresent = whenPresent(entries[position].whenPresent)
    entries[position].whenAbsent = whenAbsent(entries[position].whenAbsent)
  }
}
