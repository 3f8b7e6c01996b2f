/// Replacements in an encoded message, applied together in one copy pass.
///
/// A patch gathers ranges of the source and what takes their place, each within a *frame*: a nested message
/// whose length has to follow. Only the lengths of frames are recomputed; every byte between replacements is
/// copied as it is, so that unknown fields, field order and the spelling of untouched messages survive.
///
/// Replacements may be recorded in any order. In ascending order, the usual case, nothing is sorted.
///
/// - Important: Ranges of replacements must not overlap each other or the length of a frame.
public struct WirePatch: ~Copyable {
  /// A nested message with replacements inside.
  public struct Frame: Hashable, Sendable {
    @usableFromInline
    var id: UInt32
    @usableFromInline
    init(id: UInt32) { self.id = id }
    /// The message that is the whole buffer.
    @inlinable
    public static var root: Frame { Frame(id: .max) }
  }

  /// A piece of the bytes that replacements are made of.
  public struct Piece: Hashable, Sendable {
    public var range: WireRange
    @inlinable
    public init(range: WireRange) { self.range = range }
    /// Nothing: replacing with it deletes.
    @inlinable
    public static var nothing: Piece { Piece(range: WireRange(start: 0, end: 0)) }
  }

  @usableFromInline
  struct Operation {
    @usableFromInline var start: UInt32
    @usableFromInline var end: UInt32
    /// The offset of the piece, or the new length of a frame.
    @usableFromInline var data: UInt32
    /// The length of the piece, or `UInt32.max` for the length of a frame.
    @usableFromInline var length: UInt32
    @usableFromInline var frame: UInt32
    @usableFromInline
    init(start: UInt32, end: UInt32, data: UInt32, length: UInt32, frame: UInt32) {
      self.start = start
      self.end = end
      self.data = data
      self.length = length
      self.frame = frame
    }
  }

  @usableFromInline
  struct FrameState {
    @usableFromInline var parent: UInt32
    @usableFromInline var lengthStart: UInt32
    @usableFromInline var payload: WireRange
    @usableFromInline var operation: UInt32
    @usableFromInline var depth: UInt32
    @usableFromInline var delta: Int
    @usableFromInline
    init(parent: UInt32, lengthStart: UInt32, payload: WireRange, operation: UInt32, depth: UInt32) {
      self.parent = parent
      self.lengthStart = lengthStart
      self.payload = payload
      self.operation = operation
      self.depth = depth
      delta = 0
    }
  }

  @usableFromInline
  var operations: [Operation] = []
  @usableFromInline
  var frames: [FrameState] = []
  @usableFromInline
  var rootDelta = 0
  @usableFromInline
  var isSorted = true

  /// The bytes of replacements; write here, then name what was written with ``piece(from:)``.
  public var pieces: WireWriter

  /// A patch with room for an expected number of replacements and of frames.
  @inlinable
  public init(capacity: Int = 16, frames frameCapacity: Int = 4) {
    pieces = WireWriter(capacity: 256)
    operations.reserveCapacity(capacity)
    frames.reserveCapacity(frameCapacity)
  }

  /// Whether nothing would change.
  @inlinable
  public var isEmpty: Bool { operations.isEmpty }

  /// What was written to ``pieces`` since it held a number of bytes.
  @inlinable
  public func piece(from start: Int) -> Piece { Piece(range: WireRange(start, pieces.count)) }

  /// Declares a nested message as one with replacements inside.
  ///
  /// Each message is declared once, after the one that encloses it.
  ///
  /// - Parameters:
  ///   - lengthStart: The offset of the varint that holds its length.
  ///   - payload: Its bytes, beginning right behind the length.
  ///   - parent: The message that encloses it.
  @inlinable
  public mutating func frame(lengthStart: Int, payload: WireRange, in parent: Frame) -> Frame {
    let id = UInt32(truncatingIfNeeded: frames.count)
    let depth = parent == .root ? 1 : frames[Int(parent.id)].depth &+ 1
    let start = UInt32(truncatingIfNeeded: lengthStart)
    frames.append(
      FrameState(
        parent: parent.id, lengthStart: start, payload: payload,
        operation: UInt32(truncatingIfNeeded: operations.count), depth: depth))
    append(Operation(start: start, end: payload.start, data: 0, length: .max, frame: id))
    return Frame(id: id)
  }

