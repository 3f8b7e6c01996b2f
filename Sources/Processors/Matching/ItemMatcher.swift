internal import NativeCodecs
internal import TelemetryData
internal import WireFormat

/// Decides for each item whether `include` and `exclude` let a processor work on it.
struct ItemMatcher: Sendable {
  private let include: PropertyMatcher?
  private let exclude: PropertyMatcher?

  /// Nil when every item is worked on.
  ///
  /// - Throws: when a pattern does not compile, which the check of the configuration has ruled out.
  init?(include: MatchProperties?, exclude: MatchProperties?) throws(PatternError) {
    if include == nil, exclude == nil { return nil }
    self.include = if let include { try PropertyMatcher(include) } else { nil }
    self.exclude = if let exclude { try PropertyMatcher(exclude) } else { nil }
  }

  /// Whether the answer depends on attributes of items.
  var readsAttributes: Bool { (include?.readsAttributes ?? false) || (exclude?.readsAttributes ?? false) }
  /// Whether the answer depends on attributes of resources.
  var readsResources: Bool { (include?.readsResources ?? false) || (exclude?.readsResources ?? false) }

  /// The items that are worked on, by position.
  func matches(in batch: Batch) -> ItemSet {
    var matching = ItemSet(capacity: batch.recordCount)
    for position in 0..<batch.resourceCount {
      let resource = batch.resource(at: position)
      let included = include.map { $0.matches(resource) } ?? true
      if !included { continue }
      let excluded = exclude.map { $0.matches(resource) } ?? false
      for scopePosition in resource.scopes {
        let scope = batch.scope(at: scopePosition)
        if let include, !include.matches(scope) { continue }
        let scopeExcluded = excluded && (exclude.map { $0.matches(scope) } ?? false)
        for item in scope.items {
          if let include, !include.matches(item, of: batch) { continue }
          if scopeExcluded, let exclude, exclude.matches(item, of: batch) { continue }
          matching.insert(item)
        }
      }
    }
    return matching
  }
}

/// One section of properties, compiled.
private struct PropertyMatcher: Sendable {
  private let services: TextMatches
  private let names: TextMatches
  private let kinds: [TextMatch]
  private let bodies: TextMatches
  private let severityTexts: TextMatches
  private let severity: SeverityBound?
  private let metricNames: TextMatches
  private let attributes: AttributeMatches
  private let resources: AttributeMatches
  private let libraries: [(name: TextMatch, version: TextMatch?)]

  init(_ properties: MatchProperties) throws(PatternError) {
    let type = properties.matchType ?? .strict
    services = try TextMatches(properties.services, type)
    names = try TextMatches(properties.spanNames, type)
    var kinds: [TextMatch] = []
    for kind in properties.spanKinds { kinds.append(try TextMatch(kind, type)) }
    self.kinds = kinds
    bodies = try TextMatches(properties.logBodies, type)
    severityTexts = try TextMatches(properties.logSeverityTexts, type)
    severity = properties.logSeverityNumber
    metricNames = try TextMatches(properties.metricNames, type)
    attributes = try AttributeMatches(properties.attributes, type)
    resources = try AttributeMatches(properties.resources, type)
    var libraries: [(name: TextMatch, version: TextMatch?)] = []
    for library in properties.libraries {
      let version: TextMatch? = if let text = library.version { try TextMatch(text, type) } else { nil }
      libraries.append((try TextMatch(library.name, type), version))
    }
    self.libraries = libraries
  }

  var readsAttributes: Bool { !attributes.isEmpty }
  var readsResources: Bool { !services.isEmpty || !resources.isEmpty }

  func matches(_ resource: ResourceView) -> Bool {
    if !services.isEmpty {
      guard let name = resource.attributes.first("service.name"), name.kind == .string,
        services.matches(name.bytes.span)
      else { return false }
    }
    return resources.isEmpty || resources.matches(resource.attributes)
  }

  func matches(_ scope: ScopeView) -> Bool {
    if libraries.isEmpty { return true }
    for library in libraries where library.name.matches(scope.name.span) {
      guard let version = library.version else { return true }
      if version.matches(scope.version.span) { return true }
    }
    return false
  }

  func matches(_ item: Int, of batch: Batch) -> Bool {
    switch batch.signal {
    case .traces:
      let span = batch.span(at: item)
      if !names.matches(span.name.span) { return false }
      if !kinds.isEmpty {
        let kind = SpanKindText.all.indices.contains(Int(span.kind)) ? SpanKindText.all[Int(span.kind)] : ""
        if !kinds.contains(where: { $0.matches(kind.utf8.span) }) { return false }
      }
      return attributes.isEmpty || attributes.matches(span.attributes)
    case .logs:
      let record = batch.logRecord(at: item)
      if !bodies.isEmpty {
        guard let body = record.body, body.kind == .string, bodies.matches(body.bytes.span) else {
          return false
        }
      }
      if !severityTexts.matches(record.severityText.span) { return false }
      if let severity {
        let number = record.severityNumber
        if number == 0 ? !severity.matchUndefined : number < severity.min.rawValue { return false }
      }
      return attributes.isEmpty || attributes.matches(record.attributes)
    case .metrics: return metricNames.matches(batch.metric(at: item).name.span)
    }
  }
}
