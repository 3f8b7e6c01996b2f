internal import NativeCodecs
internal import PipelineKit

/// Makes policies from their declarations, and gathers what they ask of spans.
struct PolicyCompiler {
  private(set) var conditions = SpanConditions()
  private let meters: (String) -> TailSamplingMeters.Policy

  init(meters: @escaping (String) -> TailSamplingMeters.Policy) { self.meters = meters }

  /// The policies in the order in which they are asked: those that drop come first.
  mutating func entries(_ declared: [PolicyConfig]) throws -> [PolicySet.Entry] {
    let ordered = declared.filter { $0.type == .drop } + declared.filter { $0.type != .drop }
    return try ordered.map { declaration in
      let meters = meters(declaration.name)
      return PolicySet.Entry(
        name: declaration.name, policy: try policy(declaration, meters.wrongTypes), meters: meters)
    }
  }

  private mutating func policy(
    _ declaration: some PolicyDeclaration, _ errors: SelfMetricCell
  ) throws -> SamplingPolicy {
    let rules = declaration.rules
    switch declaration.type {
    case .alwaysSample: return .always
    case .traceFlags: return .fact(try bit(.sampledFlag, errors))
    case .latency:
      let rule = try section(rules.latency)
      return .latency(
        over: Int64(rule.threshold), upTo: rule.upperThreshold == 0 ? nil : Int64(rule.upperThreshold))
    case .numericAttribute:
      let rule = try section(rules.numericAttribute)
      let condition = AttributeCondition.number(try section(rule.range))
      return try attribute(rule.key, condition, rule.invertMatch, errors)
    case .stringAttribute:
      let rule = try section(rules.stringAttribute)
      return try attribute(rule.key, rule.condition, rule.invertMatch, errors)
    case .booleanAttribute:
      let rule = try section(rules.booleanAttribute)
      return try attribute(rule.key, .boolean(rule.value), rule.invertMatch, errors)
    case .statusCode:
      let codes = try section(rules.statusCode).codes.reduce(UInt8(0)) { $0 | 1 << $1.number }
      return .fact(try bit(.status(codes), errors))
    case .traceState:
      let rule = try section(rules.traceState)
      let values = Set(rule.values.filter { !$0.isEmpty })
      return .fact(try bit(.traceState(key: rule.key, values: values), errors))
    case .probabilistic:
      let rule = try section(rules.probabilistic)
      return .probabilistic(TraceIDThreshold(percentage: rule.percentage, salt: rule.hashSalt))
    case .spanCount: return .spanCount(try section(rules.spanCount).range)
    case .rateLimiting:
      let rule = try section(rules.rateLimiting)
      return .spanRate(Self.bucket(rule.perSecond, rule.burst))
    case .bytesLimiting:
      let rule = try section(rules.bytesLimiting)
      return .byteRate(Self.bucket(rule.perSecond, rule.burst))
    case .and: return .and(try policies(try section(declaration.and).policies, errors))
    case .drop: return .drop(try policies(try section(declaration.drop).policies, errors))
    case .not: return .not(try policy(try section(declaration.not).policy, errors))
    case .composite: return .composite(try composite(try section(declaration.composite), errors))
    case .ottlCondition: throw StartError("ottl_condition is not supported")
    }
  }

  private mutating func policies(
    _ declared: [SubPolicyConfig], _ errors: SelfMetricCell
  ) throws -> [SamplingPolicy] {
    try declared.map { try policy($0, errors) }
  }

  private mutating func composite(_ rule: CompositeRule, _ errors: SelfMetricCell) throws -> CompositePolicy {
    let members = try rule.ordered.map {
      CompositePolicy.Member(policy: try policy($0, errors), allowance: rule.allowance(of: $0.name))
    }
    return CompositePolicy(members, total: rule.total)
  }

  private mutating func attribute(
    _ key: String, _ condition: AttributeCondition, _ isInverted: Bool, _ errors: SelfMetricCell
  ) throws -> SamplingPolicy {
    let bit = try bit(.attribute(key: key, condition), errors)
    return isInverted ? .noFact(bit) : .fact(bit)
  }

  private mutating func bit(_ condition: SpanCondition, _ errors: SelfMetricCell) throws -> Facts {
    do {
      if let bit = try conditions.add(condition, wrongTypes: errors) { return bit }
    } catch {
      throw StartError("not a regular expression: \(error.reason)")
    }
    throw StartError(
      "the policies ask for more than \(SpanConditions.most) different things",
      help: "put several values into one policy")
  }

  /// What the check has found to be there.
  private func section<Section>(_ section: Section?) throws -> Section {
    guard let section else { throw StartError("a sampling policy lacks the section of its type") }
    return section
  }

  private static func bucket(_ perSecond: Int, _ burst: Int) -> TokenBucket {
    TokenBucket(perSecond: perSecond, capacity: burst > 0 ? burst : 2 * perSecond)
  }
}
