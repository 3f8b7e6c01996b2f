package import ConfigSchema

/// A policy as it is written: its name, its type, and the section of its type.
protocol PolicyDeclaration {
  var name: String { get }
  var type: PolicyType { get }
  var rules: PolicyRules { get }
  var and: AndRule? { get }
  var not: NotRule? { get }
  var drop: DropRule? { get }
  var composite: CompositeRule? { get }
}

extension PolicyDeclaration {
  package var and: AndRule? { nil }
  package var not: NotRule? { nil }
  package var drop: DropRule? { nil }
  package var composite: CompositeRule? { nil }

  /// What is wrong with it as one of `types`, and what to do.
  func problem(allowing types: [PolicyType]) -> (message: String, help: String?)? {
    if type == .ottlCondition {
      return (
        "ottl_condition is not supported: conditions of OTTL cannot be evaluated yet",
        "use the attribute policies"
      )
    }
    guard types.contains(type) else {
      return ("a policy of type \(type.rawValue) cannot stand here", nil)
    }
    var present = rules.present
    if and != nil { present.append(.and) }
    if not != nil { present.append(.not) }
    if drop != nil { present.append(.drop) }
    if composite != nil { present.append(.composite) }
    let needsNone = type == .alwaysSample || type == .traceFlags
    if !needsNone, !present.contains(type) {
      return (
        "the section \(type.rawValue) is missing", "write what the policy looks for: \(type.rawValue): {…}"
      )
    }
    guard let other = present.first(where: { $0 != type }) else { return nil }
    return (
      "the section \(other.rawValue) belongs to another type than \(type.rawValue)",
      "remove it, or change the type"
    )
  }
}

extension PolicyType {
  /// Those that look at a trace themselves.
  static let rules: [PolicyType] = [
    .alwaysSample, .latency, .numericAttribute, .probabilistic, .statusCode, .stringAttribute, .rateLimiting,
    .bytesLimiting, .spanCount, .traceState, .traceFlags, .booleanAttribute,
  ]
}

private let nameHelp = "What the policy is called in metrics and in the account."
private let typeHelp = "What it looks for; its settings are in the section of that name."

/// A policy of the sampler.
package struct PolicyConfig: ConfigGroup, PolicyDeclaration {
  package var name = ""
  package var type = PolicyType.alwaysSample
  package var rules = PolicyRules()
  package var and: AndRule?
  package var not: NotRule?
  package var drop: DropRule?
  package var composite: CompositeRule?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("name", \.name, nameHelp, check: .nonEmpty, required: true),
    Field("type", \.type, typeHelp, required: true),
    .group(\.rules),
    Field("and", \.and, "Policies that must all keep a trace."),
    Field("not", \.not, "A policy that must not keep a trace."),
    Field("drop", \.drop, "Policies that drop a trace where all would keep it, whatever others say."),
    Field("composite", \.composite, "Policies that share a budget of spans."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if checker.hasError(\.type) { return }
    if let problem = problem(allowing: PolicyType.rules + [.and, .not, .drop, .composite]) {
      checker.error(\.type, problem.message, help: problem.help)
    }
  }
}

/// A policy within `not`.
package struct SinglePolicyConfig: ConfigGroup, PolicyDeclaration {
  package var name = ""
  package var type = PolicyType.alwaysSample
  package var rules = PolicyRules()
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("name", \.name, "What the policy is called."), Field("type", \.type, typeHelp, required: true),
    .group(\.rules),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if checker.hasError(\.type) { return }
    if let problem = problem(allowing: PolicyType.rules) {
      checker.error(\.type, problem.message, help: problem.help)
    }
  }
}

/// A policy within `and` or `drop`.
package struct SubPolicyConfig: ConfigGroup, PolicyDeclaration {
  package var name = ""
  package var type = PolicyType.alwaysSample
  package var rules = PolicyRules()
  package var not: NotRule?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("name", \.name, "What the policy is called."), Field("type", \.type, typeHelp, required: true),
    .group(\.rules), Field("not", \.not, "A policy that must not keep a trace."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if checker.hasError(\.type) { return }
    if let problem = problem(allowing: PolicyType.rules + [.not]) {
      checker.error(\.type, problem.message, help: problem.help)
    }
  }
}

