internal import WireFormat

/// Where a run of spans stands in a ``SpanStore``.
struct RunPlace: Equatable {
  var block: UInt32
  var offset: UInt32

  static let none = RunPlace(block: .max, offset: 0)
}

/// Keeps the encoded spans of traces that are not decided, in a few large blocks.
///
/// Neighbouring spans of one trace in one scope are one run: its header, then the `spans` fields as they came. A run
/// names the run of its trace that came before it. A block is given up as soon as none of its runs is needed; since
/// traces are decided about in the order they began, that is soon after the oldest of them.
struct SpanStore {
  /// Previous block, previous offset, context, bytes.
  private static let headerSize = 16

  private final class Block {
    var writer: WireWriter
    var runs = 0
    /// Contexts that its runs name.
    var contexts: [UInt32] = []

    init(capacity: Int) { writer = WireWriter(capacity: capacity) }
  }

  private let blockSize: Int
  var contexts = ContextTable()
  private var blocks: [Block?] = []
  private var freeSlots: [UInt32] = []
  private var current = UInt32.max
  /// Blocks that the next spans go into: what becomes free and what is needed come in turns.
  private var spare: [Block] = []
  private static let mostSpare = 8
  /// Bytes of memory that blocks take.
  private(set) var blockBytes = 0

  init(blockSize: Int) { self.blockSize = blockSize }

  /// Bytes of memory that spans, resources and scopes take.
  var bytes: Int { blockBytes + contexts.bytes }

  /// Adds a run of neighbouring spans of one scope.
  ///
  /// - Parameters:
  ///   - fields: the `spans` fields of the scope, tags and lengths included.
  ///   - context: the scope's place in ``contexts``.
  ///   - previous: the run of the trace before this one.
  mutating func add(_ fields: Span<UInt8>, context: UInt32, after previous: RunPlace) -> RunPlace {
    let (slot, block) = block(with: Self.headerSize + fields.count)
    if contexts.note(context, in: slot) { block.contexts.append(context) }
    block.runs += 1
    return RunPlace(
      block: slot, offset: Self.append(fields, context: context, after: previous, to: &block.writer))
  }

  private static func append(
    _ fields: Span<UInt8>, context: UInt32, after previous: RunPlace, to block: inout WireWriter
  ) -> UInt32 {
    let offset = block.count
    block.writeFixed64(UInt64(previous.offset) << 32 | UInt64(previous.block))
    block.writeFixed64(UInt64(truncatingIfNeeded: fields.count) << 32 | UInt64(context))
    block.write(fields)
    return UInt32(truncatingIfNeeded: offset)
  }

  private mutating func block(with room: Int) -> (UInt32, Block) {
    // A block of its own, so that what is left of the current one is not wasted.
    if room > blockSize / 2 { return place(newBlock(room)) }
    if current != .max, let block = blocks[Int(current)] {
      if block.runs == 0 { clear(block, in: current) }
      if block.writer.capacity - block.writer.count >= room { return (current, block) }
    }
    let placed = place(spare.popLast() ?? newBlock(blockSize))
    current = placed.0
    return placed
  }

  private mutating func newBlock(_ capacity: Int) -> Block {
    let block = Block(capacity: capacity)
    blockBytes += block.writer.capacity
    return block
  }

  private mutating func place(_ block: Block) -> (UInt32, Block) {
    if let slot = freeSlots.popLast() {
      blocks[Int(slot)] = block
      return (slot, block)
    }
    blocks.append(block)
    return (UInt32(truncatingIfNeeded: blocks.count - 1), block)
  }

  /// What a run says of itself; spans are read with ``copy(_:to:)``.
  struct Run {
    let previous: RunPlace
    let context: UInt32
    let bytes: Int

    /// Of no block.
    static let none = Run(previous: .none, context: ContextTable.none, bytes: 0)

    init(previous: RunPlace, context: UInt32, bytes: Int) {
      self.previous = previous
      self.context = context
      self.bytes = bytes
    }

    init(_ block: borrowing WireWriter, at offset: Int) {
      let (link, size) = (block.bytes.loadUInt64(at: offset), block.bytes.loadUInt64(at: offset + 8))
      previous = RunPlace(
        block: UInt32(truncatingIfNeeded: link), offset: UInt32(truncatingIfNeeded: link >> 32))
      context = UInt32(truncatingIfNeeded: size)
      bytes = Int(size >> 32)
    }
  }

  func run(at place: RunPlace) -> Run {
    guard let block = blocks[Int(place.block)] else { return .none }
    return Run(block.writer, at: Int(place.offset))
  }

  /// Writes the spans of a run.
  func copy(_ place: RunPlace, to writer: inout WireWriter) {
    guard let block = blocks[Int(place.block)] else { return }
    Self.copy(block.writer, Int(place.offset), to: &writer)
  }

  private static func copy(_ block: borrowing WireWriter, _ offset: Int, to writer: inout WireWriter) {
    let start = offset + headerSize
    writer.write(block.bytes.extracting(start..<start + Run(block, at: offset).bytes))
  }

  /// Gives up a run; the next one is ``Run/previous``.
  mutating func release(_ place: RunPlace) {
    guard let block = blocks[Int(place.block)] else { return }
    block.runs -= 1
    if block.runs == 0, place.block != current { giveUp(place.block) }
  }

  /// Gives up a block in which nothing is needed any more. Some of the usual size are kept for the next.
  private mutating func giveUp(_ slot: UInt32) {
    guard let block = blocks[Int(slot)] else { return }
    clear(block, in: slot)
    blocks[Int(slot)] = nil
    freeSlots.append(slot)
    if current == slot { current = .max }
    if spare.count < Self.mostSpare, block.writer.capacity == blockSize {
      spare.append(block)
    } else {
      blockBytes -= block.writer.capacity
    }
  }

  private mutating func clear(_ block: Block, in slot: UInt32) {
    for context in block.contexts { contexts.release(context, from: slot) }
    block.contexts.removeAll(keepingCapacity: true)
    block.writer.removeAll()
  }
}
