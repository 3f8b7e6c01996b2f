/// What a time looks like in a text: a layout of strptime or of Go, compiled.
///
/// Reading allocates nothing, and one layout may be used by many threads. Semantics are the Collector's, which are those of Go's `time.ParseInLocation`; a layout of
/// strptime also takes numbers without their leading zero and with spaces in front.
///
/// ```swift
/// let layout = try TimeLayout(strptime: "%d/%b/%Y:%H:%M:%S %z")
/// let time = try layout.nanoseconds(of: bytes.span, now: 0)
/// ```
///
/// Where it is more generous than the Collector: AM and PM in any case; an abbreviation such as `+03`; and a missing
/// year or date is chosen as ``nanoseconds(of:now:)`` says.
package final class TimeLayout: Sendable {
  /// As it was written.
  package let source: String
  let elements: [TimeElement]
  /// The zone of times that do not name one.
  package let zone: TimeZoneRules
  let abbreviations: ZoneAbbreviations

  /// Whether the year has to be found out from the present time.
  package let needsYear: Bool
  /// Whether the whole date has to be found out from the present time.
  package let needsDate: Bool

  /// Compiles the directives of strptime that the Collector knows.
  ///
  /// - Parameters:
  ///   - zone: where times without a zone belong. Nil: UTC if the layout ends with the letter Z, else this machine's.
  ///   - abbreviations: what abbreviations of zones stand for, before those that `zone` knows itself.
  package convenience init(
    strptime source: String, in zone: TimeZoneRules? = nil, abbreviations: [String: TimeZoneRules] = [:]
  ) throws(TimeLayoutError) {
    self.init(source, try StrptimeCompiler.compile(source), zone, abbreviations)
  }

  /// Compiles a layout of Go, which shows how it would write the afternoon of 2 January 2006.
  package convenience init(
    gotime source: String, in zone: TimeZoneRules? = nil, abbreviations: [String: TimeZoneRules] = [:]
  ) throws(TimeLayoutError) {
    self.init(source, try GotimeCompiler.compile(source), zone, abbreviations)
  }

  private init(
    _ source: String, _ compiled: [TimeElement], _ zone: TimeZoneRules?,
    _ abbreviations: [String: TimeZoneRules]
  ) {
    self.source = source
    let endsInZulu = compiled.last?.piece == .literal && compiled.last?.argument == UInt8(ascii: "Z")
    self.zone = zone ?? (endsInZulu ? .utc : TimeZoneDatabase.local)
    var elements = compiled
    // A fraction in the text is taken behind the seconds even where the layout has none.
    for index in elements.indices where elements[index].piece.isSecond {
      let next = elements[(index + 1)...].first { $0.piece != .literal && $0.piece != .spaces }
      elements[index].argument = next?.piece.isFraction == true ? 0 : 1
    }
    self.elements = elements
    let pieces = Set(elements.map(\.piece))
    self.abbreviations = ZoneAbbreviations(named: abbreviations, isUsed: pieces.contains(.zoneName))
    needsYear = pieces.isDisjoint(with: [.year, .shortYear, .anyYear])
    needsDate = pieces.allSatisfy { !$0.isOfDate }
  }
}

/// Why a text is no layout.
package struct TimeLayoutError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A clause without a full stop.
  package let description: String
  /// What to do.
  package let help: String?
  /// How many bytes of the layout stand before the place.
  package let offset: Int

  init(_ description: String, help: String? = nil, at offset: Int) {
    self.description = description
    self.help = help
    self.offset = offset
  }
}

/// What one part of a layout stands for.
enum TimePiece: UInt8, Sendable {
  /// One byte of text, the argument.
  case literal
  /// One space or more; none at the end of the text.
  case spaces
  /// Four digits, two, or whichever there are.
  case year, shortYear, anyYear
  case monthName, longMonthName, weekdayName, longWeekdayName
  /// Numbers of one digit or two; those with `two` take two digits only.
  case month, twoMonth, spacedMonth
  case day, twoDay, spacedDay
  case yearDay, spacedYearDay
  case hour
  case hour12, twoHour12
  case minute, twoMinute
  /// The argument: whether a fraction may follow that the layout does not have.
  case second, twoSecond
  case upperMeridiem, lowerMeridiem
  /// The argument: how many digits, and flags.
  case fraction, exactFraction
  /// An abbreviation.
  case zoneName
  /// The argument: a set of ``OffsetForm``.
  case offset

  var isSecond: Bool { self == .second || self == .twoSecond }
  var isFraction: Bool { self == .fraction || self == .exactFraction }
  var isOfDate: Bool {
    switch self {
    case .year, .shortYear, .anyYear, .monthName, .longMonthName, .weekdayName, .longWeekdayName, .month,
      .twoMonth, .spacedMonth, .day, .twoDay, .spacedDay, .yearDay, .spacedYearDay:
      true
    default: false
    }
  }
}

/// How an offset from UTC is written.
struct OffsetForm: OptionSet, Sendable {
  let rawValue: UInt8

  /// `Z` stands for UTC.
  static let zulu = OffsetForm(rawValue: 1)
  static let colons = OffsetForm(rawValue: 2)
  static let minutes = OffsetForm(rawValue: 4)
  static let seconds = OffsetForm(rawValue: 8)
  /// With colon and without, with minutes and without.
  static let any = OffsetForm(rawValue: 16)
}

/// One part of a compiled layout.
struct TimeElement: Sendable, Equatable {
  var piece: TimePiece
  var argument: UInt8 = 0
  /// As strptime reads numbers: spaces in front are passed over, and a leading zero may be missing.
  var isLenient = false

  /// In the argument of a fraction: a comma is written before it, not a dot.
  static let comma: UInt8 = 0x80
  /// In the argument of a fraction that may be missing: it is written with all its zeros.
  static let keepsZeros: UInt8 = 0x40

  /// How many digits a fraction has.
  var fractionDigits: Int { Int(argument & 0x3F) }

  static func offset(_ form: OffsetForm, isLenient: Bool = false) -> TimeElement {
    TimeElement(piece: .offset, argument: form.rawValue, isLenient: isLenient)
  }

  static func literal(_ byte: UInt8) -> TimeElement { TimeElement(piece: .literal, argument: byte) }

  /// Text as it is, with runs of spaces as one element.
  static func append(_ text: some Sequence<UInt8>, to elements: inout [TimeElement]) {
    for byte in text {
      if byte != UInt8(ascii: " ") {
        elements.append(.literal(byte))
      } else if elements.last?.piece == .spaces, elements[elements.count - 1].argument < 255 {
        elements[elements.count - 1].argument += 1
      } else {
        elements.append(TimeElement(piece: .spaces, argument: 1))
      }
    }
  }
}
