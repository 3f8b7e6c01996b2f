import ConfigSchema
import Foundation
import Testing

/// Every `Golden/NAME.yaml` is loaded and decoded; what comes out must equal `Golden/NAME.expected`.
///
/// With `RECORD=1` in the environment the expectations are rewritten, and the tests fail so that nobody takes
/// the recording for a pass.
struct GoldenTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden")

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()

  static let environment = ConfigEnvironment(
    variable: { name in
      [
        "TOKEN": "hunter2", "QUEUE_SIZE": "500", "HOST": "backend", "SECONDS": "7", "NAME_OF_NAME": "HOST",
        "LEADING_ZERO": "0123", "LIMIT": "12", "QUOTED": "\"q\"", "MAP": "{x-key: hunter2}",
        "LOOP_A": "${env:LOOP_B}", "LOOP_B": "x${env:LOOP_A}",
      ][name]
    },
    file: { path in
      switch path {
      case "/run/token": return .success("hunter2\n")
      case "/etc/queue.yaml": return .success("queue_size: 77\nmin_size: ${env:LIMIT}\n")
      default:
        guard path.hasSuffix(".yaml") else { return .failure(.notFound) }
        return ConfigEnvironment.process.file(folder.appendingPathComponent(path).path)
      }
    })

  @Test(arguments: names)
  func `a golden file gives what is recorded`(name: String) throws {
    let actual = Self.outcome("\(name).yaml")
    let expectation = Self.folder.appendingPathComponent("\(name).expected")
    if ProcessInfo.processInfo.environment["RECORD"] == "1" {
      try actual.write(to: expectation, atomically: true, encoding: .utf8)
      Issue.record("recorded \(expectation.lastPathComponent)")
      return
    }
    #expect(actual == (try String(contentsOf: expectation, encoding: .utf8)))
    #expect(name.hasPrefix("bad-") == actual.contains("error["))
    #expect(!actual.contains("hunter2"), "a secret was printed")
  }

  @Test func `there are golden files of both kinds`() {
    #expect(Self.names.contains { $0.hasPrefix("good-") } && Self.names.contains { $0.hasPrefix("bad-") })
  }

  /// The findings, then the decoded values as YAML when there are no errors.
  static func outcome(_ file: String) -> String {
    var (node, diagnostics) = ConfigLoader.load(sources: [.file(file)], environment: environment)
    var config: SampleConfig?
    if let node {
      config = ConfigDecoder.decode(SampleConfig.self, from: node, path: "", diagnostics: &diagnostics)
    }
    var text = diagnostics.render()
    if !text.isEmpty { text += "\n\(diagnostics.summary)\n" }
    if let config, !diagnostics.hasErrors { text += "=== decoded\n\(config.literal.renderYAML())" }
    return text
  }
}
