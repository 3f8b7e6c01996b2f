internal import WireFormat

/// Keeps the encoded spans of traces that are not decided, in a few large blocks.
///
/// Neighbouring spans of one trace in one scope are one run: its header, then the `spans` fields as they came. A block is
/// given up as soon as none of its runs is needed; since traces are decided about in the order they began, that is soon
/// after the oldest of them.
struct SpanStore: ~Copyable {
  /// Context, bytes.
  private static let headerSize = 8

  private final class Block {
    var writer: WireWriter
    /// Contexts that its runs name.
    var contexts: [UInt32] = []

    init(capacity: Int) { writer = WireWriter(capacity: capacity) }
  }

  private let blockSize: Int
  var contexts = ContextTable()
  private var blocks: [Block?] = []
  /// How many runs of each block are needed.
  private var needed: [Int] = []
  private var chunks = RunChunks()
  private var freeSlots: [UInt32] = []
  /// The block that the next spans go into, and its bytes, which stand here as long as it is this one: counting who holds
  /// it costs as much as a small span.
  private var current = UInt32.max
  private var filling = WireWriter(capacity: 0)
  /// Blocks that the next spans go into: what becomes free and what is needed come in turns.
  private var spare: [Block] = []
  private static let mostSpare = 8
  /// Bytes of memory that blocks take.
  private(set) var blockBytes = 0

  init(blockSize: Int) { self.blockSize = blockSize }

  /// Bytes of memory that spans, resources and scopes take.
  var bytes: Int { blockBytes + contexts.bytes + chunks.bytes }

  /// Adds a run of neighbouring spans of one scope to those of a trace.
  ///
  /// - Parameters:
  ///   - fields: the `spans` fields of the scope, tags and lengths included.
  ///   - context: the scope's place in ``contexts``.
  mutating func add(_ fields: Span<UInt8>, context: UInt32, to runs: inout RunList) {
    let room = Self.headerSize + fields.count
    let (slot, offset): (UInt32, UInt32)
    if room > blockSize / 2 {
      // A block of its own, so that what is left of the current one is not wasted.
      let block = newBlock(room)
      offset = Self.append(fields, context: context, to: &block.writer)
      slot = place(block)
    } else {
      slot = fillingBlock(with: room)
      offset = Self.append(fields, context: context, to: &filling)
    }
    if contexts.note(context, in: slot) { blocks[Int(slot)]?.contexts.append(context) }
    needed[Int(slot)] += 1
    chunks.append(RunPlace(block: slot, offset: offset), to: &runs)
  }

  private static func append(_ fields: Span<UInt8>, context: UInt32, to block: inout WireWriter) -> UInt32 {
    let offset = block.count
    block.writeFixed64(UInt64(truncatingIfNeeded: fields.count) << 32 | UInt64(context))
    block.write(fields)
    return UInt32(truncatingIfNeeded: offset)
  }

  private mutating func fillingBlock(with room: Int) -> UInt32 {
    if current != .max {
      if needed[Int(current)] == 0 {
        filling.removeAll()
        releaseContexts(of: current)
      }
      if filling.capacity - filling.count >= room { return current }
      exchangeBytes()
    }
    current = place(spare.popLast() ?? newBlock(blockSize))
    exchangeBytes()
    return current
  }

  /// Moves the bytes of the current block into it, or out of it.
  private mutating func exchangeBytes() {
    if let block = blocks[Int(current)] { swap(&filling, &block.writer) }
  }

  private mutating func newBlock(_ capacity: Int) -> Block {
    let block = Block(capacity: capacity)
    blockBytes += block.writer.capacity
    return block
  }

  private mutating func place(_ block: Block) -> UInt32 {
    if let slot = freeSlots.popLast() {
      blocks[Int(slot)] = block
      return slot
    }
    blocks.append(block)
    needed.append(0)
    return UInt32(truncatingIfNeeded: blocks.count - 1)
  }

  /// What a run says of itself; spans are read with ``copy(_:to:)``.
  struct Run {
    let context: UInt32
    let bytes: Int

    /// Of no block.
    fileprivate static let none = Run(context: ContextTable.none, bytes: 0)

    private init(context: UInt32, bytes: Int) {
      self.context = context
      self.bytes = bytes
    }

    fileprivate init(_ block: borrowing WireWriter, at offset: Int) {
      let header = block.bytes.loadUInt64(at: offset)
      context = UInt32(truncatingIfNeeded: header)
      bytes = Int(header >> 32)
    }
  }

  func run(at place: RunPlace) -> Run {
    if place.block == current { return Run(filling, at: Int(place.offset)) }
    guard let block = blocks[Int(place.block)] else { return .none }
    return Run(block.writer, at: Int(place.offset))
  }

  /// The runs of a trace, in the order in which they came: whoever takes them gives each up later.
  mutating func takeRuns(_ runs: inout RunList) -> [RunPlace] {
    var places: [RunPlace] = []
    chunks.removeAll(of: &runs) { places.append($0) }
    return places
  }

  /// Gives up all runs of a trace.
  mutating func release(_ runs: inout RunList) {
    var unneeded: [UInt32] = []
    chunks.removeAll(of: &runs) { place in
      needed[Int(place.block)] -= 1
      if needed[Int(place.block)] == 0 { unneeded.append(place.block) }
    }
    for block in unneeded { giveUp(block) }
  }

  /// Writes the spans of a run.
  func copy(_ place: RunPlace, to writer: inout WireWriter) {
    if place.block == current { return Self.copy(filling, Int(place.offset), to: &writer) }
    guard let block = blocks[Int(place.block)] else { return }
    Self.copy(block.writer, Int(place.offset), to: &writer)
  }

  private static func copy(_ block: borrowing WireWriter, _ offset: Int, to writer: inout WireWriter) {
    let start = offset + headerSize
    writer.write(block.bytes.extracting(start..<start + Run(block, at: offset).bytes))
  }

  /// Gives up a run.
  mutating func release(_ place: RunPlace) {
    needed[Int(place.block)] -= 1
    if needed[Int(place.block)] == 0 { giveUp(place.block) }
  }

  /// Gives up a block in which nothing is needed any more, unless the next spans go into it. Some of the usual size are
  /// kept for later.
  private mutating func giveUp(_ slot: UInt32) {
    guard slot != current, let block = blocks[Int(slot)] else { return }
    block.writer.removeAll()
    releaseContexts(of: slot)
    blocks[Int(slot)] = nil
    freeSlots.append(slot)
    if spare.count < Self.mostSpare, block.writer.capacity == blockSize {
      spare.append(block)
    } else {
      blockBytes -= block.writer.capacity
    }
  }

  private mutating func releaseContexts(of slot: UInt32) {
    guard let block = blocks[Int(slot)] else { return }
    for context in block.contexts { contexts.release(context, from: slot) }
    block.contexts.removeAll(keepingCapacity: true)
  }
}
