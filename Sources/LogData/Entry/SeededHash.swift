internal import WireFormat

extension Span where Element == UInt8 {
  /// A hash that differs from process to process, so that nobody can choose texts that collide.
  var seededHash: Int {
    var hasher = Hasher()
    var position = 0
    while position &+ 8 <= count {
      hasher.combine(loadUInt64(at: position))
      position &+= 8
    }
    while position < count {
      hasher.combine(self[position])
      position &+= 1
    }
    return hasher.finalize()
  }
}
