internal import LogData
internal import Logging
internal import PipelineKit

/// Storing how far files have been read, and going on from there.
extension Tailer {
  /// How often what has changed is stored.
  static let saveInterval = Duration.milliseconds(200)
  /// That something was ever stored is stored under this key.
  private static let beginKey = "begun"
  private static let prefix = "file/"
  /// Higher numbers of files are damage.
  private static let lastSerial: UInt64 = 1 << 62

  /// Begins with what an earlier life has stored.
  func restore(_ stored: [String: [UInt8]]) {
    hasPast = stored[Self.beginKey] != nil
    for (key, value) in stored where key.hasPrefix(Self.prefix) {
      guard let serial = UInt64(key.dropFirst(Self.prefix.count), radix: 16), serial <= Self.lastSerial,
        let checkpoint = FileCheckpoint(value)
      else {
        damaged.append(key)
        continue
      }
      let file = TailedFile(
        serial: serial, id: checkpoint.id, path: checkpoint.path, framer: LineFramer(settings.framing),
        now: context.clock.now)
      file.move(to: checkpoint.position, settings.framing)
      file.accepted = checkpoint.position
      file.intactAt = checkpoint.intactAt
      file.isDeleted = checkpoint.isDeleted
      file.head = checkpoint.head
      book.addAbsent(file)
    }
    if !damaged.isEmpty {
      context.logger.error(
        "what was stored of some files makes no sense, they are read as if they were new",
        metadata: ["files": "\(damaged.count)"])
    }
    if !book.absent.isEmpty {
      context.logger.info("reading goes on where it stopped", metadata: ["files": "\(book.absent.count)"])
    }
  }

  /// Notes that what is stored of a file is not what is known.
  func unsave(_ file: TailedFile) {
    if !isStoring || file.isUnsaved { return }
    file.isUnsaved = true
    unsaved.append(file)
  }

  /// Forgets a file, and what is stored of it.
  func forget(_ file: TailedFile) {
    book.remove(file)
    if isStoring { forgotten.append(file.serial) }
  }

  /// Everything that is to be written now.
  func takeChanges() -> CheckpointChanges {
    var changes: CheckpointChanges = [:]
    // First: files that are new may have got the numbers of these.
    for key in damaged { changes[key] = .some(nil) }
    damaged = []
    for file in unsaved {
      file.isUnsaved = false
      guard let accepted = file.accepted else { continue }
      changes[Self.key(file.serial)] = .some(FileCheckpoint(file, accepted).encoded)
    }
    for serial in forgotten { changes[Self.key(serial)] = .some(nil) }
    saving = unsaved
    unsaved = []
    forgotten = []
    if isStoring, !hasPast, !isBeginning {
      hasPast = true
      changes[Self.beginKey] = .some([1])
    }
    return changes
  }

  private static func key(_ serial: UInt64) -> String { prefix + String(serial, radix: 16) }

  /// Stores what has changed, when it is time to.
  func save(_ now: MonotonicInstant) {
    guard let log = checkpoints, !isSaving, now >= nextSave else { return }
    let changes = takeChanges()
    if changes.isEmpty { return }
    isSaving = true
    nextSave = now + Self.saveInterval
    log.post(changes)
  }

  /// Whether something waits to be stored.
  var isUnsaved: Bool {
    isStoring && !isSaving && (!unsaved.isEmpty || !forgotten.isEmpty || !damaged.isEmpty)
  }

  /// What was posted has been written, or not.
  func saved(_ problem: String?) {
    isSaving = false
    guard let problem else {
      saving = []
      return
    }
    storageLog.log(
      .error, "it cannot be stored how far files have been read, it is tried again",
      metadata: ["reason": "\(problem)"])
    for file in saving { unsave(file) }
    saving = []
  }
}
