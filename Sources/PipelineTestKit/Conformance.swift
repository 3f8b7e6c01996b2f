internal import ConfigSchema
internal import Engine
package import PipelineKit
internal import TelemetryData

/// What every component must do, whatever it does: checked for each entry of a catalog.
///
/// Each check returns what is wrong, in words; an empty list means that the component conforms.
package struct Conformance: Sendable {
  private let entry: Catalog.Entry
  private let settings: String
  private let catalog: Catalog

  /// - Parameters:
  ///   - entry: the component type.
  ///   - settings: the smallest settings it works with, as YAML in flow style: `{endpoint: "127.0.0.1:0"}`.
  ///   - catalog: the catalog that holds it, and the test components.
  package init(_ entry: Catalog.Entry, settings: String, catalog: Catalog) {
    self.entry = entry
    self.settings = settings
    self.catalog = catalog
  }

  private var type: String { entry.descriptor.type }
  /// The first signal it carries.
  private var signal: Signal { entry.descriptor.signals.first ?? .traces }

  private func yaml(_ settings: String, type: String? = nil, probe: String = "none") -> String {
    let component = "\(entry.kind.section): {\(type ?? self.type): \(settings)}\n"
    let name = type ?? self.type
    let ends = [
      ComponentKind.receiver: "receivers: {probe: {probe: \"\(probe)\"}}\n",
      .exporter: "exporters: {probe: {probe: \"\(probe)\"}}\n",
    ]
    let others = ends.filter { $0.key != entry.kind }.map(\.value).sorted().joined()
    let receiver = entry.kind == .receiver ? name : "probe"
    let exporter = entry.kind == .exporter ? name : "probe"
    let processors = entry.kind == .processor ? ", processors: [\(name)]" : ""
    let extensions = entry.kind == .extension ? "extensions: [\(name)], " : ""
    return component + others
      + "service: {\(extensions)pipelines: {\(signal.rawValue): {receivers: [\(receiver)]\(processors), exporters: [\(exporter)]}}}\n"
  }

  // MARK: Configuration

  /// Declared keys, their errors, and the pages made from them.
  package func configurationProblems() -> [String] {
    var problems: [String] = []
    let (plan, diagnostics) = TestCollector.plan(yaml(settings), catalog: catalog)
    if plan == nil { problems.append("the smallest settings are refused: \(diagnostics.render())") }
    problems += unknownKeyProblems()
    for old in entry.descriptor.deprecatedTypes {
      let (plan, diagnostics) = TestCollector.plan(yaml(settings, type: old), catalog: catalog)
      if plan == nil || diagnostics.count(.note) == 0 {
        problems.append("the old spelling \(old) is not accepted with a note")
      }
    }
    problems += fieldProblems(entry.configuration, path: "", depth: 0)
    if entry.descriptor.summary.isEmpty { problems.append("there is no summary") }
    if ReferenceRenderer.jsonSchema(of: .group(entry.configuration)).json.count < 20 {
      problems.append("the JSON Schema is empty")
    }
    return problems
  }

  private func unknownKeyProblems() -> [String] {
    let inner = settings.dropFirst().dropLast()
    let broken = "{\(inner)\(inner.isEmpty ? "" : ", ")no_such_key_at_all: 1}"
    let (plan, diagnostics) = TestCollector.plan(yaml(broken), catalog: catalog)
    let found = diagnostics.all.first { $0.code == "unknown-key" }
    if plan != nil || found == nil { return ["an unknown key is not refused"] }
    if found?.location == nil { return ["the error about an unknown key has no position"] }
    return []
  }

  private func fieldProblems(_ group: GroupDescription, path: String, depth: Int) -> [String] {
    guard depth < 6 else { return [] }
    var problems: [String] = []
    var seen = Set<String>()
    for field in group.fields {
      let name = path.isEmpty ? field.name : "\(path).\(field.name)"
      if !seen.insert(field.name).inserted { problems.append("\(name) is declared twice") }
      if field.help.isEmpty, field.status == .supported || field.status == .unsupported {
        problems.append("\(name) has no help")
      }
      let isSnakeCase = field.name.utf8.allSatisfy {
        ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F
      }
      if !isSnakeCase { problems.append("\(name) is not in lower_snake_case") }
      switch field.type {
      case .group(let nested): problems += fieldProblems(nested, path: name, depth: depth + 1)
      case .variants(let variants), .list(.variants(let variants)):
        for variant in variants.variants {
          problems += fieldProblems(variant.group, path: "\(name).\(variant.name)", depth: depth + 1)
        }
      default: break
      }
      if depth == 0, field.status == .supported { problems += wrongTypeProblems(field) }
    }
    return problems
  }

  /// A value of a type that cannot fit must be an error that names the key.
  private func wrongTypeProblems(_ field: FieldDescription) -> [String] {
    let wrong: String
    switch field.type {
    case .any: return []
    case .group, .variants, .map: wrong = "[1, 2]"
    default: wrong = "{not: {a: value}}"
    }
    let (_, diagnostics) = TestCollector.plan(yaml("{\(field.name): \(wrong)}"), catalog: catalog)
    let isNamed = diagnostics.all.contains {
      $0.severity == .error && $0.path.contains(field.name) && $0.location != nil
    }
    return isNamed ? [] : ["\(field.name): \(wrong) gives no error that names the key and its place"]
  }

  // MARK: Lifecycle

  /// Starting, stopping at once, and doing both again.
  package func lifecycleProblems() async -> [String] {
    var problems: [String] = []
    for round in 1...2 {
      let probe = Probe("lifecycle-\(type)")
      do {
        let collector = try TestCollector(yaml(settings, probe: probe.name), catalog: catalog)
        let balances = try await collector.run { _ in
          if entry.kind != .receiver { await probe.started.wait() }
        }
        if balances.contains(where: { $0.unaccounted != 0 }) {
          problems.append("round \(round): the account does not balance")
        }
      } catch {
        problems.append("round \(round): \(error)")
      }
    }
    return problems
  }

  // MARK: Outcomes

  /// Every delivery is resolved once, whether there is time to drain or not, and every item is accounted for.
  package func outcomeProblems() async -> [String] {
    guard entry.kind == .processor || entry.kind == .exporter else { return [] }
    var problems: [String] = []
    for (drain, name) in [(Duration.seconds(20), "graceful"), (.zero, "at once")] {
      let probe = Probe("outcomes-\(name)-\(type)")
      let handlers = (0..<50).map { _ in OutcomeProbe() }
      do {
        let collector = try TestCollector(yaml(settings, probe: probe.name), catalog: catalog)
        let balances = try await collector.run(drainTimeout: drain) { _ in
          await probe.started.wait()
          for (index, handler) in handlers.enumerated() {
            probe.offer(.items(1 + index % 7, of: signal), handler: handler)
          }
        }
        let wrong = handlers.filter { $0.count != 1 }.count
        if wrong > 0 {
          problems.append("\(name): \(wrong) of \(handlers.count) deliveries were not resolved once")
        }
        let balance = balances.first { $0.signal == signal }
        let sent = (0..<50).reduce(0) { $0 + 1 + $1 % 7 }
        if balance?.items(.received) != sent {
          problems.append("\(name): \(sent) items were sent, \(balance?.items(.received) ?? 0) booked")
        }
        if let balance, balance.unaccounted != 0 || balance.inFlight != 0 {
          problems.append(
            "\(name): \(balance.unaccounted) items are unaccounted for, \(balance.inFlight) in flight: \(balance.lines)"
          )
        }
      } catch {
        problems.append("\(name): \(error)")
      }
    }
    return problems
  }
}
