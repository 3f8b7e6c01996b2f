internal import ConfigSchema
internal import TimeFormats

/// What is known of times before anything is evaluated: layouts, zones and durations are constants and
/// checked here.
extension ExpressionCompiler {
  /// The layouts that `date` tries when it is given none.
  private static let usualLayouts = [
    "2006-01-02", "15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00", "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST", "Mon, 02 Jan 2006 15:04:05 MST",
  ]

  /// A call of `date`, `duration` or `timezone`; nil for other functions.
  mutating func time(
    _ function: ExpressionFunction, _ parts: [Part], _ arguments: [ExpressionSyntax],
    _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part? {
    switch function {
    case .duration:
      guard let text = constantText(parts[0]) else { return nil }
      switch GoDuration.parse(text) {
      case .success(let duration):
        let (seconds, attoseconds) = duration.components
        let nanoseconds = seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
        return constant(.duration(nanoseconds), at: syntax, .duration)
      case .failure(let problem):
        let help = problem.help.map { "; \($0)" } ?? ""
        throw error("\"\(text)\" is not a duration: \(problem.detail)\(help)", arguments[0])
      }
    case .timezone:
      let zone = try zone(parts[0], arguments[0])
      return constant(ExpressionValue(.zone, bits: UInt64(zone)), at: syntax, .zone)
    case .date: return try date(parts, arguments, syntax)
    default: return nil
    }
  }

  /// The number of a zone that is given by its name.
  private mutating func zone(_ part: Part, _ syntax: ExpressionSyntax) throws(ExpressionError) -> Int {
    guard let name = constantText(part) else {
      throw error("the name of a time zone must be a constant", syntax)
    }
    do throws(TimeZoneError) {
      zones.append(try TimeZoneDatabase.zone(name))
    } catch {
      throw self.error(error.description, syntax)
    }
    return zones.count - 1
  }

  /// `date(text)`, `date(text, layout)`, `date(text, layout, zone)`, and each with a zone before the text.
  private mutating func date(
    _ parts: [Part], _ arguments: [ExpressionSyntax], _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    var (parts, arguments) = (parts[...], arguments[...])
    var zone = -1
    if parts[0].type == .zone {
      guard let value = constantValue(parts[0]) else {
        throw error("the time zone must be a constant", arguments[0])
      }
      zone = Int(value.int)
      parts = parts.dropFirst()
      arguments = arguments.dropFirst()
    }
    guard let text = parts.popFirst(), let syntaxOfText = arguments.popFirst() else {
      throw error("`date` needs a text behind the time zone", syntax)
    }
    try require(.string, text, "the text of `date`", syntaxOfText)
    let layout = parts.popFirst()
    let syntaxOfLayout = arguments.popFirst()
    if let name = parts.popFirst(), let syntaxOfName = arguments.popFirst() {
      zone = try self.zone(name, syntaxOfName)
    }
    let first = layouts.count
    let rules = zone < 0 ? TimeZoneRules.utc : zones[zone]
    if let layout, let syntaxOfLayout {
      layouts.append(try self.layout(layout, syntaxOfLayout, in: rules))
    } else {
      for usual in Self.usualLayouts {
        if let layout = try? TimeLayout(gotime: usual, in: rules) { layouts.append(layout) }
      }
    }
    if let value = try constantDate(text, syntaxOfText, layouts[first...]) {
      layouts.removeSubrange(first...)
      let seconds = Int(value >= 0 ? value / 1_000_000_000 : (value - 999_999_999) / 1_000_000_000)
      return constant(.time(value, zone: rules.offset(atUnixSeconds: seconds)), at: syntax, .time)
    }
    if layouts[first...].contains(where: { $0.needsYear || $0.needsDate }) { usesEnvironment = true }
    let place = place([
      Int32(clamping: first), Int32(clamping: layouts.count - first), Int32(clamping: zone),
    ])
    return emit(.date, text.node, place, at: syntax, gives: .time)
  }

  /// The time of a constant text; nil when it is none, or when it takes the present time to tell.
  private func constantDate(
    _ part: Part, _ syntax: ExpressionSyntax, _ layouts: ArraySlice<TimeLayout>
  ) throws(ExpressionError) -> Int64? {
    guard let text = constantText(part) else { return nil }
    var reason = ""
    for layout in layouts {
      do throws(TimeTextError) {
        let value = try layout.nanoseconds(of: Array(text.utf8).span, now: 0)
        return layout.needsYear || layout.needsDate ? nil : value
      } catch {
        reason = ": \(error)"
      }
    }
    throw error("\"\(text)\" is not a date\(layouts.count == 1 ? reason : "")", syntax)
  }

  private func layout(
    _ part: Part, _ syntax: ExpressionSyntax, in zone: TimeZoneRules
  ) throws(ExpressionError) -> TimeLayout {
    guard let text = constantText(part) else { throw error("a layout must be a constant", syntax) }
    do throws(TimeLayoutError) {
      return try TimeLayout(gotime: text, in: zone)
    } catch {
      let help = error.help.map { "; \($0)" } ?? ""
      guard case .string = syntax.kind else { throw self.error("\(error)\(help)", syntax) }
      let start = ExpressionLiteral(source[syntax.range]).offset(ofDecoded: error.offset)
      throw ExpressionError(
        "\(error)\(help)", at: start, length: Swift.max(0, syntax.range.upperBound - 1 - start))
    }
  }

  /// `time.Format(layout)`.
  mutating func format(
    _ time: Part, _ layout: Part, _ syntaxOfLayout: ExpressionSyntax, _ isOptional: Bool,
    _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    layouts.append(try self.layout(layout, syntaxOfLayout, in: .utc))
    return emit(
      .format, time.node, Int32(clamping: layouts.count - 1), isOptional ? 1 : 0, at: syntax, gives: .string)
  }
}
