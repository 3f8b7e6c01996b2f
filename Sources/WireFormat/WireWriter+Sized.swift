extension WireWriter {
  /// Where a nested message began whose length was foreseen.
  public struct SizedMark: Sendable {
    @usableFromInline
    var start: Int
    /// The bytes left for the length.
    @usableFromInline
    var room: Int

    @usableFromInline
    init(start: Int, room: Int) {
      self.start = start
      self.room = room
    }
  }

  /// Writes the tag of a nested message whose length is about known; everything until ``endMessage(_:)`` belongs to it.
  ///
  /// A long message need not be moved when it ends: that would cost as much as writing it, once for every level.
  /// - Parameter size: the expected length; only how many bytes it takes as a varint matters.
  @inlinable
  public mutating func beginMessage(_ number: UInt32, expecting size: Int) -> SizedMark {
    writeTag(.lengthDelimited(number))
    let room = Varint.length(UInt64(max(0, size)))
    reserve(room)
    written &+= room
    return SizedMark(start: written, room: room)
  }

  /// Puts the length of the innermost open message in its place, in its shortest form.
  @inlinable
  public mutating func endMessage(_ mark: SizedMark) {
    let length = written &- mark.start
    let size = Varint.length(UInt64(length))
    if size != mark.room { shift(mark, by: size - mark.room, length: length) }
    _ = storeVarint(UInt64(length), at: mark.start &- mark.room)
  }

  /// The number of bytes written since a message began.
  @inlinable
  public func count(since mark: SizedMark) -> Int { written - mark.start }

  @usableFromInline
  mutating func shift(_ mark: SizedMark, by distance: Int, length: Int) {
    if distance > 0 { reserve(distance) }
    move(from: mark.start, to: mark.start + distance, count: length)
    written += distance
  }
}
