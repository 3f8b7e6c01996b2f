internal import WireFormat

/// A compiled expression of the language that the Collector's log operators use (expr-lang).
///
/// Compiled once, then evaluated for each entry. It sees `body`, `attributes`, `resource`, `timestamp` (a time, the
/// epoch when it is unknown), `severity` (a number, 0 when unspecified), `severity_text`, and `env("NAME")`. Nothing
/// in the entry is changed but the arena, where texts, lists and maps of the result are put.
///
/// Both work and memory of an evaluation are bounded.
package struct Expression: Sendable {
  /// The text it was compiled from.
  package let text: String
  private let program: ExpressionProgram

  /// What the value is for, which must be possible.
  package enum Purpose: Sendable {
    case value
    /// True, false or nil.
    case condition
    /// A part of a text.
    case string
  }

  /// - Throws: what is wrong in the text, and where.
  package init(_ text: String, for purpose: Purpose = .value) throws(ExpressionError) {
    self.text = text
    program = try ExpressionCompiler.compile(text, for: purpose)
  }

  /// The value for an entry; a time is given as text in RFC 3339, a duration as Go writes it (`1h30m0s`).
  ///
  /// A value of bytes is text as others are; it stays bytes as a whole and in parts, and what is made with it is
  /// well-formed text.
  ///
  /// - Throws: when types do not fit, such as `<` between nil and a number, or a bound is reached. The
  ///   Collector then treats the operator as failed: its `on_error` applies.
  package func evaluate(
    _ entry: inout LogEntry, _ environment: ExpressionEnvironment
  ) throws(LogOperatorError) -> LogValue {
    let mark = entry.mark
    do throws(LogOperatorError) {
      var frame = frame(entry, environment)
      let value = try program.evaluate(program.root, &entry, &frame)
      switch value.kind {
      case .list, .map: break
      case .string where value.extra == ExpressionValue.Home.entry:
        return .string(entry.wellFormed(entry.keep(value.range, since: mark)))
      default: entry.forget(since: mark)
      }
      return try program.result(value, &entry, &frame)
    } catch {
      entry.forget(since: mark)
      throw error
    }
  }

  /// The value of a condition for an entry; leaves nothing behind in the arena. Nil is false.
  ///
  /// - Throws: as ``evaluate(_:_:)``, and when the value is neither nil nor true or false.
  package func isTrue(
    _ entry: inout LogEntry, _ environment: ExpressionEnvironment
  ) throws(LogOperatorError) -> Bool {
    let mark = entry.mark
    var frame = frame(entry, environment)
    let value: ExpressionValue
    do throws(LogOperatorError) {
      value = try program.evaluate(program.root, &entry, &frame)
    } catch {
      entry.forget(since: mark)
      throw error
    }
    entry.forget(since: mark)
    switch value.kind {
    case .bool: return value.bool
    case .null: return false
    default: throw LogOperatorError("the condition gives \(value.type), not true or false")
    }
  }

  private func frame(_ entry: borrowing LogEntry, _ environment: ExpressionEnvironment) -> ExpressionFrame {
    ExpressionFrame(
      variables: program.variables, environment: program.usesEnvironment ? environment : nil,
      entryBytes: entry.arena.count)
  }
}

extension LogEntry {
  /// Forgets what was added, which mostly is nothing.
  @inline(__always)
  mutating func forget(since mark: LogEntryMark) {
    if arena.count != mark.arena || slots.count != mark.slots || chains.count != mark.chains {
      rewind(to: mark)
    }
  }

  /// Where a text stands when everything else is forgotten that was added since.
  fileprivate mutating func keep(_ range: WireRange, since mark: LogEntryMark) -> WireRange {
    guard range.upperBound > mark.arena else {
      rewind(to: mark)
      return range
    }
    // A part of an earlier text cannot reach beyond it, so that it was made as a whole.
    arena.removeSubrange(mark.arena..<Swift.max(mark.arena, range.lowerBound))
    let kept = WireRange(mark.arena, mark.arena + range.count)
    rewind(to: LogEntryMark(arena: kept.upperBound, slots: mark.slots, chains: mark.chains))
    return kept
  }
}
