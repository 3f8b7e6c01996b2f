import Dispatch

/// How databases of one directory are kept.
package struct StorageOptions: Sendable {
  /// Whether every commit survives a power cut.
  ///
  /// True syncs the log at every commit (`synchronous=FULL`). False (`synchronous=NORMAL`) survives the end of the
  /// process in any form, `kill -9` included; a power cut or a crash of the system may cost what was committed since
  /// the last checkpoint of the log, but never damages the database.
  package var syncsEveryCommit = false
  /// The most one database file may take, in bytes; nil is no limit. The write-ahead log beside it comes on top,
  /// see ``logBytes``.
  package var maxFileBytes: Int?
  /// How long to wait for another process to give up the directory.
  package var lockTimeout: Duration = .seconds(1)
  /// When files are made smaller.
  package var compaction = CompactionOptions()
  /// Free space that appends leave on the disk, in bytes, so that acknowledged records can still be removed; nil
  /// takes 96 MiB or an eighth of the file system, whichever is less.
  package var freeSpaceReserve: Int?
  /// Calls back after a while.
  package var timer: @Sendable (Duration, @escaping @Sendable () -> Void) -> Void = { delay, action in
    let (seconds, attoseconds) = delay.components
    let nanoseconds = Int(clamping: seconds) &* 1_000_000_000 &+ Int(attoseconds / 1_000_000_000)
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds), execute: action)
  }
  /// Seconds since the Unix epoch, for the names of files set aside.
  package var unixSeconds: @Sendable () -> Int = { FilePrimitives.unixSeconds() }
  /// Hears of what no caller is told.
  package var report: @Sendable (StorageEvent) -> Void = { _ in }

  package init() {}

  /// Bytes after which the write-ahead log is copied into the database; it may overshoot by one transaction.
  ///
  /// A long log saves copying: pages that queues free and use again are copied once per round, however often they
  /// were written. On small file systems and for small databases it is shorter.
  package static let logBytes = 64 << 20

  /// ``logBytes`` as it fits the file system of `directory`.
  func logBytes(in directory: String) -> Int {
    let space = FilePrimitives.space(at: directory)?.total ?? .max
    return max(1 << 20, min(Self.logBytes, space / 16, (maxFileBytes ?? .max) / 4))
  }
  /// Bytes of records that one transaction takes at most, one larger record excepted.
  static let transactionBytes = 8 << 20
}

/// When database files are made smaller: SQLite reuses freed pages but does not give them back by itself.
package struct CompactionOptions: Sendable {
  /// Rewrite the file when it is opened and at least a tenth of it is free.
  package var onStart = false
  /// Shrink the file once it has drained.
  package var onRebound = true
  /// Only files larger than this are shrunk when drained, in bytes.
  package var reboundNeeded = 100 << 20
  /// A file counts as drained when it holds less than this, in bytes.
  package var reboundTrigger = 10 << 20
  package init() {}
}
