internal import LogData
internal import PipelineKit

/// A file that begins like one that is followed, until it is known whether it is a copy of that.
final class CopyCandidate {
  var path: String
  let content: FileContent
  let id: FileID
  /// What it may be a copy of; nil while there is nothing in it.
  let original: TailedFile?
  /// How long that was when the candidate was found.
  let originalSize: UInt64
  let foundAt: MonotonicInstant
  /// Whether it holds what was read of the original beyond doubt.
  let isStrong: Bool
  private(set) var size: UInt64
  private(set) var grownAt: MonotonicInstant
  /// Since when it has been as long as the original was.
  private(set) var completeAt: MonotonicInstant?

  init(
    _ path: String, _ content: FileContent, _ status: FileStatus, of original: TailedFile?,
    isStrong: Bool = false, now: MonotonicInstant
  ) {
    self.path = path
    self.content = content
    id = status.id
    self.original = original
    originalSize = original?.framer.offset ?? 0
    foundAt = now
    self.isStrong = isStrong
    size = status.size
    grownAt = now
    completeAt = original != nil && size >= originalSize ? now : nil
  }

  /// Books how long it is now.
  func measure(_ size: UInt64, _ now: MonotonicInstant) {
    if size != self.size { grownAt = now }
    self.size = size
    if size >= originalSize, completeAt == nil { completeAt = now }
  }
}

/// Copies: what `copytruncate` makes, and what comes from a compressed or moved file.
///
/// Two files that begin the same are two files. One of them is a copy of the other only when the other is gone or was
/// truncated, and the copy has in it what was read of the other, up to the last byte. What was read is then not read again.
extension Tailer {
  /// How long a file that looks like a copy waits for its original to be truncated or deleted.
  static let copyPatience = Duration.seconds(2)
  /// How long an empty file waits for what may be copied into it.
  static let emptyPatience = Duration.seconds(10)
  /// How long it is remembered what was in deleted files, of which compressed copies may still be to come.
  static let deletedMemory = Duration.seconds(3600)
  /// How long it is remembered what was in files that are out of sight.
  static let absentMemory = Duration.seconds(3 * 24 * 3600)

  /// What begins like a file, the latest first.
  func kin(of content: FileContent) -> [TailedFile] {
    var bytes = [UInt8](repeating: 0, count: settings.fingerprintSize)
    guard let count = try? content.read(bytes.count, at: 0, into: &bytes), count > 0 else { return [] }
    return book.beginning(with: bytes.span.extracting(0..<count)).sorted { $0.serial > $1.serial }
  }

  /// Whether what was in a file that is gone, or is in it no more, goes on in another.
  func goesOn(_ file: TailedFile, in content: FileContent, _ status: FileStatus, _ path: String) -> Bool {
    let likeness = try? file.likeness(
      to: content, size: content.count(in: status.size), fingerprintSize: settings.fingerprintSize)
    switch likeness {
    case .strong: return true
    case .weak:
      // A few equal bytes can be an accident: then it must also be a copy by its name and its time, or compressed.
      guard Self.isNamedAfter(file.path, path) else { return false }
      let isRecent = context.clock.now - file.lastGrowth <= Self.copyPatience || isBeginning
      return content.isGzip || isRecent && !file.isDeleted
    default: return false
    }
  }

  /// How well a file agrees with one that is followed; nil when it is none that may be, or may become, a copy of that.
  func resemblance(_ file: TailedFile, to content: FileContent, _ size: UInt64) -> TailedFile.Likeness? {
    if let first = file.waypoints.first, first.offset > content.count(in: size) { return .weak }
    let likeness = try? file.likeness(
      to: content, size: content.count(in: size), fingerprintSize: settings.fingerprintSize)
    return likeness == TailedFile.Likeness.none ? nil : likeness
  }

