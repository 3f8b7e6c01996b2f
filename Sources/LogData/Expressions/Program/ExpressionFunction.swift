/// The functions of the language.
enum ExpressionFunction: String, CaseIterable, Sendable {
  // Over the elements of an array.
  case all, any, one, none, filter, map, find, findIndex, findLast, findLastIndex, groupBy, count, sum,
    reduce, sortBy
  // Of text.
  case trim, trimPrefix, trimSuffix, upper, lower, split, splitAfter, replace, `repeat`, indexOf, lastIndexOf,
    hasPrefix
  case hasSuffix, join
  // Of numbers.
  case max, min, abs, ceil, floor, round, mean, median
  case bitand, bitor, bitxor, bitnand, bitnot, bitshl, bitshr, bitushr
  // Of arrays and maps.
  case len, first, last, take, sort, reverse, concat, flatten, uniq, get, keys, values, toPairs, fromPairs
  // From one type to another.
  case type, int, float, string, toJSON, fromJSON, toBase64, fromBase64
  // Of time.
  case now, date, duration, timezone
  // Of the process.
  case env

  /// What it takes and gives.
  struct Signature {
    /// A type for each parameter; the last stands also for what follows it.
    let parameters: [ExpressionType]
    let least: Int
    let most: Int
    let result: ExpressionType

    init(
      _ parameters: [ExpressionType], least: Int? = nil, most: Int? = nil, gives result: ExpressionType
    ) {
      self.parameters = parameters
      self.least = least ?? parameters.count
      self.most = most ?? parameters.count
      self.result = result
    }
  }

  /// Which argument is a predicate, evaluated for each element of the first one.
  var predicateArgument: Int? {
    switch self {
    case .all, .any, .one, .none, .filter, .map, .find, .findIndex, .findLast, .findLastIndex, .groupBy: 1
    case .count, .sum, .reduce, .sortBy: 1
    default: nil
    }
  }

  /// What a predicate must give.
  var predicateResult: ExpressionType {
    switch self {
    case .map, .groupBy, .reduce, .sortBy: .any
    case .sum: .number
    default: .bool
    }
  }

  var signature: Signature {
    switch self {
    case .all, .any, .one, .none: Signature([.list, .any], gives: .bool)
    case .filter, .map: Signature([.list, .any], gives: .list)
    case .find, .findLast: Signature([.list, .any], gives: .any)
    case .findIndex, .findLastIndex: Signature([.list, .any], gives: .int)
    case .groupBy: Signature([.list, .any], gives: .map)
    case .count: Signature([.list, .any], least: 1, gives: .int)
    case .sum: Signature([.list, .any], least: 1, gives: .number)
    case .reduce: Signature([.list, .any, .any], least: 2, gives: .any)
    case .sortBy: Signature([.list, .any, .string], least: 1, gives: .list)
    case .trim, .trimPrefix, .trimSuffix: Signature([.string, .string], least: 1, gives: .string)
    case .upper, .lower: Signature([.string], gives: .string)
    case .split, .splitAfter: Signature([.string, .string, .number], least: 2, gives: .list)
    case .replace: Signature([.string, .string, .string, .number], least: 3, gives: .string)
    case .repeat: Signature([.string, .number], gives: .string)
    case .indexOf, .lastIndexOf: Signature([.string, .string], gives: .int)
    case .hasPrefix, .hasSuffix: Signature([.string, .string], gives: .bool)
    case .join: Signature([.list, .string], least: 1, gives: .string)
    case .max, .min: Signature([[.list, .number]], most: 100, gives: .any)
    case .mean, .median: Signature([[.list, .number]], most: 100, gives: .double)
    case .abs: Signature([.number], gives: .number)
    case .ceil, .floor, .round: Signature([.number], gives: .double)
    case .bitand, .bitor, .bitxor, .bitnand, .bitshl, .bitshr, .bitushr: Signature([.int, .int], gives: .int)
    case .bitnot: Signature([.int], gives: .int)
    case .len: Signature([[.list, .map, .string]], gives: .int)
    case .first, .last: Signature([[.list, .null]], gives: .any)
    case .take: Signature([.list, .int], gives: .list)
    case .sort: Signature([.list, .string], least: 1, gives: .list)
    case .reverse, .flatten, .uniq: Signature([.list], gives: .list)
    case .concat: Signature([.list], most: 100, gives: .list)
    case .get: Signature([[.list, .map, .string, .null], [.int, .string, .null]], gives: .any)
    case .keys, .values, .toPairs: Signature([.map], gives: .list)
    case .fromPairs: Signature([.list], gives: .map)
    case .type, .string, .toJSON: Signature([.any], gives: .string)
    case .int: Signature([[.number, .string, .duration]], gives: .int)
    case .float: Signature([[.number, .string]], gives: .double)
    case .fromJSON: Signature([.string], gives: .any)
    case .toBase64, .fromBase64: Signature([.string], gives: .string)
    case .now: Signature([.zone], least: 0, gives: .time)
    case .date: Signature([[.string, .zone], .string, .string], least: 1, gives: .time)
    case .duration: Signature([.string], gives: .duration)
    case .timezone: Signature([.string], gives: .zone)
    case .env: Signature([.string], gives: .string)
    }
  }
}
