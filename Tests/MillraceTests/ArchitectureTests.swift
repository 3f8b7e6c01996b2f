import Foundation
import Testing

/// Holds the sources to the laws of the house: `Package.swift` is the plan, the imports are what was built.
@Suite struct ArchitectureTests {
  static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  let manifest: Manifest
  let sources: [SourceFile]
  let tests: [SourceFile]

  init() throws {
    manifest = try Manifest(
      text: String(contentsOf: Self.repository.appending(path: "Package.swift"), encoding: .utf8))
    sources = try SourceFile.all(under: "Sources", in: Self.repository)
    tests = try SourceFile.all(under: "Tests", in: Self.repository)
  }

  /// Modules that come with the toolchain and may be imported anywhere.
  static let toolchain: Set<String> = ["Synchronization", "Dispatch", "Glibc", "Musl", "Darwin", "Testing"]

  /// Modules that only one target may import.
  static let reserved: [(module: String, owner: String)] = [
    ("CZlib", "NativeCodecs"), ("CZstd", "NativeCodecs"), ("CSnappy", "NativeCodecs"),
    ("CCrypt", "NativeCodecs"), ("CMessageDigest", "NativeCodecs"), ("CRE2", "NativeCodecs"),
    ("CResolver", "NativeCodecs"), ("CIconv", "NativeCodecs"), ("CLinux", "NativeCodecs"),
    ("Yams", "ConfigSchema"), ("ArgumentParser", "Millrace"), ("AsyncHTTPClient", "Transport"),
    ("GRDB", "Storage"), ("GRDBSQLite", "Storage"),
  ]

  /// Files that may import FoundationEssentials, each with what it needs; Foundation itself is for tests only.
  ///
  /// Foundation costs several MiB of memory at start, which is why the list is short.
  static let foundationAllowed: [String: String] = [:]

  /// Module names that say nothing.
  static let meaningless: Set<String> = [
    "Core", "Common", "Utils", "Util", "Helpers", "Helper", "Base", "Shared",
  ]

  /// Entries of the repository's root, other than hidden ones that tools make.
  static let topLevel: Set<String> = [
    "LICENSE", "Makefile", "Package.resolved", "Package.swift", "README.md", "Sources", "Tests", "pipelines",
    ".ci", ".gitignore", ".swift-format",
  ]

  @Test func `the manifest and the sources were found`() {
    #expect(manifest.targets.count > 15)
    #expect(Set(sources.map(\.target)).isSuperset(of: ["WireFormat", "PipelineKit", "Engine", "Millrace"]))
    #expect(sources.contains { $0.imports.contains("PipelineKit") })
  }

  @Test func `every import is a declared dependency`() {
    for file in sources + tests {
      guard let target = manifest.target(file.target) else {
        Issue.record("\(file.path): Package.swift declares no target \(file.target)")
        continue
      }
      let allowed = Set(target.dependencies).union(Self.toolchain).union([
        "Foundation", "FoundationEssentials",
      ])
      for module in file.imports where !allowed.contains(module) && module != target.name {
        Issue.record("\(file.path) imports \(module), which target \(target.name) does not declare")
      }
    }
  }

  @Test func `every declared dependency is imported`() {
    for target in manifest.targets where target.kind == .plain || target.kind == .executable {
      let imported = Set(sources.filter { $0.target == target.name }.flatMap(\.imports))
      for dependency in target.dependencies where !imported.contains(dependency) {
        Issue.record("target \(target.name) declares \(dependency) and never imports it")
      }
    }
  }

  @Test func `dependencies point downwards only`() {
    for (index, target) in manifest.targets.enumerated() {
      let below = Set(manifest.targets[..<index].map(\.name))
      let own = Set(manifest.targets.map(\.name))
      for dependency in target.dependencies where own.contains(dependency) && !below.contains(dependency) {
        Issue.record("\(target.name) depends on \(dependency), which Package.swift lists below it")
      }
    }
  }

  @Test func `the engine and the components do not know each other`() {
    let components = ["Receivers", "Processors", "Exporters", "Extensions"]
    for kind in components {
      let others = components.filter { $0 != kind } + ["Engine", "Console"]
      expectNoImport(of: others, in: kind)
    }
    expectNoImport(of: components + ["Console", "Transport"], in: "Engine")
  }

  @Test(arguments: reserved)
  func `a reserved module has one importer`(module: String, owner: String) {
    for file in sources where file.target != owner && file.imports.contains(module) {
      Issue.record("\(file.path) imports \(module), which only \(owner) may")
    }
  }

  @Test func `NIO stays inside Transport`() {
    for file in sources where file.target != "Transport" {
      for module in file.imports where module.hasPrefix("NIO") || module.hasPrefix("_NIO") {
        Issue.record("\(file.path) imports \(module): give Transport an API without NIO types instead")
      }
    }
  }

  @Test func `storage knows no telemetry`() {
    expectNoImport(of: ["TelemetryData", "PipelineKit", "ConfigSchema", "Transport"], in: "Storage")
  }

