import Exporters
import Foundation
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData

/// A directory of a test's own, gone afterwards.
final class Scratch: Sendable {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.path + "/millrace-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func bytes(_ name: String) -> [UInt8] {
    (FileManager.default.contents(atPath: "\(path)/\(name)")).map { [UInt8]($0) } ?? []
  }

  func text(_ name: String) -> String { String(decoding: bytes(name), as: UTF8.self) }

  /// Every file below, sorted.
  var names: [String] {
    let all = FileManager.default.subpaths(atPath: path) ?? []
    return all.filter { name in
      var isDirectory: ObjCBool = false
      return FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory)
        && !isDirectory.boolValue
    }.sorted()
  }

  func put(_ name: String, _ text: String) {
    _ = FileManager.default.createFile(atPath: "\(path)/\(name)", contents: Data(text.utf8))
  }

  /// The `body.stringValue` of every log record, line by line.
  func bodies(_ name: String) throws -> [[String]] {
    try text(name).split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let resources = object?["resourceLogs"] as? [[String: Any]] ?? []
      return resources.flatMap { $0["scopeLogs"] as? [[String: Any]] ?? [] }
        .flatMap { $0["logRecords"] as? [[String: Any]] ?? [] }
        .compactMap { ($0["body"] as? [String: Any])?["stringValue"] as? String }
    }
  }
}

/// File calls over a disk that fills up.
final class FillingDisk: FileCalls {
  private let state: Mutex<(room: Int, syncs: Int)>

  /// - Parameter room: How many bytes can still be written.
  init(room: Int) { state = Mutex((room, 0)) }

  /// Makes room.
  func free(_ bytes: Int) { state.withLock { $0.room += bytes } }
  var syncs: Int { state.withLock { $0.syncs } }

  func write(_ bytes: Span<UInt8>, to descriptor: Int32) -> Result<Int, FileCallFailure> {
    let room = state.withLock { state in
      let taken = min(state.room, bytes.count)
      state.room -= taken
      return taken
    }
    if room == 0 { return .failure(FileCallFailure(code: ENOSPC)) }
    return SystemFileCalls().write(bytes.extracting(0..<room), to: descriptor)
  }

  func sync(_ descriptor: Int32) -> Result<Void, FileCallFailure> {
    state.withLock { $0.syncs += 1 }
    return .success(())
  }
}

extension Batch {
  /// Log records with the given bodies, of one resource with the given attributes.
  static func logs(_ bodies: String..., resource: Attributes = [:]) -> Batch {
    var builder = BatchBuilder(.logs)
    builder.beginResource(ResourceValue(attributes: resource))
    for body in bodies { builder.add(LogRecordValue(time: 1, body: .string(body))) }
    return builder.finish()
  }

  static func merged(_ batches: Batch...) throws -> Batch { try .merging(batches, signal: batches[0].signal) }
}
