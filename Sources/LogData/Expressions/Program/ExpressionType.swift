/// The kinds of value that a part of an expression can have, as far as that is known before it is evaluated.
struct ExpressionType: OptionSet {
  let rawValue: UInt16

  static let null = Self(rawValue: 1 << 0)
  static let bool = Self(rawValue: 1 << 1)
  static let int = Self(rawValue: 1 << 2)
  static let double = Self(rawValue: 1 << 3)
  /// Text, and bytes, which are taken as text.
  static let string = Self(rawValue: 1 << 4)
  static let list = Self(rawValue: 1 << 5)
  static let map = Self(rawValue: 1 << 6)
  static let time = Self(rawValue: 1 << 7)
  static let duration = Self(rawValue: 1 << 8)
  static let zone = Self(rawValue: 1 << 9)

  static let number: Self = [.int, .double]
  static let any = Self(rawValue: (1 << 10) - 1)

  private static let names: [(Self, String)] = [
    (.null, "nil"), (.bool, "bool"), (.int, "int"), (.double, "float"), (.string, "string"), (.list, "array"),
    (.map, "map"), (.time, "time"), (.duration, "duration"), (.zone, "zone"),
  ]

  /// How a message names it: `int`, `int or float`.
  var shown: String {
    if self == .any { return "any value" }
    let words = Self.names.filter { contains($0.0) }.map(\.1)
    guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }

  func overlaps(_ other: Self) -> Bool { !isDisjoint(with: other) }
}

extension ExpressionOperator {
  private static let numbers: [(ExpressionType, ExpressionType, ExpressionType)] = [
    (.int, .int, .int), (.double, .number, .double), (.int, .double, .double),
  ]

  /// What it takes on its left and right, and what it gives for these; nil for operators that take
  /// everything.
  private var signatures: [(ExpressionType, ExpressionType, ExpressionType)]? {
    switch self {
    case .equal, .notEqual, .coalesce: nil
    case .less, .greater, .lessOrEqual, .greaterOrEqual:
      [
        (.number, .number, .bool), (.string, .string, .bool), (.time, .time, .bool),
        (.duration, .duration, .bool),
      ]
    case .isIn: [(.any, [.list, .null], .bool), ([.string, .null], .map, .bool)]
    case .matches, .contains, .startsWith, .endsWith: [([.string, .null], [.string, .null], .bool)]
    case .range: [(.number, .number, .list)]
    case .add:
      Self.numbers + [
        (.string, .string, .string), (.time, .duration, .time), (.duration, .time, .time),
        (.duration, .duration, .duration),
      ]
    case .subtract:
      Self.numbers + [
        (.time, .time, .duration), (.time, .duration, .time), (.duration, .duration, .duration),
      ]
    case .multiply: Self.numbers + [(.duration, .number, .duration), (.number, .duration, .duration)]
    case .divide, .power: [(.number, .number, .double)]
    case .modulo: [(.int, .int, .int)]
    }
  }

  /// What it gives for operands of these types; nil when it takes no such pair.
  func result(_ left: ExpressionType, _ right: ExpressionType) -> ExpressionType? {
    guard let signatures else {
      if self == .coalesce { return left.subtracting(.null).union(right) }
      // Anything may be compared with nil; what can never be equal is a mistake.
      if left.overlaps(.null) || right.overlaps(.null) { return .bool }
      let isComparable = left.overlaps(right) || (left.overlaps(.number) && right.overlaps(.number))
      return isComparable ? .bool : nil
    }
    var result: ExpressionType = []
    for (first, second, gives) in signatures where left.overlaps(first) && right.overlaps(second) {
      result.formUnion(gives)
    }
    return result.isEmpty ? nil : result
  }
}
