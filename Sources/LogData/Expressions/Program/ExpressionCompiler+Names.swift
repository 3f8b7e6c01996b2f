internal import ConfigSchema

extension ExpressionCompiler {
  /// The names of an entry's parts, with those of older releases of the Collector.
  static let roots: [String: (operation: ExpressionProgram.Operation, type: ExpressionType)] = [
    "body": (.body, .any), "$": (.body, .any), "$body": (.body, .any),
    "attributes": (.attributes, .map), "$attributes": (.attributes, .map),
    "resource": (.resource, .map), "$resource": (.resource, .map),
    "timestamp": (.timestamp, .time), "$timestamp": (.timestamp, .time),
    "severity": (.severity, .int), "severity_number": (.severity, .int),
    "severity_text": (.severityText, .string),
  ]

  mutating func name(_ name: String, _ syntax: ExpressionSyntax) throws(ExpressionError) -> Part {
    if let variable = names.last(where: { $0.name == name }) {
      return emit(.variable, variable.slot, at: syntax, gives: variable.type)
    }
    if let root = Self.roots[name] { return emit(root.operation, at: syntax, gives: root.type) }
    throw error(unknown(name), syntax)
  }

  private func unknown(_ name: String) -> String {
    switch name {
    case "$env": return "`$env` stands before a name only: `$env[\"body\"]`"
    case "$record": return "there is no `$record`; write `body`"
    case "$labels": return "there is no `$labels`; write `attributes`"
    case "null", "None", "undefined": return "there is no `\(name)`; write `nil`"
    case "True", "False", "TRUE", "FALSE": return "there is no `\(name)`; write `\(name.lowercased())`"
    default: break
    }
    if ExpressionFunction(rawValue: name) != nil { return "`\(name)` is a function: `\(name)(…)`" }
    let known = Self.roots.keys.filter { !$0.hasPrefix("$") }.sorted() + names.map(\.name)
    let help =
      Spelling.closest(to: name, among: known).map { "did you mean `\($0)`?" }
      ?? "attributes are written `attributes.\(name)`, text stands in quotes"
    return "there is no `\(name)`; \(help)"
  }

  mutating func pointer(_ name: String, _ syntax: ExpressionSyntax) throws(ExpressionError) -> Part {
    guard let predicate = predicates.last else {
      throw error("`#` cannot stand outside of a predicate", syntax)
    }
    switch name {
    case "index": return emit(.variable, predicate.slot + 1, at: syntax, gives: .int)
    case "acc":
      guard predicate.function == .reduce else { throw error("there is an `#acc` in `reduce` only", syntax) }
      return emit(.variable, predicate.slot + 2, at: syntax, gives: .any)
    default: return emit(.variable, predicate.slot, at: syntax, gives: .any)
    }
  }

  // Members.

  mutating func member(
    _ base: ExpressionSyntax, _ key: ExpressionSyntax, _ isOptional: Bool, _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    if case .name("$env") = base.kind, !names.contains(where: { $0.name == "$env" }) {
      guard case .string(let name) = key.kind else { throw error("`$env` needs a name in quotes", key) }
      return try self.name(name, ExpressionSyntax(kind: .name(name), range: syntax.range, height: 1))
    }
    if !isOptional, let path = try path(syntax) { return path }
    let part = try compile(base)
    try require([.map, .list, .string, .null], part, "what has a member", base)
    let index = try compile(key)
    if !part.type.overlaps([.map, .null]) {
      try require(.number, index, "the index of an array", key)
    } else if !part.type.overlaps([.list, .string]) {
      try require([.string, .null], index, "the key of a map", key)
    } else {
      try require([.string, .number, .null], index, "the key or index", key)
    }
    return emit(.member, part.node, index.node, isOptional ? 1 : 0, at: syntax, gives: .any)
  }

  /// Constant keys one below the other from a part of the entry: `attributes.http["method"]`.
  private mutating func path(_ syntax: ExpressionSyntax) throws(ExpressionError) -> Part? {
    var keys: [String] = []
    var current = syntax
    while case .member(let base, let key, isOptional: false) = current.kind, case .string(let name) = key.kind
    {
      keys.append(name)
      current = base
    }
    guard case .name(let name) = current.kind, !keys.isEmpty, !names.contains(where: { $0.name == name }),
      let root = Self.roots[name], [.body, .attributes, .resource].contains(root.operation)
    else { return nil }
    let first = values.count
    for key in keys.reversed() { values.append(text(key)) }
    return emit(
      .path, Int32(root.operation.rawValue), Int32(clamping: first), Int32(clamping: keys.count), at: syntax,
      gives: .any)
  }

  mutating func slice(
    _ base: ExpressionSyntax, _ from: ExpressionSyntax?, _ to: ExpressionSyntax?, _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    let part = try compile(base)
    try require([.list, .string], part, "what is sliced", base)
    var bounds: [Int32] = []
    for bound in [from, to] {
      guard let bound else {
        bounds.append(-1)
        continue
      }
      let compiled = try compile(bound)
      try require(.int, compiled, "the bound of a slice", bound)
      bounds.append(compiled.node)
    }
    return emit(
      .slice, part.node, bounds[0], bounds[1], at: syntax, gives: part.type.intersection([.list, .string]))
  }

  // Calls.

