/// What the abbreviations of time zones in texts stand for.
///
/// `IST` is India's, Ireland's and Israel's: so it counts what a layout was told, then what its own zone calls its
/// clocks, then the abbreviations that are names in the IANA database, such as `EST`, `CET` and `HST`.
struct ZoneAbbreviations: Sendable {
  private struct Entry: Sendable {
    let name: String
    let zone: TimeZoneRules
  }
  private let named: [Entry]
  private let wellKnown: [Entry]

  /// The names in the database that look like abbreviations.
  private static let databaseNames = [
    "CET", "CST", "EET", "EST", "HST", "MET", "MST", "PRC", "ROC", "ROK", "UCT", "WET",
  ]

  /// - Parameter isUsed: whether any text has an abbreviation; if not, no zone is looked up.
  init(named: [String: TimeZoneRules], isUsed: Bool) {
    self.named = named.map { Entry(name: $0.key, zone: $0.value) }
    wellKnown =
      isUsed
      ? Self.databaseNames.compactMap { name in
        (try? TimeZoneDatabase.zone(name)).map { Entry(name: name, zone: $0) }
      } : []
  }

  /// The moment at which a clock of the named zone shows a local time; nil when nobody knows the name.
  func unixSeconds(ofLocal local: Int, _ name: Span<UInt8>, in zone: TimeZoneRules) -> Int? {
    for entry in named where name.isEqual(to: entry.name) {
      return entry.zone.unixSeconds(ofLocal: local, abbreviation: name)
        ?? entry.zone.unixSeconds(ofLocal: local)
    }
    if let moment = zone.unixSeconds(ofLocal: local, abbreviation: name) { return moment }
    if name.count >= 3, name[0] == 0x47, name[1] == 0x4D, name[2] == 0x54 {
      return local &- name.signedHours(at: 3) &* 3600
    }
    if name[0] == 0x2B || name[0] == 0x2D { return local &- name.signedHours(at: 0) &* 3600 }
    for entry in wellKnown where name.isEqual(to: entry.name) {
      return entry.zone.unixSeconds(ofLocal: local, abbreviation: name)
        ?? entry.zone.unixSeconds(ofLocal: local)
    }
    return nil
  }
}

extension Span<UInt8> {
  func isEqual(to text: String) -> Bool {
    let other = text.utf8.span
    guard count == other.count else { return false }
    for index in indices where self[index] != other[index] { return false }
    return true
  }

  func hasUTC(at position: Int) -> Bool {
    position &+ 2 < count && self[position] == 0x55 && self[position &+ 1] == 0x54
      && self[position &+ 2] == 0x43
  }

  /// The number of hours behind a sign; 0 when there is none.
  func signedHours(at position: Int) -> Int {
    guard position < count else { return 0 }
    var hours = 0
    for index in position &+ 1..<Swift.max(count, position &+ 1) {
      let digit = digit(index)
      if digit > 9 { break }
      hours = hours &* 10 &+ digit
    }
    return self[position] == 0x2D ? 0 &- hours : hours
  }

  /// How many bytes at a position look like an abbreviation, as Go sees it; 0 when they do not.
  ///
  /// Three capital letters, four or five of which the last is T, `ChST`, `MeST`, `WITA`, `GMT` with hours behind it, or
  /// a sign with hours.
  func zoneNameLength(at position: Int) -> Int {
    if hasUTC(at: position) { return 3 }
    if position < count, self[position] == 0x2B || self[position] == 0x2D {
      return signedHoursLength(at: position)
    }
    guard position &+ 2 < count else { return 0 }
    if position &+ 3 < count, self[position &+ 2] == 0x53, self[position &+ 3] == 0x54,
      self[position] == 0x43 && self[position &+ 1] == 0x68
        || self[position] == 0x4D && self[position &+ 1] == 0x65
    {
      return 4
    }
    if self[position] == 0x47, self[position &+ 1] == 0x4D, self[position &+ 2] == 0x54 {
      return 3 &+ signedHoursLength(at: position &+ 3)
    }
    var capitals = 0
    while capitals < 6, position &+ capitals < count, (0x41...0x5A).contains(self[position &+ capitals]) {
      capitals &+= 1
    }
    switch capitals {
    case 5: return self[position &+ 4] == 0x54 ? 5 : 0
    case 4:
      let isWITA =
        self[position] == 0x57 && self[position &+ 1] == 0x49 && self[position &+ 2] == 0x54
        && self[position &+ 3] == 0x41
      return self[position &+ 3] == 0x54 || isWITA ? 4 : 0
    case 3: return 3
    default: return 0
    }
  }

  /// A sign and the digits behind it, unless they are more than 23 hours.
  private func signedHoursLength(at position: Int) -> Int {
    guard position < count, self[position] == 0x2B || self[position] == 0x2D else { return 0 }
    var hours = 0
    var end = position &+ 1
    while end < count, digit(end) <= 9 {
      hours = Swift.min(hours &* 10 &+ digit(end), 1000)
      end &+= 1
    }
    return end == position &+ 1 || hours > 23 ? 0 : end &- position
  }
}
