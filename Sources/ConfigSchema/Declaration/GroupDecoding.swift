/// Decodes the declared keys of a section.
enum GroupDecoding {
  /// Decodes a section onto `base`; reports unknown keys, wrong values and failed checks, all of them.
  static func decode<Group: ConfigGroup>(
    _ node: ConfigNode, base: Group, context: inout ConfigContext
  ) -> Group? {
    if !node.isNull, node.kind != .map {
      reportNotASection(node, Group.self, context: &context)
      return nil
    }
    guard context.depth < 64 else {
      context.report(.error, "too-deep", "the section is nested too deeply", at: node.origin)
      return nil
    }
    context.depth += 1
    defer { context.depth -= 1 }
    let errorsBefore = context.diagnostics.errorCount
    UnknownKeys.report(in: node, of: Group.self, context: &context)
    var group = base
    apply(node, to: &group, context: &context)
    check(group, node, context: &context)
    return context.diagnostics.errorCount == errorsBefore ? group : nil
  }

  /// Decodes the keys of `Group` that the section holds; other keys are left to the caller.
  static func apply<Group: ConfigGroup>(
    _ node: ConfigNode, to group: inout Group, context: inout ConfigContext
  ) {
    // Deprecated keys first, so that the new key wins when both are written.
    for field in Group.fields where field.isDeprecated { apply(field, node, to: &group, context: &context) }
    for field in Group.fields where !field.isDeprecated { apply(field, node, to: &group, context: &context) }
  }

  private static func apply<Group: ConfigGroup>(
    _ field: Field<Group>, _ node: ConfigNode, to group: inout Group, context: inout ConfigContext
  ) {
    switch field.action {
    case .inline(_, let apply, _): apply(&group, node, &context)
    case .report(let severity, let code, let message, let help):
      guard let entry = node.entry(field.name) else { return }
      let outer = context.path
      context.path = outer.key(field.name)
      context.report(severity, code, message, at: entry.keyOrigin, help: help)
      context.path = outer
    case .value(let action):
      let entry = entry(of: field, in: node, context: &context)
      let outer = (context.path, context.hidesValue, context.keyOrigin)
      let sectionOrigin = context.keyOrigin ?? node.origin
      context.path = outer.0.key(entry?.key ?? field.name)
      context.hidesValue = action.isSecret
      // Also what is no text, and so no secret, though it was meant to be one.
      if action.isSecret { entry?.value.hide() }
      context.keyOrigin = entry?.keyOrigin
      defer { (context.path, context.hidesValue, context.keyOrigin) = outer }
      decode(action, of: field, entry, sectionOrigin, into: &group, context: &context)
    }
  }

  private static func decode<Group: ConfigGroup>(
    _ action: ValueAction<Group>, of field: Field<Group>, _ entry: ConfigNode.Entry?, _ sectionOrigin: Origin,
    into group: inout Group, context: inout ConfigContext
  ) {
    let given = entry.flatMap { action.takes($0.value) ? $0 : nil }
    if let given {
      if let replacement = action.replacement {
        context.report(
          .warning, "deprecated-key", "\"\(field.name)\" is deprecated", at: given.keyOrigin,
          help: "use \"\(replacement)\"")
      }
      guard action.decode(&group, given.value, &context) else { return }
    } else if action.isRequired {
      context.report(
        .error, "missing-key", "\"\(field.name)\" is required", at: entry?.keyOrigin ?? sectionOrigin,
        help: field.help.isEmpty ? nil : field.help)
      return
    } else if action.replacement != nil {
      return
    }
    guard let problem = action.problem(group) else { return }
    if let given {
      context.report(
        .error, "invalid-value", "\"\(given.key)\" \(problem.message)", at: given.value.origin,
        help: problem.help)
    } else {
      context.report(
        .error, "missing-key", "\"\(field.name)\" is required: it \(problem.message)",
        at: entry?.keyOrigin ?? sectionOrigin, help: problem.help)
    }
  }

  /// The entry of a field under its name or an older one.
  private static func entry<Group: ConfigGroup>(
    of field: Field<Group>, in node: ConfigNode, context: inout ConfigContext
  ) -> ConfigNode.Entry? {
    let named = node.entry(field.name)
    for alias in field.aliases {
      guard let old = node.entry(alias) else { continue }
      let outer = context.path
      context.path = outer.key(alias)
      defer { context.path = outer }
      if let named {
        context.report(
          .warning, "duplicate-setting", "\"\(alias)\" is ignored: \"\(field.name)\" is set too",
          at: old.keyOrigin, context: [.init(named.keyOrigin, "this one is used")])
      } else {
        context.report(
          .note, "deprecated-key", "\"\(alias)\" is an older name of \"\(field.name)\"", at: old.keyOrigin,
          help: "use \"\(field.name)\"")
        return old
      }
    }
    return named
  }

  /// Runs the cross-field checks of a group and of the groups inlined in it.
  static func check<Group: ConfigGroup>(
    _ group: Group, _ node: ConfigNode, context: inout ConfigContext
  ) {
    for field in Group.fields {
      if case .inline(_, _, let check) = field.action { check(group, node, &context) }
    }
    var checker = FieldChecker<Group>(context: context, node: node)
    group.check(&checker)
    context = checker.context
  }

  /// Every accepted key of a group, older spellings and inlined groups included.
  static func names<Group: ConfigGroup>(of type: Group.Type) -> [String] {
    Group.fields.flatMap { field -> [String] in
      if case .inline(let names, _, _) = field.action { return names() }
      return [field.name] + field.aliases
    }
  }

  /// The dotted key a property is declared under; empty for the group itself.
  static func key<Group: ConfigGroup>(of path: PartialKeyPath<Group>, in type: Group.Type) -> String? {
    path == \Group.self ? "" : key(of: path, in: type, below: \Group.self, depth: 0)
  }

  /// The dotted key of a property of a group that stands at `prefix` of some root.
  private static func key<Group: ConfigGroup>(
    of path: AnyKeyPath, in type: Group.Type, below prefix: AnyKeyPath, depth: Int
  ) -> String? {
    guard depth < 8 else { return nil }
    for field in Group.fields {
      guard let own = field.keyPath, !field.isDeprecated, let full = prefix.appending(path: own)
      else { continue }
      if full == path { return field.name }
      guard let section = field.section, let below = key(of: path, in: section, below: full, depth: depth + 1)
      else { continue }
      return field.name.isEmpty || below.isEmpty ? field.name + below : "\(field.name).\(below)"
    }
    return nil
  }

  private static func reportNotASection<Group: ConfigGroup>(
    _ node: ConfigNode, _ type: Group.Type, context: inout ConfigContext
  ) {
    let known = names(of: type)
    let example = known.first.map { " such as \"\($0): …\"" } ?? ""
    var help: String?
    if let text = node.scalar?.text, let colon = text.firstIndex(of: ":") {
      let key = String(text[..<colon])
      if known.contains(key) {
        help = "put a space after the colon: \"\(key): \(text[text.index(after: colon)...])\""
      }
    }
    context.mismatch(node, expected: "a section of keys\(example)", help: help)
  }
}

extension ValueAction {
  /// Whether the value counts as given; null keeps the default unless the type has a meaning for it.
  func takes(_ node: ConfigNode) -> Bool {
    !node.isNull || acceptsNull || node.expansion != nil && !isRequired
  }
}

extension Field {
  var isDeprecated: Bool {
    if case .value(let action) = action { action.replacement != nil } else { false }
  }
}