  /// Decides about those that have waited for it.
  func judgeCandidates() {
    let now = context.clock.now
    for candidate in candidates.values {
      guard let status = try? candidate.content.status() else {
        candidates[candidate.id] = nil
        continue
      }
      candidate.measure(status.size, now)
      guard let original = candidate.original else {
        if status.size > 0 {
          decide(candidate.path, candidate.content, status)
        } else if status.links == 0 {
          candidates[candidate.id] = nil
        } else if now - candidate.foundAt >= Self.emptyPatience {
          adopt(candidate.path, candidate.content, status)
        }
        continue
      }
      if !book.isFollowed(original) {
        decide(candidate.path, candidate.content, status)
      } else if isGone(original) {
        leave(original)
        decide(candidate.path, candidate.content, status)
      } else if status.links == 0, isSource(candidate, of: original) {
        // What was copied from it is read there, and only then what it has besides.
        guard original.isAtEnd, !original.isReady else { continue }
        if let place = end(of: original, in: candidate, status) {
          candidates[candidate.id] = nil
          followDeleted(candidate.content, candidate.id, candidate.path, from: place)
        } else {
          adopt(candidate.path, candidate.content, status)
        }
      } else if candidate.content.isGzip, candidate.isStrong {
        // What it holds is being read where it was compressed from.
        candidate.content.release()
      } else if now - (candidate.completeAt ?? candidate.grownAt) >= Self.copyPatience {
        adopt(candidate.path, candidate.content, status)
      }
    }
  }

  /// Decides about what may be copies of a file that is not in its place any more.
  func judgeCandidates(of file: TailedFile) {
    for candidate in candidates.values where candidate.original === file {
      guard let status = try? candidate.content.status() else { continue }
      decide(candidate.path, candidate.content, status)
    }
  }

  /// Whether a file was deleted and has been read to its end.
  private func isGone(_ file: TailedFile) -> Bool {
    guard !file.isListed, file.isAtEnd, !file.isReady, let status = try? file.content?.status() else {
      return false
    }
    return status.links == 0
  }

  /// Lets go of a deleted file that goes on in a copy. Who still writes to the deleted one is read there.
  private func leave(_ file: TailedFile) {
    guard let content = file.content else { return }
    file.isDeleted = true
    part(file)
    followDeleted(content, file.id, file.path, from: file.position)
  }

  /// Reads what is still written to a deleted file whose beginning was read elsewhere.
  private func followDeleted(_ content: FileContent, _ id: FileID, _ path: String, from place: FilePosition) {
    let rest = TailedFile(
      serial: book.makeSerial(), id: id, path: path, framer: LineFramer(settings.framing),
      now: context.clock.now)
    rest.move(to: place, settings.framing)
    rest.isListed = false
    rest.isDeleted = true
    rest.content = content
    book.add(rest)
    activate(rest)
  }

  /// Whether a file that was deleted before it was read is what another was made from.
  private func isSource(_ candidate: CopyCandidate, of copy: TailedFile) -> Bool {
    candidate.isStrong
      || copy.content?.isGzip ?? false && Self.isNamedAfter(candidate.path, copy.path)
  }

  /// Up to where a file holds what was read of its copy; nil when it does not.
  private func end(of copy: TailedFile, in candidate: CopyCandidate, _ status: FileStatus) -> FilePosition? {
    guard let content = copy.content else { return nil }
    let place = position(min(copy.framer.offset, status.size), in: candidate.content)
    guard place.trail.count > 0, place.trail == position(place.offset, in: content).trail else { return nil }
    return place
  }

  /// Whether a name is made from another as rotations make them: `app.log.1`, `app-20260102.log`, `app.log.gz` of
  /// `app.log`.
  static func isNamedAfter(_ path: String, _ other: String) -> Bool {
    let stem = stem(of: path)
    let candidate = FileFinder.name(of: other)
    guard candidate.hasPrefix(stem) else { return false }
    guard let next = candidate.dropFirst(stem.count).first else { return true }
    return !next.isLetter && !next.isNumber
  }

  /// The name of a file up to its last dot.
  static func stem(of path: String) -> Substring {
    let name = FileFinder.name(of: path)
    return name.lastIndex(of: ".").map { $0 > name.startIndex ? name[..<$0] : name } ?? name
  }
}
