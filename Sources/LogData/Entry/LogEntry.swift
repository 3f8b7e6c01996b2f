package import WireFormat

/// One log record in the making: body, attributes, resource and the other fields of OTLP's `LogRecord`.
///
/// Text lies in one arena and values point into it, so that a parser which finds ten fields in a line copies none of
/// them. An entry is reused for the next line: ``reset()`` keeps its memory.
///
/// The arena holds less than 4 GiB; what does not fit is cut.
package struct LogEntry: Sendable {
  /// Keys and text of all values.
  package internal(set) var arena: [UInt8] = []
  var slots: [LogSlot] = []
  /// First and last slot of each list or map, -1 when it is empty. The first two are attributes and resource.
  var chains: [(first: Int32, last: Int32)] = [(-1, -1), (-1, -1)]

  package var body = LogValue.null
  /// Nanoseconds since the Unix epoch; 0 when unknown.
  package var timestamp: UInt64 = 0
  /// When it was read, in nanoseconds since the Unix epoch.
  package var observedTimestamp: UInt64 = 0
  /// 1 to 24, 0 when unspecified (OTLP `SeverityNumber`).
  package var severityNumber: Int32 = 0
  /// In the arena.
  package var severityText = WireRange(start: 0, end: 0)
  /// 16 bytes in the arena, or empty.
  package var traceID = WireRange(start: 0, end: 0)
  /// 8 bytes in the arena, or empty.
  package var spanID = WireRange(start: 0, end: 0)
  /// W3C trace flags.
  package var traceFlags: UInt32 = 0
  /// In the arena.
  package var scopeName = WireRange(start: 0, end: 0)
  /// Where the entry was read, for those that must know when it has been delivered; opaque here.
  package var source = LogSource()

  package init() {}

  /// An empty entry with the memory of this one.
  package mutating func reset() {
    arena.removeAll(keepingCapacity: true)
    slots.removeAll(keepingCapacity: true)
    if chains.count > 2 { chains.removeLast(chains.count - 2) }
    chains[0] = (-1, -1)
    chains[1] = (-1, -1)
    body = .null
    timestamp = 0
    observedTimestamp = 0
    severityNumber = 0
    severityText = WireRange(start: 0, end: 0)
    traceID = WireRange(start: 0, end: 0)
    spanID = WireRange(start: 0, end: 0)
    traceFlags = 0
    scopeName = WireRange(start: 0, end: 0)
    source = LogSource()
  }

  // Text.

  /// Text or bytes of the arena.
  @_lifetime(borrow self)
  package func text(_ range: WireRange) -> Span<UInt8> { arena.span.extracting(range.range) }

  package mutating func add(_ text: String) -> WireRange {
    let start = arena.count
    arena.append(contentsOf: text.utf8)
    return WireRange(start, arena.count)
  }

  /// A string value with a copy of `text`.
  package mutating func string(_ text: String) -> LogValue { .string(add(text)) }

  // Lists and maps.

  /// A new empty map.
  package mutating func makeMap() -> (chain: LogChain, value: LogValue) { make(.map) }
  /// A new empty list.
  package mutating func makeList() -> (chain: LogChain, value: LogValue) { make(.list) }

  private mutating func make(_ kind: LogValue.Kind) -> (chain: LogChain, value: LogValue) {
    chains.append((-1, -1))
    let position = chains.count - 1
    return (LogChain(position: position), LogValue(kind, bits: UInt64(position)))
  }

  /// Adds an element at the end; for maps the caller knows that the key is not there yet.
  package mutating func append(
    key: WireRange = WireRange(start: 0, end: 0), _ value: LogValue, to chain: LogChain
  ) {
    let position = Int32(truncatingIfNeeded: slots.count)
    slots.append(LogSlot(key: key, value: value, next: -1))
    let last = chains[chain.position].last
    if last < 0 {
      chains[chain.position].first = position
    } else {
      slots[Int(last)].next = position
    }
    chains[chain.position].last = position
  }

  /// The value of a key; nil when the map does not have it.
  package func value(of key: Span<UInt8>, in map: LogChain) -> LogValue? {
    let position = slot(of: key, in: map)
    return position < 0 ? nil : slots[position].value
  }

  /// Sets a key, whether it is there or not. `key` lies in the arena.
  package mutating func set(_ key: WireRange, to value: LogValue, in map: LogChain) {
    let position = slot(of: text(key), in: map)
    if position < 0 { append(key: key, value, to: map) } else { slots[position].value = value }
  }

  /// Takes a key out; its value, or nil when it is not there.
  package mutating func remove(_ key: Span<UInt8>, from map: LogChain) -> LogValue? {
    var before: Int32 = -1
    var position = chains[map.position].first
    while position >= 0 {
      let slot = slots[Int(position)]
      if text(slot.key).hasSameBytes(as: key) {
        if before < 0 { chains[map.position].first = slot.next } else { slots[Int(before)].next = slot.next }
        if slot.next < 0 { chains[map.position].last = before }
        return slot.value
      }
      before = position
      position = slot.next
    }
    return nil
  }

  /// Empties a list or a map.
  package mutating func removeAll(of chain: LogChain) { chains[chain.position] = (-1, -1) }

  /// Calls `body` with each key and value in order.
  package func forEach(in chain: LogChain, _ body: (_ key: WireRange, _ value: LogValue) -> Void) {
    var position = chains[chain.position].first
    while position >= 0 {
      let slot = slots[Int(position)]
      body(slot.key, slot.value)
      position = slot.next
    }
  }

  func slot(of key: Span<UInt8>, in map: LogChain) -> Int {
    var position = chains[map.position].first
    while position >= 0 {
      let slot = slots[Int(position)]
      if slot.key.count == key.count, text(slot.key).hasSameBytes(as: key) { return Int(position) }
      position = slot.next
    }
    return -1
  }
}

/// Where an entry was read: a file or connection, and which of its lines.
package struct LogSource: Sendable, Hashable {
  /// The number of the file or connection, given by the receiver.
  package var stream: Int
  /// Bytes from the start of the stream to the first byte of the entry.
  package var start: UInt64
  /// Bytes from the start of the stream to the first byte behind the entry.
  package var end: UInt64

  package init(stream: Int = 0, start: UInt64 = 0, end: UInt64 = 0) {
    self.stream = stream
    self.start = start
    self.end = end
  }
}