  mutating func call(
    _ token: ExpressionToken, _ arguments: [ExpressionSyntax], _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    let name = token.text
    guard let function = ExpressionFunction(rawValue: name) else { throw unknownFunction(token) }
    let signature = function.signature
    guard arguments.count >= signature.least, arguments.count <= signature.most else {
      throw error(
        "`\(name)` takes \(Self.count(signature.least, signature.most)), not \(arguments.count)", syntax)
    }
    if function.predicateArgument != nil { return try loop(function, arguments, syntax) }
    let parts = try compile(arguments)
    for (index, part) in parts.enumerated() {
      let wanted = signature.parameters[Swift.min(index, signature.parameters.count - 1)]
      try require(wanted, part, Self.argument(index, arguments.count, name), arguments[index])
    }
    if let part = try time(function, parts, arguments, syntax) { return part }
    if function == .now || function == .env { usesEnvironment = true }
    let first = place(parts.map(\.node))
    return emit(
      .call, Self.number(function), first, Int32(clamping: parts.count), at: syntax, gives: signature.result)
  }

  private func unknownFunction(_ token: ExpressionToken) -> ExpressionError {
    let name = token.text
    let help =
      if Self.roots[name] != nil || names.contains(where: { $0.name == name }) {
        "; it is a value"
      } else {
        Spelling.closest(to: name, among: ExpressionFunction.allCases.map(\.rawValue))
          .map { "; did you mean `\($0)`?" } ?? ""
      }
    return ExpressionError(
      "there is no function `\(name)`\(help)", at: token.range.lowerBound, length: token.range.count)
  }

  static func number(_ function: ExpressionFunction) -> Int32 {
    Int32(clamping: ExpressionFunction.allCases.firstIndex(of: function) ?? 0)
  }

  private static func count(_ least: Int, _ most: Int) -> String {
    func arguments(_ count: Int) -> String { count == 1 ? "1 argument" : "\(count) arguments" }
    if most >= 100 { return "at least \(arguments(least))" }
    if least == most { return most == 0 ? "no arguments" : arguments(most) }
    return "\(least) to \(arguments(most))"
  }

  private static func argument(_ index: Int, _ count: Int, _ name: String) -> String {
    let ordinals = ["the first", "the second", "the third", "the fourth"]
    let which = count == 1 ? "the" : index < ordinals.count ? ordinals[index] : "every"
    return "\(which) argument of `\(name)`"
  }

  /// A function that evaluates a predicate for each element.
  private mutating func loop(
    _ function: ExpressionFunction, _ arguments: [ExpressionSyntax], _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    let signature = function.signature
    let list = try compile(arguments[0])
    try require(.list, list, "the first argument of `\(function.rawValue)`", arguments[0])
    var parts: [Int32] = [list.node, -1, 0, -1]
    if arguments.count > 1, case .predicate(let body) = arguments[1].kind {
      let slot = variable()
      _ = variable()
      _ = variable()
      predicates.append((slot, function))
      let before = nodes.count
      let predicate = try compile(function == .sortBy ? Self.key(body) : body)
      predicates.removeLast()
      try require(
        function.predicateResult, predicate, "the predicate of `\(function.rawValue)`", arguments[1])
      parts = [list.node, slot, Int32(clamping: nodes.count - before), predicate.node]
    }
    for argument in arguments.dropFirst(2) {
      let part = try compile(argument)
      try require(signature.parameters[2], part, "the third argument of `\(function.rawValue)`", argument)
      parts.append(part.node)
    }
    return emit(
      .loop, Self.number(function), place(parts), Int32(clamping: parts.count - 4), at: syntax,
      gives: signature.result)
  }

  /// `sortBy(users, "age")`, as older releases wrote it, is `sortBy(users, .age)`.
  private static func key(_ body: ExpressionSyntax) -> ExpressionSyntax {
    guard case .string = body.kind else { return body }
    let element = ExpressionSyntax(kind: .pointer(""), range: body.range, height: 1)
    return ExpressionSyntax(
      kind: .member(element, key: body, isOptional: false), range: body.range, height: 2)
  }

  mutating func method(
    _ base: ExpressionSyntax, _ token: ExpressionToken, _ arguments: [ExpressionSyntax], _ isOptional: Bool,
    _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    let name = token.text
    let part = try compile(base)
    guard let method = ExpressionMethod(rawValue: name) else {
      let help =
        if ExpressionFunction(rawValue: name) != nil {
          "; it is a function: `\(name)(…)`"
        } else {
          Spelling.closest(to: name, among: ExpressionMethod.allCases.map(\.rawValue))
            .map { "; did you mean `\($0)`?" } ?? "; only times and durations have methods"
        }
      throw ExpressionError(
        "there is no method `\(name)`\(help)", at: token.range.lowerBound, length: token.range.count)
    }
    try require(method.receiver, part, "what has a method `\(name)`", base)
    let parameters = method.parameters
    guard arguments.count == parameters.count else {
      throw error(
        "`\(name)` takes \(Self.count(parameters.count, parameters.count)), not \(arguments.count)", syntax)
    }
    let parts = try compile(arguments)
    for (index, argument) in parts.enumerated() {
      try require(parameters[index], argument, Self.argument(index, parts.count, name), arguments[index])
    }
    if method == .format { return try format(part, parts[0], arguments[0], isOptional, syntax) }
    let number = Int32(clamping: ExpressionMethod.allCases.firstIndex(of: method) ?? 0)
    let type = method == .truncate ? part.type.intersection(method.receiver) : method.result
    return emit(
      .method, number, place([part.node] + parts.map(\.node)),
      Int32(clamping: parts.count) + (isOptional ? 1000 : 0), at: syntax, gives: type)
  }
}