  /// Records that a piece takes the place of a range; an empty range inserts, an empty piece deletes.
  @inlinable
  public mutating func replace(_ range: WireRange, with piece: Piece, in frame: Frame) {
    let delta = piece.range.count &- range.count
    if delta == 0, range.isEmpty { return }
    if frame == .root { rootDelta &+= delta } else { frames[Int(frame.id)].delta &+= delta }
    if let last = operations.last, last.frame == frame.id, last.end == range.start, last.length != .max {
      // Neighbours become one operation: deletions of what stands side by side, insertions of what was
      // written so.
      if piece.range.isEmpty, last.length == 0 {
        operations[operations.count &- 1].end = range.end
        return
      }
      if range.isEmpty, last.start == last.end, last.data &+ last.length == piece.range.start {
        operations[operations.count &- 1].length &+= UInt32(truncatingIfNeeded: piece.range.count)
        return
      }
    }
    append(
      Operation(
        start: range.start, end: range.end, data: piece.range.start,
        length: UInt32(truncatingIfNeeded: piece.range.count), frame: frame.id))
  }

  @inlinable
  public mutating func delete(_ range: WireRange, in frame: Frame) {
    replace(range, with: .nothing, in: frame)
  }

  @inlinable
  public mutating func insert(_ piece: Piece, at offset: Int, in frame: Frame) {
    replace(WireRange(offset, offset), with: piece, in: frame)
  }

  @inlinable
  @inline(__always)
  mutating func append(_ operation: Operation) {
    if isSorted, let last = operations.last, last.start >= operation.start {
      isSorted = !precedes(operation, last)
    }
    operations.append(operation)
  }

  /// Whether one operation has to be written before another: by place; insertions before what they stand in
  /// front of; and among insertions at one place, those into inner messages first.
  @usableFromInline
  func precedes(_ a: Operation, _ b: Operation) -> Bool {
    if a.start != b.start { return a.start < b.start }
    let (aInserts, bInserts) = (a.start == a.end, b.start == b.end)
    if aInserts != bInserts { return aInserts }
    return aInserts && depth(a.frame) > depth(b.frame)
  }

  func depth(_ frame: UInt32) -> UInt32 { frame == .max ? 0 : frames[Int(frame)].depth }

  /// The replacements recorded in a message so far: the position of each, its range, and the piece in its
  /// place.
  @inlinable
  public func forEachReplacement(in frame: Frame, _ body: (Int, WireRange, Piece) -> Void) {
    var position = frame == .root ? 0 : Int(frames[Int(frame.id)].operation) &+ 1
    while position < operations.count {
      let operation = operations[position]
      if operation.frame == frame.id, operation.length != .max {
        body(
          position, WireRange(start: operation.start, end: operation.end),
          Piece(range: WireRange(start: operation.data, end: operation.data &+ operation.length)))
      }
      position &+= 1
    }
  }

  /// Puts another piece in the place of one recorded before.
  ///
  /// - Parameter position: What ``forEachReplacement(in:_:)`` gave for it.
  @inlinable
  public mutating func revise(at position: Int, with piece: Piece) {
    let operation = operations[position]
    let delta = piece.range.count &- Int(operation.length)
    if operation.frame == .max { rootDelta &+= delta } else { frames[Int(operation.frame)].delta &+= delta }
    operations[position].data = piece.range.start
    operations[position].length = UInt32(truncatingIfNeeded: piece.range.count)
  }

  /// The message with everything replaced.
  ///
  /// - Parameter source: The bytes the ranges were taken from.
  /// - Throws: ``WireError/Reason/tooLarge`` when the result would not be addressable with 32 bits.
  public consuming func apply(to source: [UInt8]) throws(WireError) -> [UInt8] {
    if operations.isEmpty { return source }
    var index = frames.count
    var total = rootDelta
    while index > 0 {
      index -= 1
      let state = frames[index]
      let length = state.payload.count + state.delta
      if length > Int(UInt32.max) { throw WireError(.tooLarge, at: Int(state.lengthStart)) }
      operations[Int(state.operation)].data = UInt32(truncatingIfNeeded: length)
      let growth = Varint.length(UInt64(length)) - Int(state.payload.start - state.lengthStart)
      if state.parent == .max {
        total += state.delta + growth
      } else {
        frames[Int(state.parent)].delta += state.delta + growth
      }
    }
    let size = source.count + total
    if size >= Int(UInt32.max) { throw WireError(.tooLarge, at: source.count) }
    if !isSorted {
      let order = operations.indices.sorted { a, b in
        if precedes(operations[a], operations[b]) { return true }
        return precedes(operations[b], operations[a]) ? false : a < b
      }
      let unsorted = operations
      operations = order.map { unsorted[$0] }
    }
    return copied(from: source, size: size)
  }
}