/// A policy within `composite`.
package struct CompositeSubPolicyConfig: ConfigGroup, PolicyDeclaration {
  package var name = ""
  package var type = PolicyType.alwaysSample
  package var rules = PolicyRules()
  package var and: AndRule?
  package var not: NotRule?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "name", \.name, "What `policy_order` and `rate_allocation` call the policy.", check: .nonEmpty,
      required: true),
    Field("type", \.type, typeHelp, required: true), .group(\.rules),
    Field("and", \.and, "Policies that must all keep a trace."),
    Field("not", \.not, "A policy that must not keep a trace."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if checker.hasError(\.type) { return }
    if let problem = problem(allowing: PolicyType.rules + [.and, .not]) {
      checker.error(\.type, problem.message, help: problem.help)
    }
  }
}

/// `and`: traces that all of several policies keep.
package struct AndRule: ConfigGroup {
  package var policies: [SubPolicyConfig] = []
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("and_sub_policy", \.policies, "The policies.", check: .nonEmpty, required: true)
  ]
}

/// `not`: traces that a policy does not keep.
package struct NotRule: ConfigGroup {
  package var policy = SinglePolicyConfig()
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("not_sub_policy", \.policy, "The policy.", required: true)
  ]
}

/// `drop`: traces that are dropped where all of several policies keep them.
package struct DropRule: ConfigGroup {
  package var policies: [SubPolicyConfig] = []
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("drop_sub_policy", \.policies, "The policies.", check: .nonEmpty, required: true)
  ]
}

/// `composite`: policies that share a budget.
package struct CompositeRule: ConfigGroup {
  package struct Allocation: ConfigGroup {
    package var policy = ""
    package var percent = 0
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("policy", \.policy, "The name of the policy.", check: .nonEmpty, required: true),
      Field(
        "percent", \.percent, "Its part of max_total_spans_per_second; 0 is an equal part.",
        check: .range(0...100)),
    ]
  }
  package var total = 0
  package var order: [String] = []
  package var policies: [CompositeSubPolicyConfig] = []
  package var allocations: [Allocation] = []
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "max_total_spans_per_second", \.total, "Spans that all of them together keep in a second.",
      check: .range(1...1 << 40), required: true),
    Field(
      "policy_order", \.order,
      "The names of the policies in the order in which they are asked; those that are left out follow."),
    Field("composite_sub_policy", \.policies, "The policies.", check: .nonEmpty, required: true),
    Field(
      "rate_allocation", \.allocations,
      "The parts of the budget; a policy without one has an equal part, as if all had."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    let names = policies.map(\.name)
    for (index, name) in names.enumerated() where names[..<index].contains(name) {
      checker.error(\.policies, "two policies are called \"\(name)\"")
    }
    let known = "known are \(names.joined(separator: ", "))"
    for name in order where !names.contains(name) {
      checker.error(\.order, "there is no policy \"\(name)\"", help: known)
    }
    for (index, name) in order.enumerated() where order[..<index].contains(name) {
      checker.error(\.order, "\"\(name)\" is listed twice")
    }
    for allocation in allocations where !names.contains(allocation.policy) {
      checker.error(\.allocations, "there is no policy \"\(allocation.policy)\"", help: known)
    }
    let share = allocations.reduce(0) { $0 + $1.percent }
    if share > 100 { checker.error(\.allocations, "the parts add up to \(share) percent") }
  }

  /// The policies in the order in which they are asked.
  var ordered: [CompositeSubPolicyConfig] {
    order.compactMap { name in policies.first { $0.name == name } }
      + policies.filter { !order.contains($0.name) }
  }

  /// Spans that a policy may keep in a second.
  func allowance(of name: String) -> Int {
    let percent = allocations.last { $0.policy == name }?.percent ?? 0
    return percent > 0 ? Int(Double(percent) / 100 * Double(total)) : total / max(1, policies.count)
  }
}
