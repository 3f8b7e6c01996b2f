internal import LogData
internal import PipelineKit

/// A place in a file, and what stands before it.
struct FilePosition: Sendable, Hashable {
  /// Bytes from the start.
  var offset: UInt64 = 0
  /// The bytes just before the offset.
  var trail = BytePrint.none
  /// Whether the rest of a truncated record begins there.
  var isSkipping = false
}

/// A file that is read, by whatever name.
final class TailedFile {
  var id: FileID
  /// By which it was found last.
  var path: String
  /// Whether the path still leads to it.
  var isListed = true
  var handle: OpenFile?
  /// Its first bytes.
  var head = BytePrint.none
  var framer: LineFramer
  /// What stands before the framer's offset.
  var trail = BytePrint.none
  /// Up to where everything has been accepted.
  var accepted = FilePosition()
  /// `LogRecord.attributes` fields of each of its records.
  var attributes: [UInt8]

  /// Whether it is among those to be read now.
  var isReady = false
  /// Whether it is read at intervals, rather than when the kernel tells of a change.
  var isActive = false
  /// The watch for its next change.
  var watch: Int32?
  /// When there was something new in it last.
  var lastGrowth: MonotonicInstant
  /// Whether lines were read since a batch was closed last.
  var isTouched = false
  /// The last full look that found it.
  var seenInLook = 0

  init(_ id: FileID, path: String, framer: LineFramer, attributes: [UInt8], now: MonotonicInstant) {
    self.id = id
    self.path = path
    self.framer = framer
    self.attributes = attributes
    lastGrowth = now
  }

  /// How far it has been read.
  var position: FilePosition {
    FilePosition(offset: framer.offset, trail: trail, isSkipping: framer.isSkipping)
  }
}
