/// Why storage could not do what it was asked: what, where, and what to do.
package enum StorageError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The directory is missing or cannot be used.
  case unusableDirectory(path: String, reason: String)
  /// Another process holds the directory; `holder` is its process id, where known.
  case inUse(path: String, holder: String?)
  /// This process has opened the same key already.
  case alreadyOpen(key: String)
  /// The database was written by a later version.
  case newerFormat(path: String, version: Int)
  /// The queue is as full as it may be; it takes records again once some were acknowledged.
  case full(limit: String)
  /// The record alone is larger than the queue may become: it will never fit.
  case tooLarge(limit: String)
  /// The disk takes no more; nothing that was acknowledged is lost.
  case diskFull(path: String, reason: String)
  /// Reading or writing failed.
  case failed(path: String, reason: String)
  /// The queue or store is closed.
  case closed
  /// The caller's task was cancelled while it waited for room.
  case cancelled

  package var description: String {
    switch self {
    case .unusableDirectory(let path, let reason): "cannot use the storage directory \(path): \(reason)"
    case .inUse(let path, let holder):
      "the storage directory \(path) is in use by another process\(holder.map { " (\($0))" } ?? "")"
    case .alreadyOpen(let key): "the storage of \(key) is open already"
    case .newerFormat(let path, let version):
      "\(path) was written by a later version (format \(version), this one knows \(Schema.version))"
    case .full(let limit): "the queue is full: it holds at most \(limit)"
    case .tooLarge(let limit): "the record alone is larger than the queue, which holds at most \(limit)"
    case .diskFull(let path, let reason): "cannot write \(path), the disk is full: \(reason)"
    case .failed(let path, let reason): "cannot use \(path): \(reason)"
    case .closed: "the storage is closed"
    case .cancelled: "cancelled while waiting for room"
    }
  }
}

/// What storage reports beside the calls that fail: for the log and for self-metrics.
package enum StorageEvent: Sendable {
  /// A damaged database was set aside and a new one started.
  case damaged(DamageReport)
  /// Acknowledged records could not be removed; tried again every second. They may come twice after a restart.
  case removalFailed(key: StorageKey, StorageError)
  /// The file was made smaller.
  case compacted(key: StorageKey, before: Int, after: Int)
}

/// What was found and what was saved of a damaged database.
package struct DamageReport: Sendable {
  package let key: StorageKey
  /// What SQLite or our checks said.
  package let reason: String
  /// Where the damaged file is kept; nil when it could not be renamed and was removed.
  package let setAside: String?
  /// Rows carried over into the new database.
  package let salvaged: Int
  /// Rows known to be lost; nil when not even their number could be read.
  package let lost: Int?
  /// Items of lost records by the kind of their record; nil when unknown, and for checkpoints.
  package let lostItems: [UInt8: Int]?
  /// Whether it was found before anybody was told what the queue holds.
  package let isOpening: Bool
}
