package import ConfigSchema
package import PipelineKit
package import TelemetryData

/// What a configuration asks for, checked and ready to be built: no component has been made yet.
package struct Plan: Sendable {
  /// A component that some pipeline, or `service.extensions`, names.
  package struct Node: Sendable {
    package let id: ComponentID
    package let component: DecodedComponent
    /// Where it is declared, `file:line`.
    package let declaredAt: String
    package var signals: [Signal] = []
    /// The extensions it works with, by the ids its configuration names them with.
    package var extensions: [String: ComponentID] = [:]
  }

  /// A pipeline with its components resolved.
  package struct Pipeline: Sendable, Hashable {
    /// `traces` or `traces/name`.
    package let id: String
    package let signal: Signal
    package let receivers: [ComponentID]
    package let processors: [ComponentID]
    package let exporters: [ComponentID]
  }

  package private(set) var nodes: [ComponentID: Node] = [:]
  package private(set) var pipelines: [Pipeline] = []
  /// In the order of `service.extensions`, but that those which another one works with come before it.
  package private(set) var extensions: [ComponentID] = []
  package private(set) var telemetry = TelemetryConfig()
  /// Whether senders' answers wait for the backends also where queues are memory only.
  package private(set) var isAtLeastOnce = false
  package private(set) var memory = MemoryConfig()

  /// Plans the graph of a resolved configuration; nil when errors were added.
  ///
  /// Pure: no file is opened and no address resolved.
  package static func make(from root: ConfigNode, catalog: Catalog, diagnostics: inout Diagnostics) -> Plan? {
    var planner = Planner(catalog: catalog)
    let plan = planner.plan(root)
    diagnostics.append(contentsOf: planner.diagnostics)
    return planner.diagnostics.hasErrors ? nil : plan
  }

  /// The work of ``make(from:catalog:diagnostics:)``.
  private struct Planner {
    let catalog: Catalog
    var diagnostics = Diagnostics()
    var declared: [ComponentKind: [String: Declaration]] = [:]
    var plan = Plan()

    /// A component as declared, under the id it is referred to by.
    struct Declaration {
      let id: ComponentID
      let entry: Catalog.Entry
      let component: DecodedComponent?
      let origin: Origin
      let section: ConfigNode
      var isUsed = false
    }

    mutating func plan(_ root: ConfigNode) -> Plan {
      guard root.kind == .map else {
        diagnostics.error("empty-config", "the configuration has no sections", at: root.origin)
        return plan
      }
      checkSections(root)
      for kind in ComponentKind.allCases {
        if let section = root[kind.section] { declare(kind, section) }
      }
      guard let serviceNode = root["service"] else {
        diagnostics.error(
          "missing-section", "the configuration has no service section", at: root.origin,
          help:
            "add \"service:\" with \"pipelines:\", for example traces: {receivers: [otlp], exporters: [debug]}"
        )
        return plan
      }
      if let service = ConfigDecoder.decode(
        ServiceConfig.self, from: serviceNode, path: "service", diagnostics: &diagnostics)
      {
        plan.telemetry = service.telemetry
        plan.isAtLeastOnce = service.delivery == .atLeastOnce
        plan.memory = service.memory
        planExtensions(service)
        if let admin = serviceNode["admin"] { planAdmin(admin, at: serviceNode) }
        planPipelines(service, at: serviceNode)
      }
      checkUses()
      resolveExtensions()
      orderExtensions()
      if !diagnostics.hasErrors { lint(serviceNode) }
      warnOfUnused()
      return plan
    }

    private mutating func checkSections(_ root: ConfigNode) {
      let known = ComponentKind.allCases.map(\.section) + ["service"]
      for entry in root.entries where !known.contains(entry.key) {
        let near = Spelling.closest(to: entry.key, among: known)
        diagnostics.error(
          "unknown-key", "unknown section \"\(entry.key)\"", at: entry.keyOrigin, path: entry.key,
          help: near.map { "did you mean \"\($0)\"?" } ?? "sections are \(known.joined(separator: ", "))")
      }
    }

    // MARK: Declarations

    private mutating func declare(_ kind: ComponentKind, _ section: ConfigNode) {
      guard section.kind == .map || section.isNull else {
        diagnostics.error(
          "wrong-type", "\(kind.section) must map component ids to their settings", at: section.origin,
          path: kind.section)
        return
      }
      for entry in section.entries {
        let path = "\(kind.section).\(entry.key)"
        let parts = entry.key.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let (type, name) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        if type.isEmpty || (parts.count > 1 && name.isEmpty) {
          diagnostics.error(
            "bad-component-id", "\"\(entry.key)\" is no component id", at: entry.keyOrigin, path: path,
            help: "write type or type/name, such as otlp or otlp/2")
          continue
        }
        guard let found = catalog.entry(kind, named: type) else {
          unknownType(kind, type, entry.keyOrigin, path)
          continue
        }
        let current = found.descriptor.type
        if current != type {
          diagnostics.note(
            "deprecated-component", "the \(kind.rawValue) type \"\(type)\" is now called \"\(current)\"",
            at: entry.keyOrigin, path: path, help: "both spellings work")
        }
        let id = ComponentID(kind: kind, type: current, name: name)
        if let other = declared[kind]?.values.first(where: { $0.id == id }) {
          diagnostics.error(
            "duplicate-component", "\(kind.rawValue) \(id) is declared twice, under both spellings",
            at: entry.keyOrigin, path: path, context: [.init(other.origin, "declared here first")])
          continue
        }
        let component = found.decode(entry.value, path, entry.keyOrigin, &diagnostics)
        declared[kind, default: [:]][entry.key] = Declaration(
          id: id, entry: found, component: component, origin: entry.keyOrigin, section: entry.value)
      }
    }

    private mutating func unknownType(_ kind: ComponentKind, _ type: String, _ origin: Origin, _ path: String)
    {
      let known = catalog.entries(kind).map(\.descriptor.type)
      var help: String
      if let near = Spelling.closest(to: type, among: known) {
        help = "did you mean \"\(near)\"?"
      } else if let elsewhere = ComponentKind.allCases.first(where: { catalog.entry($0, named: type) != nil })
      {
        help = "\"\(type)\" is a type of \(elsewhere.rawValue): declare it under \"\(elsewhere.section)\""
      } else if known.isEmpty {
        help = "this version has no \(kind.section)"
      } else {
        help = "\(kind.section) of this version: \(known.sorted().joined(separator: ", "))"
      }
      if help.isEmpty { help = "see millrace components" }
      diagnostics.error(
        "unknown-component", "unknown \(kind.rawValue) type \"\(type)\"", at: origin, path: path, help: help)
    }

    // MARK: References

    /// The component a reference names; nil after an error about it.
    private mutating func resolve(_ kind: ComponentKind, _ node: ConfigNode, path: String) -> Declaration? {
      guard let written = node.text, !written.isEmpty else {
        diagnostics.error("wrong-type", "expected the id of a \(kind.rawValue)", at: node.origin, path: path)
        return nil
      }
      return resolve(kind, id: written, at: node.origin, path: path)
    }

    private mutating func resolve(
      _ kind: ComponentKind, id written: String, at origin: Origin, path: String
    ) -> Declaration? {
      let names = declared[kind] ?? [:]
      let key =
        names[written] != nil
        ? written : names.first { $0.value.id.description == canonical(written, kind) }?.key
      if let key, let declaration = names[key] {
        declared[kind]?[key]?.isUsed = true
        return declaration
      }
      var help = "declare it under \"\(kind.section)\""
      if let near = Spelling.closest(to: written, among: names.keys.sorted()) {
        help = "did you mean \"\(near)\"?"
      } else if let other = ComponentKind.allCases.first(where: { declared[$0]?[written] != nil }) {
        help = "\"\(written)\" is declared under \"\(other.section)\""
      }
      diagnostics.error(
        "undefined-component", "\(kind.rawValue) \"\(written)\" is not declared", at: origin, path: path,
        help: help)
      return nil
    }

    private func canonical(_ written: String, _ kind: ComponentKind) -> String {
      let parts = written.split(separator: "/", maxSplits: 1)
      guard let type = parts.first, let entry = catalog.entry(kind, named: String(type)) else {
        return written
      }
      return parts.count > 1 ? "\(entry.descriptor.type)/\(parts[1])" : entry.descriptor.type
    }

    private mutating func use(_ declaration: Declaration, signal: Signal?) {
      guard let component = declaration.component else { return }
      var node =
        plan.nodes[declaration.id]
        ?? Node(id: declaration.id, component: component, declaredAt: declaration.origin.fileAndLine)
      if let signal, !node.signals.contains(signal) { node.signals.append(signal) }
      plan.nodes[declaration.id] = node
    }

    private mutating func planExtensions(_ service: ServiceConfig) {
      for (index, node) in service.extensions.enumerated() {
        guard let found = resolve(.extension, node, path: "service.extensions[\(index)]") else { continue }
        if plan.extensions.contains(found.id) {
          diagnostics.error(
            "duplicate-reference", "extension \"\(found.id)\" is listed twice", at: node.origin,
            path: "service.extensions[\(index)]")
        } else {
          plan.extensions.append(found.id)
          use(found, signal: nil)
        }
      }
    }

    /// `service.admin` declares and starts an extension in one.
    private mutating func planAdmin(_ node: ConfigNode, at service: ConfigNode) {
      guard let entry = catalog.admin else { return }
      let origin = service.entry("admin")?.keyOrigin ?? node.origin
      guard let component = entry.decode(node, "service.admin", origin, &diagnostics) else { return }
      let id = ComponentID(kind: .extension, type: entry.descriptor.type)
      plan.nodes[id] = Node(id: id, component: component, declaredAt: origin.fileAndLine)
      plan.extensions.append(id)
    }

    private mutating func planPipelines(_ service: ServiceConfig, at node: ConfigNode) {
      let pipelines = node["pipelines"]
      if service.pipelines.isEmpty {
        diagnostics.error(
          "no-pipelines", "service.pipelines is empty: there is nothing to run",
          at: (pipelines ?? node).origin, path: "service.pipelines",
          help: "add a pipeline, for example traces: {receivers: [otlp], exporters: [debug]}")
      }
      for entry in service.pipelines {
        let origin = pipelines?.entry(entry.key)?.keyOrigin ?? node.origin
        planPipeline(entry.key, entry.value, origin)
      }
    }

    private mutating func planPipeline(_ id: String, _ config: PipelineConfig, _ origin: Origin) {
      let path = "service.pipelines.\(id)"
      let parts = id.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      guard let signal = Signal(rawValue: String(parts[0])), parts.count == 1 || !parts[1].isEmpty else {
        let known = Signal.allCases.map(\.rawValue)
        let near = Spelling.closest(to: String(parts[0]), among: known)
        diagnostics.error(
          "unknown-signal", "\"\(id)\" is no pipeline id", at: origin, path: path,
          help: near.map { "did you mean \"\($0)\"?" }
            ?? "a pipeline is called \(known.joined(separator: ", ")), with an optional /name")
        return
      }
      let receivers = list(.receiver, config.receivers, signal, "\(path).receivers")
      let processors = list(.processor, config.processors, signal, "\(path).processors")
      let exporters = list(.exporter, config.exporters, signal, "\(path).exporters")
      warnOfLateGuards(processors, config.processors, "\(path).processors")
      for (kind, isEmpty) in [
        (ComponentKind.receiver, config.receivers.isEmpty), (.exporter, config.exporters.isEmpty),
      ]
      where isEmpty {
        diagnostics.error(
          "incomplete-pipeline", "pipeline \"\(id)\" has no \(kind.section)", at: origin, path: path,
          help: "name at least one \(kind.rawValue)")
      }
      plan.pipelines.append(
        Pipeline(id: id, signal: signal, receivers: receivers, processors: processors, exporters: exporters))
    }

    private mutating func list(
      _ kind: ComponentKind, _ nodes: [ConfigNode], _ signal: Signal, _ path: String
    ) -> [ComponentID] {
      var ids: [ComponentID] = []
      for (index, node) in nodes.enumerated() {
        let path = "\(path)[\(index)]"
        guard let found = resolve(kind, node, path: path) else { continue }
        if ids.contains(found.id) {
          diagnostics.error(
            "duplicate-reference", "\(kind.rawValue) \"\(found.id)\" is listed twice", at: node.origin,
            path: path)
          continue
        }
        guard found.entry.descriptor.signals.contains(signal) else {
          diagnostics.error(
            "unsupported-signal", "\(kind.rawValue) \"\(found.id)\" does not carry \(signal.rawValue)",
            at: node.origin, path: path,
            help: "it carries \(found.entry.descriptor.signals.map(\.rawValue).joined(separator: ", "))")
          continue
        }
        ids.append(found.id)
        use(found, signal: signal)
      }
      return ids
    }

    /// What only shows once it is known which signals a component carries.
    private mutating func checkUses() {
      for (kind, declarations) in declared {
        for (key, declaration) in declarations {
          guard let node = plan.nodes[declaration.id], let message = node.component.problem(node.signals)
          else {
            continue
          }
          diagnostics.error(
            "invalid-config", message, at: declaration.origin, path: "\(kind.section).\(key)")
        }
      }
    }

    private mutating func lint(_ service: ConfigNode) {
      var sections: [ComponentID: (key: String, origin: Origin, node: ConfigNode)] = [:]
      for (key, declaration) in declared.values.joined() {
        sections[declaration.id] = (key, declaration.origin, declaration.section)
      }
      let entries = (service["pipelines"]?.entries ?? []).map { ($0.key, $0.keyOrigin) }
      let pipelines = Dictionary(entries, uniquingKeysWith: { first, _ in first })
      DeliveryLints(plan: plan, sections: sections, pipelines: pipelines).report(into: &diagnostics)
      MetadataLints(plan: plan, pipelines: pipelines).report(into: &diagnostics)
    }

    /// Finds the extensions that components name, which must be listed to be started.
    private mutating func resolveExtensions() {
      for (id, node) in plan.nodes {
        for use in node.component.extensionUses {
          guard let target = resolve(.extension, id: use.id, at: use.origin, path: use.path) else { continue }
          if !(target.component?.traits.roles.contains(use.role) ?? true) {
            diagnostics.error(
              "wrong-extension", "extension \"\(use.id)\" cannot be used for \(use.role)", at: use.origin,
              path: use.path, help: extensionHelp(use.role, target))
          } else if !plan.extensions.contains(target.id) {
            diagnostics.error(
              "extension-not-started", "extension \"\(use.id)\" is declared, but not started", at: use.origin,
              path: use.path, help: "add it to service.extensions")
          } else {
            plan.nodes[id]?.extensions[use.id] = target.id
          }
        }
      }
    }

    /// Puts every extension behind those that it works with.
    private mutating func orderExtensions() {
      var ordered: [ComponentID] = []
      var onTheWay: [ComponentID] = []
      func visit(_ id: ComponentID) {
        guard !ordered.contains(id) else { return }
        if let start = onTheWay.firstIndex(of: id) {
          let circle = (onTheWay[start...] + [id]).map(\.description).joined(separator: " → ")
          let use = plan.nodes[id]?.component.extensionUses.first
          diagnostics.error(
            "extension-cycle", "extensions work with each other in a circle: \(circle)",
            at: use?.origin ?? .program("service"), path: use?.path ?? "service.extensions",
            help: "remove one of the references")
          return
        }
        onTheWay.append(id)
        for needed in (plan.nodes[id]?.extensions ?? [:]).sorted(by: { $0.key < $1.key }) {
          visit(needed.value)
        }
        onTheWay.removeLast()
        if !ordered.contains(id) { ordered.append(id) }
      }
      for id in plan.extensions { visit(id) }
      plan.extensions = ordered
    }

    /// Which extensions could be used instead.
    private func extensionHelp(_ role: String, _ target: Declaration) -> String? {
      let fit = (declared[.extension] ?? [:]).values
        .filter { $0.component?.traits.roles.contains(role) ?? false }.map(\.id.description).sorted()
      if !fit.isEmpty { return "extensions that can: \(fit.joined(separator: ", "))" }
      let roles = target.component?.traits.roles ?? []
      return roles.isEmpty ? nil : "as it is configured it serves for \(roles.joined(separator: " and "))"
    }

    /// A processor that refuses must come first: behind another one it refuses what has cost work already, and behind
    /// one that answers on intake it can only drop.
    private mutating func warnOfLateGuards(_ ids: [ComponentID], _ nodes: [ConfigNode], _ path: String) {
      guard ids.count == nodes.count else { return }
      var isBuffered = false
      for (index, id) in ids.enumerated() {
        let traits = plan.nodes[id]?.component.traits
        if index > 0, traits?.guardsIntake == true {
          let harm = isBuffered ? "drops" : "refuses late"
          diagnostics.warning(
            "late-limiter",
            "processor \"\(id)\" is not the first of its pipeline: it \(harm) what it does not take",
            at: nodes[index].origin, path: "\(path)[\(index)]", help: "name it first")
        }
        isBuffered = isBuffered || traits.map { $0.buffering != .none } ?? false
      }
    }

    private mutating func warnOfUnused() {
      for kind in ComponentKind.allCases {
        for (key, declaration) in (declared[kind] ?? [:]).sorted(by: { $0.key < $1.key })
        where !declaration.isUsed {
          let place = kind == .extension ? "service.extensions does not list it" : "no pipeline names it"
          diagnostics.warning(
            "unused-component", "\(kind.rawValue) \"\(key)\" is declared, but \(place)",
            at: declaration.origin,
            path: "\(kind.section).\(key)")
        }
      }
    }
  }
}
