/// What is wrong with a value, and what to do.
public struct CheckProblem: Sendable, Equatable {
  public let message: String
  public let help: String?

  public init(_ message: String, help: String? = nil) {
    self.message = message
    self.help = help
  }
}

/// A condition on the value of one field.
public struct FieldCheck<Value: Sendable>: Sendable {
  /// What the reference and JSON Schema say about it.
  let constraints: [FieldConstraint]
  /// What is wrong with a value, or nil.
  public let problem: @Sendable (Value) -> CheckProblem?

  init(_ constraints: [FieldConstraint], _ problem: @escaping @Sendable (Value) -> CheckProblem?) {
    self.constraints = constraints
    self.problem = problem
  }

  /// A condition of your own: returns the message when it does not hold, such as `must be a power of two`.
  public static func custom(_ message: @escaping @Sendable (Value) -> String?) -> FieldCheck {
    FieldCheck([]) { value in message(value).map { CheckProblem($0) } }
  }

  /// All of the conditions; the first that fails is reported.
  public static func all(_ checks: FieldCheck...) -> FieldCheck {
    FieldCheck(checks.flatMap(\.constraints)) { value in
      for check in checks {
        if let problem = check.problem(value) { return problem }
      }
      return nil
    }
  }
}

extension FieldCheck where Value: Comparable & ConfigValue {
  /// The value must not be smaller.
  public static func atLeast(_ minimum: Value) -> FieldCheck {
    FieldCheck([.minimum(minimum.literal)]) { value in
      value >= minimum
        ? nil : CheckProblem("must be at least \(minimum.literal.plainText), is \(value.literal.plainText)")
    }
  }

  /// The value must not be larger.
  public static func atMost(_ maximum: Value) -> FieldCheck {
    FieldCheck([.maximum(maximum.literal)]) { value in
      value <= maximum
        ? nil : CheckProblem("must be at most \(maximum.literal.plainText), is \(value.literal.plainText)")
    }
  }

  /// The value must lie between the two, both included.
  public static func range(_ range: ClosedRange<Value>) -> FieldCheck {
    let low = range.lowerBound.literal
    let high = range.upperBound.literal
    return FieldCheck([.minimum(low), .maximum(high)]) { value in
      range.contains(value)
        ? nil
        : CheckProblem(
          "must be from \(low.plainText) to \(high.plainText), is \(value.literal.plainText)")
    }
  }
}

extension FieldCheck where Value: Equatable & ConfigValue {
  /// The value must be one of those listed.
  public static func oneOf(_ values: [Value]) -> FieldCheck {
    FieldCheck([.oneOf(values.map(\.literal))]) { value in
      if values.contains(value) { return nil }
      let words = values.map(\.literal.plainText)
      return CheckProblem(
        "must be one of \(words.joined(separator: ", ")), is \(value.literal.plainText)",
        help: Spelling.closest(to: value.literal.plainText, among: words).map { "did you mean \"\($0)\"?" })
    }
  }

  /// The value must be one of those listed.
  public static func oneOf(_ values: Value...) -> FieldCheck { oneOf(values) }
}

extension FieldCheck where Value: Collection {
  /// The text, list or map must not be empty.
  public static var nonEmpty: FieldCheck {
    FieldCheck([.nonEmpty]) { value in value.isEmpty ? CheckProblem("must not be empty") : nil }
  }

  /// Every element must satisfy the condition.
  public static func each(_ check: FieldCheck<Value.Element>) -> FieldCheck where Value.Element: Sendable {
    FieldCheck([]) { values in
      for (index, value) in values.enumerated() {
        if let problem = check.problem(value) {
          return CheckProblem("element \(index) \(problem.message)", help: problem.help)
        }
      }
      return nil
    }
  }
}

extension FieldCheck where Value == Secret {
  /// The secret must not be empty.
  public static var nonEmpty: FieldCheck {
    FieldCheck([.nonEmpty]) { value in value.isEmpty ? CheckProblem("must not be empty") : nil }
  }
}

extension FieldCheck where Value == String {
  /// An address with a port: `localhost:4317`, `0.0.0.0:4317`, `[::1]:4317`, `:4317`.
  public static var hostPort: FieldCheck {
    FieldCheck([.hostPort]) { text in
      AddressText.hostPortProblem(text).map {
        CheckProblem("is not an address with a port: \($0)", help: "write host:port, such as localhost:4317")
      }
    }
  }

  /// An absolute `http` or `https` URL with a host.
  public static var url: FieldCheck { url(schemes: ["http", "https"]) }

  /// An absolute URL with one of the schemes and a host.
  public static func url(schemes: [String]) -> FieldCheck {
    FieldCheck([.url]) { text in
      AddressText.urlProblem(text, schemes: schemes).map {
        CheckProblem(
          "is not a URL: \($0)",
          help: "write \(schemes.first ?? "http")://host:port/path")
      }
    }
  }
}
