internal import ConfigSchema
internal import NativeCodecs
internal import TelemetryData
internal import Transport

/// Finds out attributes of the resource that the collector runs on.
protocol ResourceDetector: Sendable {
  /// What it found, nothing when it is not where it could find anything.
  ///
  /// - Throws: a ``DetectionFailure``, or what the client throws, when it is there but cannot find out.
  func detect() async throws -> [Attribute]
}

/// Why a detector found nothing out: a clause without a full stop.
struct DetectionFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Gathers the attributes that the settings of a detector ask for.
struct DetectedAttributes<Section: DetectorSection> {
  private let section: Section
  private(set) var attributes: [Attribute] = []

  init(_ section: Section) { self.section = section }

  func wants(_ name: String) -> Bool { section.isEnabled(name) }

  /// Adds a text; an empty one says nothing.
  mutating func set(_ name: String, _ text: String?) {
    if let text, !text.isEmpty { set(name, .string(text)) }
  }

  mutating func set(_ name: String, _ texts: [String]) {
    if !texts.isEmpty { set(name, .array(texts.map { .string($0) })) }
  }

  mutating func set(_ name: String, _ value: AnyValue) {
    if wants(name) { attributes.append(Attribute(name, value)) }
  }

  /// Adds an attribute that no switch is about.
  mutating func add(_ name: String, _ text: String) { attributes.append(Attribute(name, .string(text))) }
}

/// What detectors see of the world; tests give them another.
struct DetectorSurroundings: Sendable {
  /// The environment variables.
  var environment: [String: String]
  /// Stands in front of every path.
  var root = ""
  let client: HTTPClient
  /// The longest time for one request.
  let timeout: Duration

  /// The most bytes of a file, and of an answer of a metadata service.
  static let mostBytes = 1 << 20

  /// The first variable that is set and not empty.
  func variable(_ names: String...) -> String? {
    for name in names {
      if let value = environment[name], !value.isEmpty { return value }
    }
    return nil
  }

  /// The text of a file; nil when there is none. Blocks.
  func file(_ path: String) -> String? {
    guard let bytes = try? FileBytes.read(root + path, limit: Self.mostBytes) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The first line of a file without spaces around it; nil when it is empty. Blocks.
  func line(_ path: String) -> String? {
    let line = file(path)?.split(separator: "\n").first.map { $0.trimmingSpaces }
    return line.flatMap { $0.isEmpty ? nil : $0 }
  }

  // MARK: Metadata services

  /// How long to wait for a service that may not be there at all.
  var probeTimeout: Duration { timeout > .zero ? min(timeout / 2, .seconds(2)) : .seconds(2) }

  /// The text that a metadata service has at a URL; nil when it has none.
  func text(at url: String, _ headers: [(name: String, value: String)]) async throws -> String? {
    let reply = try await client.get(url: url, headers: headers, limit: Self.mostBytes, timeout: timeout)
    if reply.status == 404 { return nil }
    return try Self.text(of: reply, url)
  }

  static func text(of reply: HTTPReply, _ url: String) throws -> String {
    guard reply.status == 200 else {
      throw DetectionFailure("\(url) answers with the status \(reply.status)")
    }
    guard !reply.isBodyCut, let text = String(validating: reply.body, as: UTF8.self) else {
      throw DetectionFailure("\(url) answers with something other than a short text")
    }
    return text
  }

  static func json(_ text: String, _ url: String) throws -> ConfigNode {
    let (node, _) = ConfigDocument.readJSON(text, name: url)
    guard let node, node.kind == .map else { throw DetectionFailure("\(url) answers with no JSON object") }
    return node
  }
}

extension ConfigNode {
  /// The text of a value below; empty when there is none.
  func text(_ path: String...) -> String {
    guard let node = node(at: path), !node.isNull else { return "" }
    return node.text ?? ""
  }
}

extension StringProtocol {
  /// Without spaces, tabs and line ends on both sides.
  var trimmingSpaces: String {
    var text = Substring(self)
    while let first = text.unicodeScalars.first, " \t\r\n".unicodeScalars.contains(first) {
      text.removeFirst()
    }
    while let last = text.unicodeScalars.last, " \t\r\n".unicodeScalars.contains(last) { text.removeLast() }
    return String(text)
  }
}
