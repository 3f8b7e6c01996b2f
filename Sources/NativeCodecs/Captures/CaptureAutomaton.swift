/// A pattern as a table: each byte leads from one state to one other, and says what to remember of the place.
///
/// A state stands for the ways that a match may still take, in order of preference, and for which register holds what
/// each way has marked (Laurikari's automata with tags, where a byte is looked at before its marks are set). A pattern
/// in which each byte decides has one way in every state; others have more states, up to a bound.
struct CaptureTables: Sendable {
  /// What a step does apart from going on.
  struct Action: Hashable, Sendable {
    /// Where the registers of a match begin in ``matches``, -1 without a match.
    var match: Int32 = -1
    /// Which of ``moves`` to make: the first, and the one behind the last.
    var firstMove: Int32 = 0
    var endOfMoves: Int32 = 0
  }

  /// The class of each byte.
  var classes: [UInt8] = []
  var classCount = 0
  /// By state and class: the next state in the lower half, 0 being the end, and the action in the upper, 0 being none.
  var table: [UInt32] = []
  /// By state: the action at the end of the text.
  var ends: [UInt16] = []
  /// By what stands before: the first state, see ``PlaceBefore``.
  var starts: [UInt16] = []
  var actions: [Action] = []
  /// Registers to set, in the upper half, and those to take the values from, in the lower.
  var moves: [UInt32] = []
  /// The register of each mark of a match, or one of the special ones.
  var matches: [UInt16] = []
  /// By state: the bytes that lead back to it and do nothing.
  var loops: [CaptureLoop] = []
  /// Places to keep: first the bounds of the match's groups, of which there are ``markCount``.
  var registerCount = 0
  var markCount = 0

  /// Not a register but the place before the byte that is looked at.
  static let here: UInt16 = 0xFFFF
  /// A group that took no part.
  static let nowhere: UInt16 = 0xFFFE
  /// In the lower half of an entry: the state has a loop.
  static let loopBit: UInt32 = 0x8000
}

/// ``CaptureTables`` to be run.
///
/// They stand in memory of its own: arrays would be retained and released for every match, which takes longer than most
/// matches do. Nothing is written to it after `init`, and every index into it was made by ``AutomatonBuilder``.
@safe final class CaptureAutomaton: @unchecked Sendable {
  let classes: UnsafeBufferPointer<UInt8>
  let classCount: Int
  let table: UnsafeBufferPointer<UInt32>
  let ends: UnsafeBufferPointer<UInt16>
  let starts: UnsafeBufferPointer<UInt16>
  let actions: UnsafeBufferPointer<CaptureTables.Action>
  let moves: UnsafeBufferPointer<UInt32>
  let matches: UnsafeBufferPointer<UInt16>
  let loops: UnsafeBufferPointer<CaptureLoop>
  let registerCount: Int
  let markCount: Int

  init(_ tables: CaptureTables) {
    unsafe classes = Self.copy(tables.classes)
    classCount = tables.classCount
    unsafe table = Self.copy(tables.table)
    unsafe ends = Self.copy(tables.ends)
    unsafe starts = Self.copy(tables.starts)
    unsafe actions = Self.copy(tables.actions)
    unsafe moves = Self.copy(tables.moves)
    unsafe matches = Self.copy(tables.matches)
    unsafe loops = Self.copy(tables.loops)
    registerCount = tables.registerCount
    markCount = tables.markCount
  }

  private static func copy<T: BitwiseCopyable>(_ values: [T]) -> UnsafeBufferPointer<T> {
    let room = UnsafeMutableBufferPointer<T>.allocate(capacity: values.count)
    _ = unsafe room.initialize(fromContentsOf: values)
    return UnsafeBufferPointer(room)
  }

  deinit {
    unsafe classes.deallocate()
    unsafe table.deallocate()
    unsafe ends.deallocate()
    unsafe starts.deallocate()
    unsafe actions.deallocate()
    unsafe moves.deallocate()
    unsafe matches.deallocate()
    unsafe loops.deallocate()
  }
}

/// What stands before a place, as far as assertions ask.
enum PlaceBefore: Int, Sendable, CaseIterable {
  case other, textStart, lineEnd, word

  init(_ byte: UInt8?) {
    guard let byte else {
      self = .textStart
      return
    }
    self = byte == 0x0A ? .lineEnd : ByteSet.words.contains(byte) ? .word : .other
  }
}

extension PatternAssertion {
  /// - Parameter after: the byte behind the place, nil at the end of the text.
  func holds(before: PlaceBefore, after: UInt8?) -> Bool {
    switch self {
    case .textStart: before == .textStart
    case .textEnd: after == nil
    case .lineStart: before == .textStart || before == .lineEnd
    case .lineEnd: after == nil || after == 0x0A
    case .wordBoundary: (before == .word) != (after.map { ByteSet.words.contains($0) } ?? false)
    case .noWordBoundary: (before == .word) == (after.map { ByteSet.words.contains($0) } ?? false)
    }
  }
}

/// The bytes on which a state stays as it is, and how to find the first other one eight bytes at a time.
struct CaptureLoop: Sendable {
  enum Way: UInt8, Sendable { case none, byByte, oneStop, threeStops }

  var way = Way.none
  var bytes = ByteSet()
  /// In each byte one that may end the loop; those from 0x80 on are looked at singly in any case.
  var stops: (UInt64, UInt64, UInt64) = (0, 0, 0)
  /// In each byte a number below which bytes are looked at singly.
  var below: UInt64 = 0

  static let ones: UInt64 = 0x0101_0101_0101_0101
  static let highs: UInt64 = 0x8080_8080_8080_8080

  init() {}

  init(_ bytes: ByteSet) {
    self.bytes = bytes
    guard bytes.count > 1 else { return }
    way = .byByte
    var singles = (UInt8(0)..<0x80).filter { !bytes.contains($0) }
    if singles.count > 3 {
      // Control characters may stop it without need: they are rare. Tabs and line ends are not.
      let common: [UInt8] = [0x09, 0x0A, 0x0D].filter { bytes.contains($0) }
      guard common.isEmpty, let most = singles.last(where: { $0 <= 0x20 }) else { return }
      below = UInt64(most + 1) * Self.ones
      singles.removeAll { $0 <= most }
    }
    guard singles.count <= 3, singles.count > 0 || below != 0 else { return }
    let first = singles.first ?? 0
    way = singles.count <= 1 && below == 0 ? .oneStop : .threeStops
    stops.0 = UInt64(first) * Self.ones
    stops.1 = UInt64(singles.count > 1 ? singles[1] : first) * Self.ones
    stops.2 = UInt64(singles.count > 2 ? singles[2] : first) * Self.ones
  }
}
