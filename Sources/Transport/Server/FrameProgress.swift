internal import NIOCore

/// Follows the bytes of an HTTP/2 client, as far as it takes to know whether a frame was begun and is not all there.
///
/// What the HTTP/2 handler shows does not tell: it passes over frames of unknown types and of streams that are no more.
/// Payloads of DATA frames count as complete whatever there is of them: the handler hands on what it has, and their
/// streams have times of their own. A header block is complete with the last of its CONTINUATION frames.
struct FrameProgress {
  /// Bytes to come of the preface or of a payload.
  private var rest = 24
  /// How much there is of a frame's head.
  private var headCount = 0
  private var length = 0
  private var type: UInt8 = 0
  private var isBlockOpen = false
  private var isData = false

  /// Whether something was begun that is not complete.
  var isPartial: Bool { headCount > 0 || isBlockOpen || (rest > 0 && !isData) }

  /// Takes the next bytes; true when something became complete with them.
  mutating func advance(over bytes: ByteBufferView) -> Bool {
    var hasEnded = false
    var position = bytes.startIndex
    while position < bytes.endIndex {
      if rest > 0 {
        let step = min(rest, bytes.endIndex - position)
        rest -= step
        position += step
        if rest == 0 || isData, !isBlockOpen { hasEnded = true }
        continue
      }
      add(toHead: bytes[position])
      position += 1
      if headCount == 0, rest == 0, !isBlockOpen { hasEnded = true }
    }
    return hasEnded
  }

  private mutating func add(toHead byte: UInt8) {
    switch headCount {
    case 0: length = Int(byte)
    case 1, 2: length = length << 8 | Int(byte)
    case 3: type = byte
    case 4: if Self.blockTypes.contains(type) { isBlockOpen = byte & Self.endHeaders == 0 }
    default: break
    }
    headCount += 1
    guard headCount == 9 else { return }
    headCount = 0
    rest = length
    isData = type == 0
  }

  /// HEADERS, PUSH_PROMISE and CONTINUATION.
  private static let blockTypes: [UInt8] = [1, 5, 9]
  private static let endHeaders: UInt8 = 4
}
