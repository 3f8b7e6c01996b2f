internal import LogData
internal import PipelineKit

/// A place in what was written to a file, and what stands before it.
struct FilePosition: Sendable, Hashable {
  /// Bytes from the start.
  var offset: UInt64 = 0
  /// The bytes just before the offset.
  var trail = BytePrint.none
  /// Whether the rest of a truncated record begins there.
  var isSkipping = false
  /// How many records there are before it.
  var records: UInt64 = 0
}

/// Something that is written over time, and the file it lies in at present.
///
/// The file is followed through renames by its ``id``. When it is copied and truncated, what was written before goes on in
/// the copy, and another one of these begins in the file.
final class TailedFile {
  /// Names it among all that there ever were.
  let serial: UInt64
  /// The file it lies in, or lay in last.
  var id: FileID
  /// By which that was found.
  var path: String
  /// Whether the path leads to it.
  var isListed = true
  /// What is read; nil while there is no file, or it is closed.
  var content: FileContent?
  /// The first bytes.
  var head = BytePrint.none
  var framer: LineFramer
  /// What stands before the framer's offset.
  var trail = BytePrint.none
  /// Earlier positions, in order.
  var waypoints: [FilePosition] = []
  /// Up to where everything has been accepted; nil for what is not stored.
  var accepted: FilePosition?
  /// What all of its records have; made when there is something to read, and again when that changes.
  var origin: LogOrigin?
  /// How many records were read.
  var records: UInt64 = 0
  /// Records that operators may hold: where they begin, and their numbers.
  var recent: [(start: UInt64, number: UInt64)] = []
  /// The first record that operators hold back.
  var heldFrom: FilePosition?

  /// Whether the file may be shorter than the position: it is a copy of what was read already.
  var isAwaited = false
  /// Whether zeros at the beginning are passed over: a writer that knows nothing of a truncation leaves a hole.
  var skipsZeros = false

  /// Whether it is among those to be read now.
  var isReady = false
  /// Whether it is read at intervals, rather than when the kernel tells of a change.
  var isActive = false
  /// The watch for its next change.
  var watch: Int32?
  /// When there was something new in it last; for what lies in no file, when that was lost.
  var lastGrowth: MonotonicInstant
  /// Its size when it was looked at last.
  var size: UInt64 = 0
  /// Whether there was nothing more to read when it was read last.
  var isAtEnd = false
  /// Whether lines were read since a batch was closed last.
  var isTouched = false
  /// Whether operators hold records of it back.
  var isHeld = false
  /// Whether it could not be read the last time, and is to be tried again.
  var hasFailed = false
  /// The last full look that found it.
  var seenInLook = 0
  /// Whether what is stored of it is not what is known.
  var isUnsaved = false
  /// When its file was last known to be as it was, in nanoseconds since the Unix epoch.
  var intactAt: UInt64 = 0
  /// Whether its file was deleted, rather than only out of sight.
  var isDeleted = false
  /// Whether it is let go of once it has been read to its end.
  var endsAtEnd = false

  init(serial: UInt64, id: FileID, path: String, framer: LineFramer, now: MonotonicInstant) {
    self.serial = serial
    self.id = id
    self.path = path
    self.framer = framer
    lastGrowth = now
  }

  /// How far it has been read.
  var position: FilePosition {
    FilePosition(offset: framer.offset, trail: trail, isSkipping: framer.isSkipping, records: records)
  }

  /// How many earlier positions are kept.
  private static let mostWaypoints = 8

  /// Books that everything before a place in `bytes` has been read.
  func advance(trail: BytePrint) {
    self.trail = trail
    if waypoints.count == Self.mostWaypoints { waypoints.removeFirst() }
    waypoints.append(position)
  }

  /// Goes on at a position.
  func move(to position: FilePosition, _ framing: LineFraming) {
    framer = LineFramer(framing, offset: position.offset, isSkipping: position.isSkipping)
    trail = position.trail
    records = position.records
    waypoints = position.offset > 0 ? [position] : []
  }

  /// How well the content of a file agrees with what was read.
  enum Likeness {
    /// It is other content.
    case none
    /// It begins the same, as far as the few bytes that were read tell.
    case weak
    /// It is the same.
    case strong
  }

  /// What of a file's content that many bytes long has been read already, and how sure that is.
  func likeness(to file: FileContent, size: UInt64, fingerprintSize: Int) throws(FileError) -> Likeness {
    guard head.count > 0, size >= UInt64(head.count),
      try file.print(head.count, endingAt: UInt64(head.count)) == head
    else { return .none }
    let isWhole = head.count >= min(fingerprintSize, Self.strongCount)
    // Nothing was read of it yet.
    if framer.offset == 0 { return isWhole ? .strong : .weak }
    guard let mark = waypoints.last(where: { $0.offset <= size && $0.trail.count > 0 }) else {
      return isWhole && framer.offset > size ? .strong : .none
    }
    guard try file.print(mark.trail.count, endingAt: mark.offset) == mark.trail else { return .none }
    return mark.offset >= UInt64(Self.strongCount) ? .strong : .weak
  }

  /// So many equal bytes are no accident.
  private static let strongCount = 512
}
