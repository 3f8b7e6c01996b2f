import Foundation
import PipelineKit
import Testing

@testable import Millrace

/// What the oracle of settings plans with.
let standardCatalog = Catalog.standard

/// The fuzzers' properties (see `Tests/Fuzz`) on inputs that broke one of them once, and on a bounded number of new ones.
struct FailCaseTests {
  static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

  /// Files called TARGET-ANYTHING.
  static let failCases: [String] = {
    let folder = tests.appending(path: "Fuzz/FailCases")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { !$0.hasPrefix(".") && $0 != "README.md" }.sorted()
  }()

  @Test(arguments: failCases)
  func `an input that failed once is handled`(name: String) throws {
    // The longest name first: `json-traces-1` is not for a target called `json`.
    let targets = FuzzTarget.allCases.sorted { $0.rawValue.count > $1.rawValue.count }
    let target = try #require(targets.first { name.hasPrefix($0.rawValue + "-") }, "no target for \(name)")
    let input = try Data(contentsOf: Self.tests.appending(path: "Fuzz/FailCases/\(name)"))
    try target.run([UInt8](input))
  }

  @Test(arguments: FuzzTarget.allCases)
  func `an input to start from holds, and so do its beginnings`(target: FuzzTarget) throws {
    for seed in try Self.seeds(for: target) {
      for length in [seed.count, seed.count / 2, 1, 0] { try target.run(Array(seed.prefix(length))) }
    }
  }

  @Test(arguments: FuzzTarget.allCases)
  func `properties hold for seeded mutations`(target: FuzzTarget) throws {
    let seeds = try Self.seeds(for: target)
    try #require(!seeds.isEmpty)
    var wire = WireMutator(seed: 2026)
    var json = JSONMutator(seed: 2026)
    for round in 0..<400 {
      var input = seeds[round % seeds.count]
      for _ in 0...(round / 100) { input = target.isProtobuf ? wire.mutate(input) : json.mutate(input) }
      do {
        try target.run(input)
      } catch {
        Issue.record("round \(round): \(error)\ninput, base64: \(Data(input).base64EncodedString())")
        return
      }
    }
  }

  @Test func `an oracle notices when something is lost`() {
    #expect(throws: OracleFailure.self) { try require(false, "something") }
    #expect(throws: OracleFailure.self) { try demand("reading") { throw CocoaError(.fileNoSuchFile) } }
  }

  /// Small fixtures of the target's kind.
  private static func seeds(for target: FuzzTarget) throws -> [[UInt8]] {
    if !target.seeds.isEmpty { return target.seeds }
    let signal = target.rawValue.replacing("json-", with: "")
    let folder = tests.appending(path: "TelemetryDataTests/JSONFixtures")
    let wanted = "\(signal).\(target.isProtobuf ? "pb" : "json")"
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(wanted) }
      .sorted()
      .map { [UInt8](try Data(contentsOf: folder.appending(path: $0))) }.filter { $0.count < 20_000 }
  }
}
