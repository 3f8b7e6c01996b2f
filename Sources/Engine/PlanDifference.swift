import ConfigSchema
package import PipelineKit

/// A processor where it stands: each pipeline has an instance of its own.
package struct ProcessorPlace: Sendable, Hashable {
  package let pipeline: String
  package let id: ComponentID
}

/// What a new plan keeps of the running one. Pure.
///
/// A component is kept when its section reads the same after substitution, when it serves the same signals, and when
/// every extension that it names is kept.
package struct PlanDifference: Sendable {
  /// Receivers, exporters and extensions.
  package private(set) var kept: Set<ComponentID> = []
  package private(set) var keptProcessors: Set<ProcessorPlace> = []
  /// Whether anything of the graph is different: a component, or how pipelines join them.
  package private(set) var isEmpty = true

  /// The changes by name, for the log and for whoever asked for them.
  package private(set) var summary = ReloadSummary()

  package init(from old: Plan, to new: Plan) {
    var comparison = Comparison(old: old, new: new)
    for id in new.nodes.keys where id.kind != .processor && comparison.isKept(id) { kept.insert(id) }
    for place in new.places where old.places.contains(place) && comparison.isSame(place.id) {
      if old.holdsCompletions(place) == new.holdsCompletions(place) { keptProcessors.insert(place) }
    }
    let before = Self.names(old)
    let after = Self.names(new)
    let keptNames = kept.map(Self.name) + keptProcessors.map(Self.name)
    summary.kept = keptNames.sorted()
    summary.replaced = before.intersection(after).subtracting(keptNames).sorted()
    summary.added = after.subtracting(before).sorted()
    summary.removed = before.subtracting(after).sorted()
    isEmpty =
      summary.replaced.isEmpty && summary.added.isEmpty && summary.removed.isEmpty
      && old.pipelines == new.pipelines && old.extensions == new.extensions
  }

  private static func names(_ plan: Plan) -> Set<String> {
    Set(plan.nodes.keys.filter { $0.kind != .processor }.map(name) + plan.places.map(name))
  }

  private static func name(_ id: ComponentID) -> String { "\(id.kind.rawValue) \(id)" }
  private static func name(_ place: ProcessorPlace) -> String {
    "processor \(place.id) of \(place.pipeline)"
  }

  private struct Comparison {
    let old: Plan
    let new: Plan
    private var known: [ComponentID: Bool] = [:]

    init(old: Plan, new: Plan) {
      self.old = old
      self.new = new
    }

    mutating func isKept(_ id: ComponentID) -> Bool {
      guard let before = old.nodes[id], let after = new.nodes[id] else { return false }
      if Set(before.signals) != Set(after.signals) { return false }
      return isSame(id)
    }

    mutating func isSame(_ id: ComponentID) -> Bool {
      if let answer = known[id] { return answer }
      guard let before = old.nodes[id], let after = new.nodes[id] else { return false }
      // Assumed while the extensions it names are compared: a circle of them changes only where one of them does.
      known[id] = true
      var isSame =
        before.component.written.inOrder == after.component.written.inOrder
        && before.component.traits.inputs == after.component.traits.inputs
        && before.extensions == after.extensions
        && (id.kind != .exporter || old.isAtLeastOnce == new.isAtLeastOnce)
      for target in after.extensions.values where isSame { isSame = self.isSame(target) }
      known[id] = isSame
      return isSame
    }
  }
}

extension Plan {
  /// Every processor of every pipeline.
  var places: Set<ProcessorPlace> {
    Set(
      pipelines.flatMap { pipeline in
        pipeline.processors.map { ProcessorPlace(pipeline: pipeline.id, id: $0) }
      })
  }

  /// Whether the answers of the senders of a processor wait for what follows.
  func holdsCompletions(_ place: ProcessorPlace) -> Bool {
    pipelines.first { $0.id == place.pipeline }.map { holdsCompletions($0) } ?? false
  }
}

extension ConfigLiteral {
  /// The same with the keys of every map sorted: their order has no meaning.
  fileprivate var inOrder: ConfigLiteral {
    switch self {
    case .list(let elements): .list(elements.map(\.inOrder))
    case .map(let entries):
      .map(entries.map { .init($0.key, $0.value.inOrder) }.sorted { $0.key < $1.key })
    default: self
    }
  }
}
