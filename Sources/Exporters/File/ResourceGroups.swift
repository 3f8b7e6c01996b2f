internal import TelemetryData
internal import WireFormat

/// Where the resources of a batch go when `group_by` is on.
struct ResourceGroups {
  private let prefix: String
  private let suffix: String
  private let attribute: String
  /// The longest part of a path between two slashes, in bytes: file systems take 255.
  private static let maxNameBytes = 200

  /// Nil unless `group_by` is on.
  init?(_ config: FileExporterConfig) {
    guard config.groupBy.enabled, let star = config.path.firstIndex(of: "*") else { return nil }
    prefix = String(config.path[..<star])
    suffix = String(config.path[config.path.index(after: star)...])
    attribute = config.groupBy.resourceAttribute
  }

  /// The parts of one batch by path, and how many items have none.
  struct Division {
    var parts: [(path: String, batch: Batch)] = []
    var itemsWithoutPath = 0
  }

  /// Divides a batch; resources of one path stay together in their order.
  func divide(_ batch: Batch) -> Division {
    var division = Division()
    var order: [String] = []
    var resources: [String: [Int]] = [:]
    for position in batch.index.resources.indices {
      guard let value = segment(ofResource: position, in: batch) else {
        division.itemsWithoutPath += itemCount(ofResource: position, in: batch)
        continue
      }
      let path = path(for: value)
      if resources[path] == nil { order.append(path) }
      resources[path, default: []].append(position)
    }
    for path in order {
      let positions = resources[path] ?? []
      division.parts.append((path, part(of: batch, resources: positions)))
    }
    return division
  }

  /// The path that a value of the attribute stands for: always below what `path` has before its last slash.
  ///
  /// Slashes in the value make directories; `..`, `.`, empty parts and a leading slash are left out.
  func path(for value: String) -> String {
    let parts = value.split(separator: "/").filter { $0 != "." && $0 != ".." }.map(Self.cleaned)
    var middle = parts.joined(separator: "/")
    // What surrounds the * may complete a dangerous part: "*" is "." in "out/.*/x", or nothing in "a/*/b".
    let before = prefix.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    let after = suffix.split(separator: "/", omittingEmptySubsequences: false).first.map(String.init) ?? ""
    if !before.isEmpty || !after.isEmpty {
      let lone = before + middle + after
      if lone == "." || lone == ".." { middle = "_" + middle }
    }
    return prefix + middle + suffix
  }

  private static func cleaned(_ part: Substring) -> String {
    var name = ""
    for scalar in part.unicodeScalars {
      let isControl = scalar.value < 0x20 || scalar.value == 0x7F
      let next = isControl ? "_" : Character(scalar)
      if name.utf8.count + next.utf8.count > maxNameBytes { break }
      name.append(next)
    }
    return name
  }

  private func segment(ofResource position: Int, in batch: Batch) -> String? {
    let resource = batch.resource(at: position)
    guard let value = resource.attributes.first(attribute), value.kind == .string else { return nil }
    return value.string
  }

  private func part(of batch: Batch, resources: [Int]) -> Batch {
    if resources.count == batch.index.resources.count { return batch }
    var bytes: [UInt8] = []
    for position in resources {
      let entry = batch.index.resources[position]
      bytes.append(contentsOf: batch.bytes[Int(entry.fieldStart)..<Int(entry.payload.end)])
    }
    do {
      return try Batch(bytes: bytes, signal: batch.signal, validation: .framing)
    } catch {
      assertionFailure("whole resources of a batch are no batch: \(error)")
      return Batch(signal: batch.signal)
    }
  }

  private func itemCount(ofResource position: Int, in batch: Batch) -> Int {
    let scopes = batch.index.scopes(ofResource: position)
    return scopes.reduce(0) { count, scope in
      let items = batch.index.items(ofScope: scope)
      guard batch.signal == .metrics else { return count + items.count }
      return items.reduce(count) { $0 + batch.index.points(ofMetric: $1).count }
    }
  }
}
