internal import ConfigSchema
internal import TimeFormats
internal import WireFormat

/// Times, which are nanoseconds since the epoch and how far the clock that shows them is ahead, and
/// durations.
extension ExpressionProgram {
  func time(
    _ function: ExpressionFunction, _ arguments: [ExpressionValue], _ node: Node, _ entry: inout LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    switch function {
    case .now:
      let now = Int64(clamping: frame.environment?.now() ?? 0)
      guard let zone = arguments.first else { return .time(now) }
      guard zone.kind == .zone else { throw wrong(function, zone, node) }
      return shown(now, in: zone)
    case .duration:
      guard arguments[0].kind == .string else { throw wrong(function, arguments[0], node) }
      let text = String(decoding: text(arguments[0], entry))
      switch GoDuration.parse(text) {
      case .success(let duration): return .duration(Self.nanoseconds(duration))
      case .failure(let problem):
        throw fault("\"\(text.prefix(40))\" is not a duration: \(problem.detail)", node)
      }
    case .env:
      guard arguments[0].kind == .string else { throw wrong(function, arguments[0], node) }
      let name = String(decoding: text(arguments[0], entry))
      return try string(Array((frame.environment?.variables[name] ?? "").utf8), &entry, &frame)
    default: throw fault("`\(function.rawValue)` is not supported", node)
    }
  }

  /// A time as a clock of a zone shows it.
  private func shown(_ nanoseconds: Int64, in zone: ExpressionValue) -> ExpressionValue {
    let seconds = Int(Self.seconds(nanoseconds, per: 1_000_000_000))
    return .time(nanoseconds, zone: zones[Int(zone.int)].offset(atUnixSeconds: seconds))
  }

  // Layouts.

  func date(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let value = try evaluate(node.a, &entry, &frame)
    guard value.kind == .string else { throw wrong(.date, value, node) }
    let place = Int(node.b)
    let first = Int(children[place])
    let now = Int64(clamping: frame.environment?.now() ?? 0)
    var reason = ""
    for layout in layouts[first..<first + Int(children[place + 1])] {
      do throws(TimeTextError) {
        let nanoseconds = try layout.nanoseconds(of: text(value, entry), now: now)
        let zone = children[place + 2]
        return zone < 0
          ? .time(nanoseconds) : shown(nanoseconds, in: ExpressionValue(.zone, bits: UInt64(zone)))
      } catch {
        reason = ": \(error)"
      }
    }
    let shown = String(decoding: text(value, entry)).prefix(40)
    // Of several layouts none says what was meant.
    throw fault("\"\(shown)\" is not a date\(children[place + 1] == 1 ? reason : "")", node)
  }

  func format(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let value = try evaluate(node.a, &entry, &frame)
    if value.kind == .missing || (value.isNull && node.c == 1) { return .missing }
    guard value.kind == .time else { throw fault("\(value.type) has no method `Format`", node) }
    var layout = layouts[Int(node.b)]
    if value.extra != 0,
      let other = try? TimeLayout(gotime: layout.source, in: TimeZoneRules(secondsFromUTC: Int(value.extra)))
    {
      layout = other
    }
    var made: [UInt8] = []
    layout.append(nanoseconds: value.int, to: &made)
    return try string(made, &entry, &frame)
  }

  private static func nanoseconds(_ duration: Duration) -> Int64 {
    let parts = duration.components
    return parts.seconds &* 1_000_000_000 &+ parts.attoseconds / 1_000_000_000
  }

  // Methods.

  func method(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let method = ExpressionMethod.allCases[Int(node.a)]
    let isOptional = node.c >= 1000
    let base = try evaluate(children[Int(node.b)], &entry, &frame)
    if base.kind == .missing || (base.isNull && isOptional) { return .missing }
    guard method.receiver.overlaps(base.kind == .time ? .time : base.kind == .duration ? .duration : [])
    else {
      throw fault("\(base.type) has no method `\(method.rawValue)`", node)
    }
    guard node.c % 1000 > 0 else { return try self.method(method, base, node, &entry, &frame) }
    let argument = try evaluate(children[Int(node.b) + 1], &entry, &frame)
    let wanted: ExpressionValue.Kind =
      switch method {
      case .add, .truncate: .duration
      case .zoned: .zone
      default: .time
      }
    guard argument.kind == wanted else {
      throw fault("`\(method.rawValue)` does not take \(argument.type)", node)
    }
    switch method {
    case .before: return .bool(base.int < argument.int)
    case .after: return .bool(base.int > argument.int)
    case .equal: return .bool(base.int == argument.int)
    case .sub: return .duration(base.int &- argument.int)
    case .add: return .time(base.int &+ argument.int, zone: Int(base.extra))
    case .truncate: return truncated(base, to: argument.int)
    case .zoned: return shown(base.int, in: argument)
    default: throw fault("`\(method.rawValue)` is not supported", node)
    }
  }

