/// The methods of times and durations, which are those of Go's types.
enum ExpressionMethod: String, CaseIterable, Sendable {
  case year = "Year"
  case month = "Month"
  case day = "Day"
  case hour = "Hour"
  case minute = "Minute"
  case second = "Second"
  case nanosecond = "Nanosecond"
  case weekday = "Weekday"
  case yearDay = "YearDay"
  case unix = "Unix"
  case unixMilli = "UnixMilli"
  case unixMicro = "UnixMicro"
  case unixNano = "UnixNano"
  case isZero = "IsZero"
  case before = "Before"
  case after = "After"
  case equal = "Equal"
  case sub = "Sub"
  case add = "Add"
  case utc = "UTC"
  case format = "Format"
  case zoned = "In"
  case truncate = "Truncate"
  case hours = "Hours"
  case minutes = "Minutes"
  case seconds = "Seconds"
  case milliseconds = "Milliseconds"
  case microseconds = "Microseconds"
  case nanoseconds = "Nanoseconds"
  case abs = "Abs"
  case string = "String"

  /// What it is a method of.
  var receiver: ExpressionType {
    switch self {
    case .hours, .minutes, .seconds, .milliseconds, .microseconds, .nanoseconds, .abs: .duration
    case .truncate, .string: [.time, .duration]
    default: .time
    }
  }

  var parameters: [ExpressionType] {
    switch self {
    case .before, .after, .equal, .sub: [.time]
    case .add, .truncate: [.duration]
    case .zoned: [.zone]
    case .format: [.string]
    default: []
    }
  }

  var result: ExpressionType {
    switch self {
    case .isZero, .before, .after, .equal: .bool
    case .sub, .abs: .duration
    case .add, .utc, .zoned: .time
    case .truncate: [.time, .duration]
    case .hours, .minutes, .seconds: .double
    case .string, .format: .string
    default: .int
    }
  }
}
