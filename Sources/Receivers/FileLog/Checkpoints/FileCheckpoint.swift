internal import WireFormat

/// What is stored of a file: where it was, how it begins, and how far it was read and accepted.
///
/// Written as fields of a message, so that later versions can add some.
struct FileCheckpoint: Sendable, Equatable {
  var id: FileID
  var path: String
  var head: BytePrint
  var position: FilePosition
  /// When the file was last known to be as it was, in nanoseconds since the Unix epoch.
  var intactAt: UInt64
  var isDeleted: Bool

  init(_ file: TailedFile, _ position: FilePosition) {
    id = file.id
    path = file.path
    head = file.head
    self.position = position
    intactAt = file.intactAt
    isDeleted = file.isDeleted
  }

  /// Reads what ``encoded`` wrote; nil for what it cannot have written.
  init?(_ bytes: [UInt8]) {
    id = FileID(device: 0, inode: 0)
    path = ""
    intactAt = 0
    isDeleted = false
    position = FilePosition()
    var (headCount, headHash, trailCount, trailHash) = (0, UInt64(0), 0, UInt64(0))
    var cursor = WireCursor(bytes.span)
    do throws(WireError) {
      while let field = try cursor.readField() {
        switch field.fieldNumber {
        case 1: id.device = field.number
        case 2: id.inode = field.number
        case 3: path = String(decoding: bytes[field.value.range], as: UTF8.self)
        case 4: headCount = Int(clamping: field.number)
        case 5: headHash = field.number
        case 6: position.offset = field.number
        case 7: trailCount = Int(clamping: field.number)
        case 8: trailHash = field.number
        case 9: position.isSkipping = field.number != 0
        case 10: position.records = field.number
        case 11: intactAt = field.number
        case 12: isDeleted = field.number != 0
        default: break
        }
      }
    } catch {
      return nil
    }
    guard !path.isEmpty, trailCount <= Tailer.trailSize, UInt64(trailCount) <= position.offset,
      position.offset <= Self.mostBytes, position.records <= Self.mostBytes, headCount <= Self.longestHead
    else { return nil }
    head = BytePrint(count: headCount, hash: headHash)
    position.trail = BytePrint(count: trailCount, hash: trailHash)
  }

  /// No fingerprint is longer.
  static let longestHead = 16 << 20
  /// No file is longer.
  private static let mostBytes = UInt64(Int64.max)

  var encoded: [UInt8] {
    var writer = WireWriter(capacity: 128)
    writer.varintField(1, id.device)
    writer.varintField(2, id.inode)
    writer.stringField(3, path)
    writer.varintField(4, UInt64(head.count))
    writer.fixed64Field(5, head.hash)
    writer.varintField(6, position.offset)
    writer.varintField(7, UInt64(position.trail.count))
    writer.fixed64Field(8, position.trail.hash)
    if position.isSkipping { writer.boolField(9, true) }
    if position.records > 0 { writer.varintField(10, position.records) }
    writer.fixed64Field(11, intactAt)
    if isDeleted { writer.boolField(12, true) }
    return writer.finish()
  }
}
