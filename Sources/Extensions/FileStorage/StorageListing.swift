package import ConfigSchema
package import PipelineKit
import Storage
import TelemetryData

/// What waits in a storage directory, in the pipeline's terms: for `millrace storage`.
package struct StorageListing: Sendable {
  package let directory: String
  /// Who uses the directory, such as `process 4711`; nil when nobody does.
  package let holder: String?
  package let entries: [Entry]
  package let damaged: [Damaged]

  /// One client's queue or checkpoints.
  package struct Entry: Sendable {
    let key: StorageKey
    package let client: ComponentID
    package let kind: Kind
    package let file: String
    /// What it takes on disk, its log included.
    package let fileBytes: Int
    /// What a queue holds; nil for checkpoints, and for what cannot be read.
    package let load: StoredLoad?
    /// The number of checkpoints; nil for queues.
    package let checkpoints: Int?
    /// Why it cannot be read; nil when it can.
    package let problem: String?

    /// Whether somebody means this entry by `name`: the client's id, or the file's name.
    package func isCalled(_ name: String) -> Bool {
      name == client.description || name == file || name == key.text
    }
  }

  package enum Kind: String, Sendable { case queue, checkpoints }

  /// A damaged file that was kept.
  package struct Damaged: Sendable {
    package let file: String
    package let bytes: Int
    /// Seconds since the Unix epoch.
    package let setAsideAt: Int?
  }

  /// Looks at `directory` without changing anything in it; whoever uses it goes on undisturbed.
  ///
  /// - Throws: a text for people when the directory cannot be read.
  package static func read(_ directory: String) async throws -> StorageListing {
    let found = try await StorageInspection.read(directory)
    return StorageListing(
      directory: directory, holder: found.holder, entries: found.databases.map(Entry.init),
      damaged: found.setAside.map {
        Damaged(file: $0.file, bytes: $0.bytes, setAsideAt: $0.unixSeconds)
      })
  }

  /// Everything, for programs. Times are seconds since the Unix epoch, sizes bytes.
  package var literal: ConfigLiteral {
    .map([
      .init("directory", .string(directory)),
      .init("in_use_by", holder.map { .string($0) } ?? .null),
      .init("databases", .list(entries.map(\.literal))),
      .init(
        "damaged",
        .list(
          damaged.map { file in
            .map([
              .init("file", .string(file.file)), .init("bytes", .integer(Int64(file.bytes))),
              .init("set_aside_at", file.setAsideAt.map { .integer(Int64($0)) } ?? .null),
            ])
          })),
    ])
  }
}

extension StorageListing.Entry {
  fileprivate init(_ database: StorageInspection.Database) {
    key = database.key
    client = FileStorageExtension.client(of: database.key)
    kind = database.purpose == .queue ? .queue : .checkpoints
    file = database.file
    fileBytes = database.fileBytes
    switch database.content {
    case .queue(let totals):
      let items = Signal.allCases.map { ($0, totals.itemsByKind[StoredBatches.kind($0)] ?? 0) }
      load = StoredLoad(
        batches: totals.records, bytes: totals.bytes, items: Dictionary(uniqueKeysWithValues: items))
      (checkpoints, problem) = (nil, nil)
    case .checkpoints(let keys): (load, checkpoints, problem) = (nil, keys, nil)
    case .unreadable(let reason): (load, checkpoints, problem) = (nil, nil, reason)
    }
  }

  fileprivate var literal: ConfigLiteral {
    var entries: [ConfigLiteral.Entry] = [
      .init("client", .string(client.description)), .init("component", .string(client.kind.rawValue)),
      .init("kind", .string(kind.rawValue)), .init("file", .string(file)),
      .init("file_bytes", .integer(Int64(fileBytes))),
    ]
    if let load {
      entries.append(.init("batches", .integer(Int64(load.batches))))
      entries.append(.init("bytes", .integer(Int64(load.bytes))))
      entries.append(
        .init(
          "items",
          .map(Signal.allCases.map { .init($0.rawValue, .integer(Int64(load.items[$0] ?? 0))) })))
    }
    if let checkpoints { entries.append(.init("checkpoints", .integer(Int64(checkpoints)))) }
    if let problem { entries.append(.init("problem", .string(problem))) }
    return .map(entries)
  }
}
