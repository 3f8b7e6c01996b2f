import ConfigSchema
import Extensions
import Foundation
import PipelineKit
import PipelineTestKit
import Synchronization
import Testing
import Transport

/// A configuration read from YAML; records what is wrong with it.
func decoded<Config: ConfigGroup>(_ yaml: String, as type: Config.Type = Config.self) throws -> Config {
  let (config, diagnostics) = decoding(yaml, as: type)
  return try #require(config, "\(diagnostics.render())")
}

/// A configuration read from YAML, or what is wrong with it.
func decoding<Config: ConfigGroup>(_ yaml: String, as type: Config.Type) -> (Config?, Diagnostics) {
  var (root, diagnostics) = ConfigLoader.load(sources: [.text(yaml, name: "test.yaml")])
  guard let root else { return (nil, diagnostics) }
  let config = ConfigDecoder.decode(type, from: root, path: "extension", diagnostics: &diagnostics)
  return (config, diagnostics)
}

extension ServerAuthenticator {
  /// The decision about one header, waited for.
  func decide(_ value: String?, header: String = "authorization") async -> AuthenticationDecision {
    await withCheckedContinuation { continuation in
      let values: (String) -> [String] = { name in name == header ? [value].compactMap { $0 } : [] }
      if let decision = authenticate(values, later: { continuation.resume(returning: $0) }) {
        continuation.resume(returning: decision)
      }
    }
  }
}

/// A folder that lives as long as a test.
final class ScratchFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "millrace-auth-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file as editors do: a new one in place of the old.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let file = "\(path)/\(name)"
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    return file
  }
}

/// Moves a clock on until something is true: files are looked at by the clock, on a thread of their own.
func becomesTrue(
  _ clock: TestClock, _ condition: @Sendable () async throws -> Bool
) async throws -> Bool {
  for _ in 0..<500 {
    if try await condition() { return true }
    clock.advance(by: .seconds(1))
    try await Task.sleep(for: .milliseconds(10))
  }
  return false
}
