internal import WireFormat

/// A value while an expression is evaluated.
///
/// Like a ``LogValue`` it is a number or points to where its content lies; other than that, content can lie
/// in the expression's own constants, and lists and maps that it makes lie in the ``ExpressionFrame``, so
/// that the entry gets only what belongs to the result.
struct ExpressionValue: Sendable {
  enum Kind: UInt8, Sendable {
    case null, bool, int, double, string, list, map
    /// Nanoseconds since the epoch; ``extra`` is how far the clock that shows it is ahead of UTC, in seconds.
    case time
    /// Nanoseconds.
    case duration
    /// The number of a zone among those of the program.
    case zone
    /// What `?.` found nothing behind; nil at the end of the chain.
    case missing
  }

  /// Where content lies.
  enum Home {
    static let entry: Int32 = 0
    static let program: Int32 = 1
    static let frame: Int32 = 2
    /// In the entry, and not text: bytes.
    static let entryBytes: Int32 = 3
  }

  let bits: UInt64
  let extra: Int32
  let kind: Kind

  init(_ kind: Kind, bits: UInt64 = 0, extra: Int32 = 0) {
    self.bits = bits
    self.extra = extra
    self.kind = kind
  }

  init(_ value: LogValue) {
    bits = value.bits
    switch value.kind {
    case .null: (kind, extra) = (.null, Home.entry)
    case .string: (kind, extra) = (.string, Home.entry)
    case .bytes: (kind, extra) = (.string, Home.entryBytes)
    case .bool: (kind, extra) = (.bool, Home.entry)
    case .int: (kind, extra) = (.int, Home.entry)
    case .double: (kind, extra) = (.double, Home.entry)
    case .list: (kind, extra) = (.list, Home.entry)
    case .map: (kind, extra) = (.map, Home.entry)
    }
  }

  static let null = Self(.null)
  static let missing = Self(.missing)
  static func bool(_ value: Bool) -> Self { Self(.bool, bits: value ? 1 : 0) }
  static func int(_ value: Int64) -> Self { Self(.int, bits: UInt64(bitPattern: value)) }
  static func int(_ value: Int) -> Self { .int(Int64(value)) }
  static func double(_ value: Double) -> Self { Self(.double, bits: value.bitPattern) }
  static func string(_ range: WireRange) -> Self { Self(.string, bits: packed(range.start, range.end)) }
  static func time(_ nanoseconds: Int64, zone seconds: Int = 0) -> Self {
    Self(.time, bits: UInt64(bitPattern: nanoseconds), extra: Int32(truncatingIfNeeded: seconds))
  }
  static func duration(_ nanoseconds: Int64) -> Self {
    Self(.duration, bits: UInt64(bitPattern: nanoseconds))
  }
  /// Content in the frame, or text in the program's constants.
  static func made(_ kind: Kind, _ range: Range<Int>, in home: Int32) -> Self {
    let (low, high) = (
      UInt32(truncatingIfNeeded: range.lowerBound), UInt32(truncatingIfNeeded: range.upperBound)
    )
    return Self(kind, bits: packed(low, high), extra: home)
  }

  private static func packed(_ low: UInt32, _ high: UInt32) -> UInt64 { UInt64(high) << 32 | UInt64(low) }

  var bool: Bool { bits != 0 }
  var int: Int64 { Int64(bitPattern: bits) }
  /// An int or a float as a float.
  var number: Double { kind == .int ? Double(int) : Double(bitPattern: bits) }
  var isNumber: Bool { kind == .int || kind == .double }
  var isNull: Bool { kind == .null }
  /// Where text lies, or in the frame the elements.
  var range: WireRange {
    WireRange(start: UInt32(truncatingIfNeeded: bits), end: UInt32(truncatingIfNeeded: bits >> 32))
  }
  var chain: LogChain { LogChain(position: Int(truncatingIfNeeded: bits)) }

  /// A part of this text.
  func part(_ part: Range<Int>) -> Self {
    let start = range.lowerBound
    return .made(.string, start + part.lowerBound..<start + part.upperBound, in: extra)
  }

  /// How a message names its type, which is also what `type` gives.
  var type: String {
    switch kind {
    case .null, .missing: "nil"
    case .bool: "bool"
    case .int: "int"
    case .double: "float"
    case .string: "string"
    case .list: "array"
    case .map: "map"
    case .time: "time.Time"
    case .duration: "time.Duration"
    case .zone: "time.Location"
    }
  }
}

/// What one evaluation holds besides the entry.
struct ExpressionFrame {
  /// The most memory that one evaluation may take, besides a multiple of the entry's.
  static let mostMemory = 1 << 20
  /// The most work, roughly in nanoseconds.
  static let mostWork = 100_000_000
  /// The deepest nesting of lists and maps that is looked into.
  static let deepest = 100

  /// Elements of lists, and keys and values of maps in turn.
  var items: [ExpressionValue] = []
  /// The variables of `let`, and the elements, indices and accumulators of predicates.
  var variables: [ExpressionValue]
  /// Only for programs that ask for it.
  let environment: ExpressionEnvironment?
  private var memory: Int
  private var work = Self.mostWork

  init(variables: Int, environment: ExpressionEnvironment?, entryBytes: Int) {
    self.variables = variables == 0 ? [] : Array(repeating: .null, count: variables)
    self.environment = environment
    memory = Self.mostMemory + 8 * entryBytes
  }

  /// Counts memory before it is taken.
  mutating func take(memory bytes: Int) throws(LogOperatorError) {
    memory = memory.subtractingReportingOverflow(bytes).partialValue
    if bytes < 0 || memory < 0 { throw Self.tooMuch }
  }

  /// How much it holds now.
  var holding: (items: Int, memory: Int) { (items.count, memory) }

  /// Forgets what came since; no value that is still used may refer to it.
  mutating func release(to holding: (items: Int, memory: Int)) {
    if items.count > holding.items { items.removeLast(items.count - holding.items) }
    memory = holding.memory
  }

  /// Counts work: a comparison, an element or a few bytes looked at are each a few units.
  mutating func take(work units: Int) throws(LogOperatorError) {
    work = work.subtractingReportingOverflow(units).partialValue
    if units < 0 || work < 0 { throw Self.tooSlow }
  }

  /// Room for elements, all nil.
  mutating func reserve(_ count: Int) throws(LogOperatorError) -> Range<Int> {
    try take(memory: count.multipliedReportingOverflow(by: MemoryLayout<ExpressionValue>.stride).partialValue)
    let start = items.count
    items.append(contentsOf: repeatElement(.null, count: count))
    return start..<start + count
  }

  private static let tooMuch = LogOperatorError(
    "the expression takes more memory than it may, which is about 1 MiB")
  private static let tooSlow = LogOperatorError("the expression takes more steps than it may")
}
