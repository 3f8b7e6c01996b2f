internal import WireFormat

/// How much an entry held at one moment, so that what a failed parser added can be forgotten.
package struct LogEntryMark: Sendable {
  let arena: Int
  let slots: Int
  let chains: Int
}

extension LogEntry {
  /// How much there is now.
  package var mark: LogEntryMark {
    LogEntryMark(arena: arena.count, slots: slots.count, chains: chains.count)
  }

  /// Forgets what was added since.
  ///
  /// - Important: nothing that was there before may have been linked to what came later.
  package mutating func rewind(to mark: LogEntryMark) {
    arena.removeLast(max(0, arena.count - mark.arena))
    slots.removeLast(max(0, slots.count - mark.slots))
    chains.removeLast(max(0, chains.count - mark.chains))
  }

  /// The number of elements of a list or a map; takes a walk over them.
  package func count(of chain: LogChain) -> Int {
    var count = 0
    var position = chains[chain.position].first
    while position >= 0 {
      count += 1
      position = slots[Int(position)].next
    }
    return count
  }

  /// Puts the elements of one map into another, where they overwrite those of the same key.
  ///
  /// `map` is used up: its elements belong to `target` afterwards.
  package mutating func merge(_ map: LogChain, into target: LogChain) {
    let added = chains[map.position]
    chains[map.position] = (-1, -1)
    let present = chains[target.position]
    if added.first < 0 { return }
    if present.first < 0 {
      chains[target.position] = added
      return
    }
    let isSmall = count(of: target) < 16
    slots[Int(present.last)].next = added.first
    chains[target.position].last = added.last
    if isSmall {
      unite(target, from: added.first)
    } else {
      removeDuplicates(of: target)
    }
  }

  /// Looks for each key from a slot on among those before that slot; what is there gets its value.
  private mutating func unite(_ map: LogChain, from start: Int32) {
    var border = start
    var before = chains[map.position].first
    while before >= 0, slots[Int(before)].next != border { before = slots[Int(before)].next }
    var position = border
    while position >= 0 {
      let slot = slots[Int(position)]
      var earlier = chains[map.position].first
      while earlier != border {
        let candidate = slots[Int(earlier)]
        if candidate.key.count == slot.key.count, text(candidate.key).hasSameBytes(as: text(slot.key)) {
          break
        }
        earlier = candidate.next
      }
      if earlier == border {
        before = position
      } else {
        slots[Int(earlier)].value = slot.value
        slots[Int(before)].next = slot.next
        if slot.next < 0 { chains[map.position].last = before }
        if position == border { border = slot.next }
      }
      position = slot.next
    }
  }

  /// Leaves each key once: at its first place, with its last value.
  ///
  /// Takes time in proportion to the number of elements, whoever chose the keys: the hash has a seed.
  package mutating func removeDuplicates(of map: LogChain) { unite(equalKeysOf: map, joiningLists: false) }

  /// Leaves each key once, at its first place, with the lists of all its places joined; all values are lists.
  mutating func joinLists(of map: LogChain) { unite(equalKeysOf: map, joiningLists: true) }

  private mutating func unite(equalKeysOf map: LogChain, joiningLists: Bool) {
    let count = count(of: map)
    if count < 2 { return }
    let mask = (count &* 2).nextPowerOfTwo &- 1
    var table = [Int32](repeating: -1, count: mask + 1)
    var before: Int32 = -1
    var position = chains[map.position].first
    while position >= 0 {
      let slot = slots[Int(position)]
      var place = text(slot.key).seededHash & mask
      while table[place] >= 0 {
        let candidate = slots[Int(table[place])].key
        if candidate.count == slot.key.count, text(candidate).hasSameBytes(as: text(slot.key)) { break }
        place = (place &+ 1) & mask
      }
      if table[place] < 0 {
        table[place] = position
        before = position
      } else {
        let present = slots[Int(table[place])].value
        if joiningLists, let list = present.chain, let added = slot.value.chain {
          join(added, to: list)
        } else {
          slots[Int(table[place])].value = slot.value
        }
        slots[Int(before)].next = slot.next
        if slot.next < 0 { chains[map.position].last = before }
      }
      position = slot.next
    }
  }
}

extension LogEntry {
  /// Puts the elements of a list behind those of another; the first is used up.
  private mutating func join(_ added: LogChain, to list: LogChain) {
    let elements = chains[added.position]
    if elements.first < 0 { return }
    let last = chains[list.position].last
    if last < 0 {
      chains[list.position].first = elements.first
    } else {
      slots[Int(last)].next = elements.first
    }
    chains[list.position].last = elements.last
    chains[added.position] = (-1, -1)
  }
}

extension Int {
  /// The smallest power of two that is not smaller.
  fileprivate var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
