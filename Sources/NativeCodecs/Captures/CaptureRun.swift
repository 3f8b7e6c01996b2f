extension CaptureAutomaton {
  /// Looks for the match of a text from `start` on.
  ///
  /// - Parameters:
  ///   - registers: room for ``registerCount`` places; the first of them get those of the groups.
  func run(
    _ text: Span<UInt8>, from start: Int, registers: inout MutableSpan<UInt32>
  ) -> Bool {
    let before = PlaceBefore(start == 0 ? nil : text[start - 1])
    var state = unsafe UInt32(starts[before.rawValue])
    if unsafe loops[Int(state)].way != .none { state |= CaptureTables.loopBit }
    var position = start
    var isFound = false
    while position < text.count {
      if state & CaptureTables.loopBit != 0 {
        state &= ~CaptureTables.loopBit
        position = unsafe Self.skip(loops[Int(state)], text, from: position)
        if position == text.count { break }
      }
      let kind = unsafe classes[Int(text[unchecked: position])]
      let entry = unsafe table[Int(state) * classCount + Int(kind)]
      let action = entry >> 16
      if action != 0 {
        if act(Int(action), at: position, start, &registers) {
          isFound = true
        }
      }
      state = entry & 0xFFFF
      if state == 0 { return isFound }
      position += 1
    }
    let end = unsafe ends[Int(state & ~CaptureTables.loopBit)]
    if end != 0, act(Int(end), at: text.count, start, &registers) { isFound = true }
    return isFound
  }

  /// Whether a text has a match; for automata without marks.
  func matches(_ text: Span<UInt8>) -> Bool {
    var state = unsafe UInt32(starts[PlaceBefore.textStart.rawValue])
    if unsafe loops[Int(state)].way != .none { state |= CaptureTables.loopBit }
    var position = 0
    while position < text.count {
      if state & CaptureTables.loopBit != 0 {
        state &= ~CaptureTables.loopBit
        position = unsafe Self.skip(loops[Int(state)], text, from: position)
        if position == text.count { break }
      }
      let kind = unsafe classes[Int(text[unchecked: position])]
      let entry = unsafe table[Int(state) * classCount + Int(kind)]
      if entry > 0xFFFF, unsafe actions[Int(entry >> 16)].match >= 0 { return true }
      state = entry & 0xFFFF
      if state == 0 { return false }
      position += 1
    }
    let end = unsafe ends[Int(state & ~CaptureTables.loopBit)]
    return unsafe end != 0 && actions[Int(end)].match >= 0
  }

  /// Does what a step asks for; returns whether there is a match here.
  @inline(__always)
  private func act(
    _ number: Int, at position: Int, _ start: Int, _ registers: inout MutableSpan<UInt32>
  ) -> Bool {
    let action = unsafe actions[number]
    let here = UInt32(truncatingIfNeeded: position)
    if action.match >= 0, markCount > 0 {
      for mark in 0..<markCount {
        let register = unsafe matches[Int(action.match) + mark]
        registers[mark] =
          register == CaptureTables.here
          ? here : register == CaptureTables.nowhere ? .max : registers[Int(register)]
      }
      // The whole begins where the search did, unless that is marked, and ends here.
      if registers[0] == .max { registers[0] = UInt32(truncatingIfNeeded: start) }
      registers[1] = here
    }
    for index in action.firstMove..<action.endOfMoves {
      let move = unsafe moves[Int(index)]
      let from = UInt16(truncatingIfNeeded: move)
      registers[Int(move >> 16)] = from == CaptureTables.here ? here : registers[Int(from)]
    }
    return action.match >= 0
  }

  /// The first place from `start` on whose byte may lead out of a loop.
  @inline(__always)
  private static func skip(_ loop: CaptureLoop, _ text: Span<UInt8>, from start: Int) -> Int {
    var position = start
    switch loop.way {
    case .none: return position
    case .byByte: break
    case .oneStop:
      let bytes = unsafe text.bytes
      while position + 8 <= text.count {
        let word = unsafe UInt64(
          littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
        let differing = word ^ loop.stops.0
        let stops = ((differing &- CaptureLoop.ones) & ~differing | word) & CaptureLoop.highs
        if stops != 0 { return position + stops.trailingZeroBitCount / 8 }
        position += 8
      }
    case .threeStops:
      let bytes = unsafe text.bytes
      while position + 8 <= text.count {
        let word = unsafe UInt64(
          littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
        let (one, two, three) = (word ^ loop.stops.0, word ^ loop.stops.1, word ^ loop.stops.2)
        let equal =
          (one &- CaptureLoop.ones) & ~one | (two &- CaptureLoop.ones) & ~two
          | (three &- CaptureLoop.ones) & ~three
        let stops = (equal | (word &- loop.below) & ~word | word) & CaptureLoop.highs
        if stops != 0 { return position + stops.trailingZeroBitCount / 8 }
        position += 8
      }
    }
    while position < text.count, loop.bytes.contains(unsafe text[unchecked: position]) { position += 1 }
    return position
  }
}
