import Foundation
import SeededRandom
import Testing

@testable import LogData

/// Expressions that dice write.
@Suite struct ExpressionPropertyTests {
  @Test func `an expression printed from its tree means the same`() throws {
    var dice = SeededGenerator(20260101)
    var values = 0
    for round in 0..<2000 {
      let text = Self.expression(&dice, depth: 4)
      let syntax = try #require(try? ExpressionParser.parse(text), "round \(round): \(text)")
      let printed = ExpressionPrinter.text(syntax)
      #expect(
        ExpressionPrinter.text(try ExpressionParser.parse(printed)) == printed, "round \(round): \(text)")
      let (first, second) = (try ExpressionTable.result(text), try ExpressionTable.result(printed))
      // Errors name parts as they are written.
      let isFailure = first.hasPrefix("at ") || first.hasPrefix("error: ")
      if !isFailure { values += 1 }
      #expect(isFailure ? second.hasPrefix(first.prefix(3)) : first == second, "round \(round): \(text)")
    }
    // Dice that write only mistakes would show nothing.
    #expect(values > 200)
  }

  private static func expression(_ dice: inout SeededGenerator, depth: Int) -> String {
    func inner() -> String { expression(&dice, depth: depth - 1) }
    func space() -> String { dice.pick(["", " ", "  ", "\n"]) }
    if depth == 0 || dice.chance(15) {
      return dice.pick([
        "nil", "true", "false", "0", "1", "-3", "42", "0x1F", "2.5", "1e3", "'a'", "\"b\\n\"", "`c`", "''",
        "body", "attributes",
        "attributes.status", "attributes['bytes']", "attributes.list", "attributes.users",
        "attributes.missing", "resource",
        "severity", "severity_text", "timestamp", "attributes.nested?.a.b", "attributes.missing?.x[0]",
        "[1, 2, 3]", "{a: 1, 'b c': [2]}",
        "duration('1m')", "env('STACK')", "1..4",
      ])
    }
    switch dice.below(14) {
    case 0...4:
      let sign = dice.pick([
        "==", "!=", "<", ">", "<=", ">=", " in ", " not in ", " contains ", " matches ", " startsWith ",
        " endsWith ", "+", "-", "*",
        "/", "%", "**", "^", " and ", " or ", "&&", "||",
      ])
      let (left, right) = (inner(), inner())
      return dice.chance(50)
        ? "(\(left)\(space())\(sign)\(space())(\(right)))" : "\(left)\(space())\(sign)\(space())\(right)"
    case 5: return "((\(inner())) ?? (\(inner())))"
    case 6: return "(\(inner()))\(space())?\(space())(\(inner())) : \(inner())"
    case 7: return dice.pick(["not ", "!", "-", "+"]) + "(\(inner()))"
    case 8:
      return "(\(inner()))"
        + dice.pick([".name", "?.name", "[0]", "[-1]", "[1:]", "[:2]", "['a']", "?.['a'].b"])
    case 9: return "[\(inner()), \(inner())]"
    case 10: return "{a: \(inner()), (string(\(inner()))): \(inner())}"
    case 11:
      let name = dice.pick([
        "all", "any", "filter", "map", "count", "find", "findLastIndex", "groupBy", "sum", "sortBy", "reduce",
      ])
      let list = dice.pick(["attributes.list", "attributes.users", "[1, 2, 3]", "(\(inner()))"])
      let predicate = dice.pick([
        "# > 1", ".age", "{#index == 1}", "(\(inner())) == #", "{\(inner())}", "# * 2",
      ])
      return dice.chance(30) ? "(\(list) | \(name)(\(predicate)))" : "\(name)(\(list), \(predicate))"
    case 12:
      let name = dice.pick([
        "len", "upper", "lower", "trim", "type", "string", "int", "float", "toJSON", "keys", "values",
        "first", "last", "reverse",
        "sort", "uniq", "flatten", "abs", "ceil", "max", "mean", "toPairs", "toBase64",
      ])
      return "\(name)(\(inner()))"
    default: return "(let x\(depth) = \(inner()); \(inner()))"
    }
  }

  // Arithmetic against a model.

  /// A number as the language has it.
  private enum Number: Equatable {
    case int(Int64)
    case double(Double)

    var double: Double {
      switch self {
      case .int(let value): Double(value)
      case .double(let value): value
      }
    }

    var shown: String {
      switch self {
      case .int(let value): "\(value)"
      case .double(let value): "\(value)"
      }
    }
  }

  private static func apply(_ sign: String, _ left: Number, _ right: Number) -> Number {
    if case .int(let a) = left, case .int(let b) = right {
      switch sign {
      case "+": return .int(a &+ b)
      case "-": return .int(a &- b)
      case "*": return .int(a &* b)
      default: break
      }
    }
    return switch sign {
    case "+": .double(left.double + right.double)
    case "-": .double(left.double - right.double)
    case "*": .double(left.double * right.double)
    case "/": .double(left.double / right.double)
    default: .double(pow(left.double, right.double))
    }
  }

  private static func strength(_ sign: String) -> Int {
    ["+": 1, "-": 1, "*": 2, "/": 2, "**": 3][sign] ?? 0
  }

  /// Numbers and signs in a row, worked off with two stacks.
  private static func value(_ numbers: [Number], _ signs: [String]) -> Number {
    var values = [numbers[0]]
    var waiting: [String] = []
    func reduce() {
      let (right, left) = (values.removeLast(), values.removeLast())
      values.append(apply(waiting.removeLast(), left, right))
    }
    for (sign, number) in zip(signs, numbers.dropFirst()) {
      while let last = waiting.last,
        strength(last) > strength(sign) || (strength(last) == strength(sign) && sign != "**")
      {
        reduce()
      }
      waiting.append(sign)
      values.append(number)
    }
    while !waiting.isEmpty { reduce() }
    return values[0]
  }

  /// A row of numbers, some of which are rows in brackets.
  private static func row(_ dice: inout SeededGenerator, depth: Int) -> (text: String, value: Number) {
    var (text, numbers, signs) = ("", [Number](), [String]())
    for position in 0...dice.below(5) {
      if position > 0 {
        signs.append(dice.pick(["+", "-", "*", "/", "**"]))
        text += dice.pick([" ", ""]) + signs[position - 1] + dice.pick([" ", ""])
      }
      switch dice.below(depth > 0 ? 4 : 3) {
      case 0:
        numbers.append(.int(Int64(dice.below(20))))
        text += numbers[position].shown
      case 1:
        numbers.append(.double(Double(dice.below(40)) / 8))
        text += numbers[position].shown
      case 2:
        numbers.append(.int(Int64(truncatingIfNeeded: dice.next() >> 1)))
        text += numbers[position].shown
      default:
        let inner = row(&dice, depth: depth - 1)
        numbers.append(inner.value)
        text += "(\(inner.text))"
      }
    }
    return (text, value(numbers, signs))
  }

  @Test func `arithmetic agrees with a model`() throws {
    var dice = SeededGenerator(7)
    for _ in 0..<1500 {
      let (text, value) = Self.row(&dice, depth: 2)
      let result = try ExpressionTable.result(text)
      #expect(result == value.shown || (value.double.isNaN && result.hasSuffix("nan")), "\(text)")
    }
  }

  @Test func `every beginning of an expression is parsed or refused with its place`() throws {
    for text in [
      #"len(filter(attributes.users, {.age > 30 and .name matches "^J\\w+$"})) ** 2 ?? -0x1F"#,
      "let x = 'ä\\u00e4'; {a: x[1:], (x): #}",
    ] {
      for length in 0...text.utf8.count {
        let part = String(decoding: Array(text.utf8).prefix(length), as: UTF8.self)
        do { _ = try Expression(part) } catch {
          #expect(
            error.offset >= 0 && error.length >= 0 && error.offset + error.length <= part.utf8.count,
            "\(part): \(error)")
        }
      }
    }
  }
}
