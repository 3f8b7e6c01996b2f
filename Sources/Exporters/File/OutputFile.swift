/// One open file that whole records are appended to.
///
/// A record is in the file as a whole or not at all: what a failed write left is cut off again, at once or,
/// where that fails too, before the next record.
struct OutputFile {
  let path: String
  /// Where the file ends after the last whole record; nil for pipes and terminals, which cannot be cut off.
  private(set) var size: Int?
  /// Whether it was written since it was last synced.
  var isDirty = false
  /// Set while bytes of a failed record may lie behind ``size``.
  private var hasRemains = false
  private(set) var descriptor: Int32

  /// Opens or creates `path`.
  ///
  /// - Parameters:
  ///   - truncating: Whether to drop what the file holds.
  ///   - endsWith: What the file must end with where it is continued, so that a record that a crash cut off
  ///     is not taken for the start of the next.
  init(_ path: String, truncating: Bool, endsWith terminator: UInt8?) throws(FileError) {
    self.path = path
    descriptor = try FilePrimitives.openForWriting(path, truncating: truncating)
    size = FilePrimitives.size(of: descriptor)
    guard !truncating, let terminator, let size, size > 0, let last = FilePrimitives.lastByte(of: path),
      last != terminator
    else { return }
    if case .success(1) = SystemFileCalls().write([terminator].span, to: descriptor) { self.size = size + 1 }
  }

  /// Appends a whole record.
  ///
  /// - Throws: The error of the write; the file is then as it was.
  mutating func append(_ record: Span<UInt8>, calls: any FileCalls) throws(FileError) {
    if hasRemains { try rollBack(to: size) }
    isDirty = true
    var written = 0
    while written < record.count {
      switch calls.write(record.extracting(written..<record.count), to: descriptor) {
      case .success(let count) where count > 0: written += count
      case .success: try fail(written: written, code: FilePrimitives.noSpace)
      case .failure(let failure): try fail(written: written, code: failure.code)
      }
    }
    size = size.map { $0 + record.count }
  }

  /// Cuts the file off at an earlier size: takes back whole records.
  ///
  /// - Throws: When that fails; it is then tried again before the next record.
  mutating func rollBack(to earlier: Int?) throws(FileError) {
    guard let earlier, size != nil else {
      hasRemains = false
      return
    }
    size = earlier
    hasRemains = !FilePrimitives.truncate(descriptor, to: earlier)
    if hasRemains {
      throw FileError("cut off a half-written record of", path, code: FilePrimitives.inputOutput)
    }
  }

  func close() { FilePrimitives.close(descriptor) }

  private mutating func fail(written: Int, code: Int32) throws(FileError) {
    if written > 0 {
      hasRemains = true
      // The write's own error says more than one of the clean-up.
      try? rollBack(to: size)
    }
    throw FileError("write", path, code: code)
  }
}