  private func truncated(_ value: ExpressionValue, to step: Int64) -> ExpressionValue {
    guard step > 0 else { return value }
    // Go counts times from the first of January of year 1, not from the epoch.
    let origin: Int64 = value.kind == .time ? Self.rest(ofSecondsBeforeEpoch: step) : 0
    let rest =
      value.kind == .time ? Self.modulo(Self.modulo(value.int, step) &+ origin, step) : value.int % step
    let cut = value.int &- rest
    return value.kind == .time ? .time(cut, zone: Int(value.extra)) : .duration(cut)
  }

  /// The nanoseconds from year 1 to the epoch modulo a step.
  private static func rest(ofSecondsBeforeEpoch step: Int64) -> Int64 {
    let (high, low) = UInt64(62_135_596_800).multipliedFullWidth(by: 1_000_000_000)
    return Int64(UInt64(step).dividingFullWidth((high % UInt64(step), low)).remainder)
  }

  private static func modulo(_ value: Int64, _ step: Int64) -> Int64 {
    let rest = value % step
    return rest < 0 ? rest &+ step : rest
  }

  private func method(
    _ method: ExpressionMethod, _ value: ExpressionValue, _ node: Node, _ entry: inout LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let nanoseconds = value.int
    switch method {
    case .string: return try string(shown(value, node, entry, &frame), &entry, &frame)
    case .hours: return .double(Double(nanoseconds) / 3_600_000_000_000)
    case .minutes: return .double(Double(nanoseconds) / 60_000_000_000)
    case .seconds: return .double(Double(nanoseconds) / 1_000_000_000)
    case .milliseconds: return .int(nanoseconds / 1_000_000)
    case .microseconds: return .int(nanoseconds / 1_000)
    case .nanoseconds: return .int(nanoseconds)
    case .abs: return .duration(nanoseconds < 0 ? 0 &- nanoseconds : nanoseconds)
    case .unix: return .int(Self.seconds(nanoseconds, per: 1_000_000_000))
    case .unixMilli: return .int(Self.seconds(nanoseconds, per: 1_000_000))
    case .unixMicro: return .int(Self.seconds(nanoseconds, per: 1_000))
    case .unixNano: return .int(nanoseconds)
    case .isZero: return .bool(nanoseconds == 0)
    case .utc: return .time(nanoseconds)
    default: return .int(Int64(part(method, of: value)))
    }
  }

  /// Rounded down.
  private static func seconds(_ nanoseconds: Int64, per unit: Int64) -> Int64 {
    nanoseconds / unit - (nanoseconds % unit < 0 ? 1 : 0)
  }

  private func part(_ method: ExpressionMethod, of value: ExpressionValue) -> Int {
    let seconds = Int(Self.seconds(value.int, per: 1_000_000_000))
    let civil = CivilTime(unixSeconds: seconds + Int(value.extra))
    switch method {
    case .year: return civil.year
    case .month: return civil.month
    case .day: return civil.day
    case .hour: return civil.hour
    case .minute: return civil.minute
    case .second: return civil.second
    case .nanosecond: return Int(value.int) - seconds * 1_000_000_000
    case .weekday: return civil.weekday
    default: return civil.dayOfYear
    }
  }

  // Text.

  /// A time, or the name of a zone, as Go's `String` shows it.
  func timeText(_ value: ExpressionValue) -> String {
    if value.kind == .zone { return zones[Int(value.int)].name }
    let (date, clock, fraction) = written(value)
    let offset = Self.offset(Int(value.extra), separator: "")
    return "\(date) \(clock)\(fraction) \(offset) \(value.extra == 0 ? "UTC" : offset)"
  }

  /// A time in RFC 3339, with as many digits of the fraction as it has.
  func timeResult(_ value: ExpressionValue) -> String {
    if value.kind == .zone { return timeText(value) }
    let (date, clock, fraction) = written(value)
    return "\(date)T\(clock)\(fraction)"
      + (value.extra == 0 ? "Z" : Self.offset(Int(value.extra), separator: ":"))
  }

  private func written(_ value: ExpressionValue) -> (date: String, clock: String, fraction: String) {
    let seconds = Self.seconds(value.int, per: 1_000_000_000)
    let civil = CivilTime(unixSeconds: Int(seconds) + Int(value.extra))
    let date = "\(civil.year, width: 4)-\(civil.month, width: 2)-\(civil.day, width: 2)"
    let clock = "\(civil.hour, width: 2):\(civil.minute, width: 2):\(civil.second, width: 2)"
    var fraction = "\(Int(value.int - seconds * 1_000_000_000), width: 9)"
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return (date, clock, fraction.isEmpty ? "" : ".\(fraction)")
  }

  private static func offset(_ seconds: Int, separator: String) -> String {
    let size = seconds.magnitude
    let (hours, minutes) = (Int(size) / 3600, Int(size) / 60 % 60)
    return "\(seconds < 0 ? "-" : "+")\(hours, width: 2)\(separator)\(minutes, width: 2)"
  }
}