  @Test func `the running path does not load Foundation`() {
    for file in sources {
      for module in file.imports where module.hasPrefix("Foundation") {
        if module == "FoundationEssentials", Self.foundationAllowed[file.path] != nil { continue }
        Issue.record("\(file.path) imports \(module) and is not on the list of files that may")
      }
    }
    for path in Self.foundationAllowed.keys {
      let file = sources.first { $0.path == path }
      #expect(file?.imports.contains("FoundationEssentials") == true, "\(path) need not be on the list")
    }
  }

  @Test func `unsafe pointers stay in NativeCodecs and in files named for it`() {
    let unsafe = /Unsafe(Mutable)?(Raw)?(Buffer)?Pointer|withUnsafe|unsafeBitCast/
    for file in sources where file.target != "NativeCodecs" && !file.path.hasSuffix("+Unsafe.swift") {
      for (number, line) in file.lines.enumerated() where line.contains(unsafe) {
        Issue.record("\(file.path):\(number + 1) uses unsafe memory: move it to a file named …+Unsafe.swift")
      }
    }
  }

  @Test func `no module has a name that says nothing`() {
    for target in manifest.targets {
      #expect(!Self.meaningless.contains(target.name), "name \(target.name) after its job")
    }
  }

  @Test func `no file is longer than 500 lines`() {
    for file in sources + tests where file.lines.count > 500 {
      Issue.record("\(file.path) has \(file.lines.count) lines: split it by job")
    }
  }

  @Test func `the root of the repository holds what it should`() throws {
    let ignored = [".build", ".git", ".swiftpm", ".pytest_cache", ".vscode", ".idea", ".DS_Store"]
    for entry in try FileManager.default.contentsOfDirectory(atPath: Self.repository.path()) {
      if ignored.contains(where: { entry == $0 || entry.hasPrefix($0 + "-") || entry.hasPrefix($0 + "_") }) {
        continue
      }
      if entry.hasSuffix(".jsonl") || entry.hasSuffix(".profraw") { continue }
      #expect(Self.topLevel.contains(entry), "\(entry): belongs into a folder, or onto the list in this test")
    }
  }

  private func expectNoImport(of modules: [String], in target: String) {
    for file in sources where file.target == target {
      for module in file.imports where modules.contains(module) {
        Issue.record("\(file.path) imports \(module), which \(target) must not know")
      }
    }
  }
}

/// The targets of `Package.swift`, read from its text.
struct Manifest {
  enum Kind: String {
    case system = "systemLibrary", plain = "target", executable = "executableTarget", test = "testTarget"
  }
  struct Target {
    let kind: Kind
    let name: String
    /// Targets of this package and products of others, in the order written.
    let dependencies: [String]
  }
  /// In the order of the manifest.
  let targets: [Target]

  init(text: String) {
    targets = text.matches(of: /\.(systemLibrary|target|executableTarget|testTarget)\(/).compactMap { match in
      let body = Self.balanced(text[match.range.upperBound...], open: "(", close: ")")
      guard let kind = Kind(rawValue: String(match.1)), let name = body.firstMatch(of: /name:\s*"([^"]+)"/)
      else {
        return nil
      }
      var dependencies: [String] = []
      if let start = body.firstRange(of: "dependencies: [") {
        let list = Self.balanced(body[start.upperBound...], open: "[", close: "]")
        for entry in list.matches(of: /\.product\(name:\s*"([^"]+)"[^)]*\)|"([^"]+)"/) {
          if let dependency = entry.1 ?? entry.2 { dependencies.append(String(dependency)) }
        }
      }
      return Target(kind: kind, name: String(name.1), dependencies: dependencies)
    }
  }

  func target(_ name: String) -> Target? { targets.first { $0.name == name } }

  /// The text up to the bracket that closes the one just before `text`.
  private static func balanced(_ text: Substring, open: Character, close: Character) -> Substring {
    var depth = 1
    for index in text.indices {
      if text[index] == open { depth += 1 }
      if text[index] == close { depth -= 1 }
      if depth == 0 { return text[..<index] }
    }
    return text
  }
}

/// One Swift file: where it is, which target compiles it, and what it imports.
struct SourceFile {
  /// From the root of the repository.
  let path: String
  let target: String
  let lines: [Substring]
  let imports: [String]

  static func all(under folder: String, in repository: URL) throws -> [SourceFile] {
    let root = repository.appending(path: folder)
    let paths = try FileManager.default.subpathsOfDirectory(atPath: root.path()).filter { path in
      // Nested packages (benchmarks) have their own manifest, and build folders are not ours.
      path.hasSuffix(".swift") && !path.hasSuffix("Package.swift") && !path.contains(".build/")
    }
    return try paths.sorted().compactMap { path in
      guard let target = path.split(separator: "/").first, folder == "Sources" || target.hasSuffix("Tests")
      else {
        return nil
      }
      let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
      return SourceFile(path: "\(folder)/\(path)", target: String(target), text: text)
    }
  }

  init(path: String, target: String, text: String) {
    self.path = path
    self.target = target
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    self.lines = lines
    let statement =
      /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
    imports = lines.compactMap { line in line.firstMatch(of: statement).map { String($0.1) } }
  }
}
