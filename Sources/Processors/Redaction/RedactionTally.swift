internal import TelemetryData
internal import WireFormat

/// What was done to one set of attributes, or to one body, and the attributes that tell of it.
struct RedactionTally {
  /// What may become of a key.
  enum Fate: String, CaseIterable {
    case redacted, masked, allowed, ignored

    fileprivate var index: Int {
      switch self {
      case .redacted: 0
      case .masked: 1
      case .allowed: 2
      case .ignored: 3
      }
    }
  }

  private let summary: RedactionSummary
  private var counts = InlineArray<4, Int>(repeating: 0)
  private var names: [[String]] = [[], [], [], []]

  init(_ summary: RedactionSummary) { self.summary = summary }

  /// Counts a key; `name` is asked for where it will be shown.
  mutating func add(_ fate: Fate, _ name: @autoclosure () -> String) {
    if summary == .silent { return }
    counts[fate.index] += 1
    if summary == .debug, fate != .ignored { names[fate.index].append(name()) }
  }

  mutating func removeAll() {
    if summary == .silent { return }
    for index in counts.indices {
      counts[index] = 0
      if !names[index].isEmpty { names[index].removeAll() }
    }
  }

  /// Adds to the attributes what was done, and to what earlier processors have said of it.
  ///
  /// - Parameter prefix: `redaction` or `redaction.body`.
  func write(_ prefix: String, to sheet: inout AttributeSheet) {
    for fate in Fate.allCases where counts[fate.index] > 0 {
      if summary == .debug, fate != .ignored {
        Self.add(names[fate.index], to: &sheet, key: "\(prefix).\(fate.rawValue).keys")
      }
      let key = "\(prefix).\(fate.rawValue).count"
      var count = Int64(counts[fate.index])
      let position = sheet.position(of: key.utf8.span)
      if let position, sheet.value(at: position).kind == .int { count &+= sheet.value(at: position).int }
      Self.set(.int(count), position, of: &sheet, key: key)
    }
  }

  private static func add(_ names: [String], to sheet: inout AttributeSheet, key: String) {
    var names = names
    let position = sheet.position(of: key.utf8.span)
    if let position, sheet.value(at: position).kind == .string {
      let earlier = sheet.value(at: position).string
      if !earlier.isEmpty {
        names += earlier.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
    }
    names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    set(.string(names.joined(separator: ",")), position, of: &sheet, key: key)
  }

  private static func set(_ value: AnyValue, _ position: Int?, of sheet: inout AttributeSheet, key: String) {
    if let position { sheet.set(value, at: position) } else { sheet.append(key.utf8.span, value) }
  }

  /// Every key that ``write(_:to:)`` sets, which are allowed for processors that follow.
  static let keys = ["redaction", "redaction.body"].flatMap { prefix in
    Fate.allCases.flatMap { fate in
      ["\(prefix).\(fate.rawValue).count"] + (fate == .ignored ? [] : ["\(prefix).\(fate.rawValue).keys"])
    }
  }
}
