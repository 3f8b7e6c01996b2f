/// Counts decompressed bytes against a limit while they are written into an array's spare capacity.
struct OutputBudget {
  let limit: Int
  private(set) var produced = 0

  init(limit: Int) { self.limit = Swift.max(0, limit) }

  /// Lets `body` fill free space at the end of `output` and returns how full it left it.
  ///
  /// The space is at least one byte and never more than one byte over the limit, so that memory grows with what was
  /// really produced. `body` returns how many bytes it wrote.
  /// - Parameter hint: bytes that would be useful; the spare capacity is offered when it is larger.
  /// - Returns: whether the space was filled to its end, so that there may be more to write.
  /// - Throws: `limitExceeded` once more than the limit was written.
  mutating func write(
    to output: inout [UInt8], hint: Int,
    _ body: (UnsafeMutableBufferPointer<UInt8>) -> Int
  ) throws(CodecError) -> Bool {
    let allowed = limit - produced < Int.max ? limit - produced + 1 : Int.max
    let spare = output.capacity - output.count
    let room = Swift.max(1, Swift.min(Swift.max(spare, hint), allowed))
    if room > spare {
      let doubled = Swift.min(output.count, allowed)
      output.reserveCapacity(output.count + Swift.max(room, doubled))
    }
    var written = 0
    output.append(addingCapacity: room) { (free: inout OutputSpan<UInt8>) in
      unsafe free.withUnsafeMutableBufferPointer { buffer, count in
        written = unsafe body(UnsafeMutableBufferPointer(rebasing: buffer[count..<(count + room)]))
        count += written
      }
    }
    produced += written
    guard produced <= limit else { throw .limitExceeded(limit: limit) }
    return written == room
  }

  /// Checks that `count` more bytes fit, before anything is reserved for them.
  func admit(_ count: Int) throws(CodecError) {
    guard count <= limit - produced else { throw .limitExceeded(limit: limit) }
  }
}
