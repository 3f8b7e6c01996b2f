internal import ConfigSchema

/// Which operator hands its entries to which: ids resolved to positions in the list.
struct OperatorPlan: Sendable {
  /// What the end of the list is called, where the receiver takes the entries.
  static let end = "log_emitter"

  /// The id of each operator.
  private(set) var ids: [String] = []
  /// The positions each operator sends to; the number of operators stands for the end.
  private(set) var outputs: [[Int]] = []
  /// The same for the routes of each router.
  private(set) var routes: [[[Int]]] = []
  /// The positions such that each comes before those it sends to.
  private(set) var order: [Int] = []

  init() {}

  /// Resolves the ids and reports what does not fit.
  init(_ configs: [OperatorConfig], context: inout ConfigContext) {
    ids = Self.ids(of: configs)
    reportDuplicates(configs, &context)
    for (position, config) in configs.enumerated() {
      let common = config.settings.common
      let path = config.place.path
      let targets = positions(common.output, of: position, at: path.key("output"), &context)
      let isRouter = !config.settings.routes.isEmpty
      outputs.append(targets.isEmpty && !isRouter ? [position + 1] : targets)
      routes.append(
        config.settings.routes.map { positions($0, of: position, at: path.key("routes"), &context) })
    }
    if let circle = findOrder() { report(circle, configs, &context) }
    reportUnreachable(configs, &context)
  }

  /// Where entries go from an operator, over all its outputs and routes.
  private func targets(of position: Int) -> [Int] { outputs[position] + routes[position].joined() }

  /// The written ids, and the type for those without one; the second and later of a type get a number that is free.
  private static func ids(of configs: [OperatorConfig]) -> [String] {
    var taken = Set(configs.compactMap { $0.settings.common.id?.text })
    var seen = Set<String>()
    var counts: [String: Int] = [:]
    return configs.map { config in
      if let id = config.settings.common.id?.text, id != config.type { return id }
      guard !seen.insert(config.type).inserted else {
        taken.insert(config.type)
        return config.type
      }
      var number = counts[config.type, default: 0] + 1
      while taken.contains("\(config.type)\(number)") { number += 1 }
      counts[config.type] = number
      taken.insert("\(config.type)\(number)")
      return "\(config.type)\(number)"
    }
  }

  private func reportDuplicates(_ configs: [OperatorConfig], _ context: inout ConfigContext) {
    var first: [String: Int] = [:]
    for (position, id) in ids.enumerated() {
      guard let earlier = first.updateValue(position, forKey: id) else { continue }
      let (place, other) = (configs[position], configs[earlier])
      context.report(
        .error, "duplicate-id", "two operators have the id \"\(id)\"", at: Self.origin(ofIDOf: place),
        below: place.place.path.key("id"), context: [.init(Self.origin(ofIDOf: other), "the first")])
    }
  }

  private static func origin(ofIDOf config: OperatorConfig) -> Origin {
    config.settings.common.id?.origin ?? config.place.origin
  }

  /// The positions that ids stand for; those that do not exist are reported and left out.
  private func positions(
    _ outputs: OperatorOutputs, of position: Int, at path: ConfigPath, _ context: inout ConfigContext
  ) -> [Int] {
    var found: [Int] = []
    for name in outputs.names {
      guard let target = ids.firstIndex(of: name.text) ?? (name.text == Self.end ? ids.count : nil) else {
        let closest = Spelling.closest(to: name.text, among: ids)
        context.report(
          .error, "unknown-operator", "there is no operator with the id \"\(name.text)\"", at: name.origin,
          below: path,
          help: closest.map { "did you mean \"\($0)\"?" } ?? "the ids are \(ids.joined(separator: ", "))")
        continue
      }
      if found.contains(target) {
        context.report(
          .error, "duplicate-output", "entries would go to \"\(name.text)\" twice", at: name.origin,
          below: path)
      } else {
        found.append(target)
      }
    }
    return found
  }

  /// Sorts the positions; returns operators that lead from the first back to it, when there are such.
  private mutating func findOrder() -> [Int]? {
    enum State { case new, open, done }
    var states = [State](repeating: .new, count: ids.count)
    for start in ids.indices where states[start] == .new {
      var way: [(position: Int, next: Int)] = [(start, 0)]
      states[start] = .open
      while let (position, next) = way.last {
        let targets = targets(of: position)
        guard next < targets.count else {
          states[position] = .done
          order.append(position)
          way.removeLast()
          continue
        }
        way[way.count - 1].next += 1
        let target = targets[next]
        guard target < ids.count else { continue }
        switch states[target] {
        case .new:
          states[target] = .open
          way.append((target, 0))
        case .open: return way.map(\.position).drop { $0 != target } + [target]
        case .done: continue
        }
      }
    }
    order.reverse()
    return nil
  }

  private func report(_ circle: [Int], _ configs: [OperatorConfig], _ context: inout ConfigContext) {
    // The step that goes back in the list is the one to change.
    let steps = zip(circle, circle.dropFirst())
    guard let (from, target) = steps.first(where: { $0 >= $1 }) else { return }
    let settings = configs[from].settings
    let names = settings.common.output.names + settings.routes.flatMap(\.names)
    let origin = names.first { $0.text == ids[target] }?.origin ?? configs[from].place.origin
    context.report(
      .error, "circle", "entries would go in a circle: \(circle.map { ids[$0] }.joined(separator: " → "))",
      at: origin, below: configs[from].place.path.key("output"),
      help: "send them to an operator further down, or to \(Self.end), the end of the list")
  }

  private func reportUnreachable(_ configs: [OperatorConfig], _ context: inout ConfigContext) {
    guard !context.diagnostics.hasErrors else { return }
    var reached = Set([0])
    var open = [0]
    while let position = open.popLast(), position < ids.count {
      for target in targets(of: position) where target < ids.count && reached.insert(target).inserted {
        open.append(target)
      }
    }
    for (position, config) in configs.enumerated() where !reached.contains(position) {
      context.report(
        .warning, "unreachable", "no entry comes to \"\(ids[position])\"", at: config.place.origin,
        below: config.place.path, help: "name it in the output of another operator, or remove it")
    }
  }
}

extension ConfigContext {
  /// Reports something at a path of its own.
  fileprivate mutating func report(
    _ severity: Diagnostic.Severity, _ code: String, _ message: String, at origin: Origin,
    below path: ConfigPath, help: String? = nil, context: [Diagnostic.Related] = []
  ) {
    var found = Diagnostics()
    found.append(
      Diagnostic(
        severity, code: code, message, at: origin, path: path.description, help: help, context: context))
    add(found)
  }
}
