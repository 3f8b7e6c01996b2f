/// The encoding of a stream of text.
package enum TextEncoding: Sendable, Hashable {
  /// UTF-8, and with it ASCII; what is malformed becomes U+FFFD.
  case utf8
  /// UTF-8, but what is malformed is kept, as bytes that are no text.
  case utf8Raw
  case utf16LittleEndian
  case utf16BigEndian
  /// ISO 8859-1: each byte is the character with its number.
  case latin1
  /// What the C library converts.
  case other(name: String, units: LineUnits)
  /// No text at all: records are pieces of the stream (`nop`).
  case bytes

  /// Finds an encoding by its name in the Collector, at IANA or in the C library, upper and lower case being the same;
  /// nil when there is none.
  ///
  /// Looks for the tables of the C library, which lie in files.
  package init?(named name: String) {
    let name = name.lowercased()
    if let own = Self.own[name] {
      self = own
      return
    }
    let spelled = Self.spelled[name] ?? name
    guard let units = LineUnits(of: spelled) else { return nil }
    self = .other(name: spelled, units: units)
  }

  /// Those that are read without the C library. As in the Collector, UTF-16 without an order of bytes is little-endian,
  /// and ASCII is taken as UTF-8.
  private static let own: [String: TextEncoding] = [
    "": .utf8, "utf-8": .utf8, "utf8": .utf8, "ascii": .utf8, "us-ascii": .utf8,
    "utf-8-raw": .utf8Raw, "utf8-raw": .utf8Raw,
    "utf-16": .utf16LittleEndian, "utf16": .utf16LittleEndian,
    "utf-16le": .utf16LittleEndian, "utf16le": .utf16LittleEndian,
    "utf-16be": .utf16BigEndian, "utf16be": .utf16BigEndian,
    "iso-8859-1": .latin1, "iso8859-1": .latin1, "iso_8859-1": .latin1, "latin1": .latin1, "latin-1": .latin1,
    "nop": .bytes,
  ]

  /// Names of IANA that the C library spells in another way.
  private static let spelled: [String: String] = [
    "utf-32": "UTF-32LE", "x-mac-cyrillic": "MAC-CYRILLIC", "iso-8859-6-i": "ISO-8859-6",
    "iso-8859-8-i": "ISO-8859-8", "windows-31j": "CP932", "ks_c_5601-1987": "CP949",
  ]

  /// Names to suggest; the C library knows about a thousand more.
  package static let commonNames: [String] =
    [
      "utf-8", "utf-8-raw", "utf-16le", "utf-16be", "utf-32le", "utf-32be", "ascii", "latin1", "nop", "big5",
      "big5-hkscs", "gbk", "gb2312", "gb18030", "shift_jis", "euc-jp", "iso-2022-jp", "euc-kr", "euc-tw",
      "koi8-r", "koi8-u", "macintosh", "tis-620", "ibm037", "ibm850", "ibm866",
    ] + (1...16).filter { $0 != 12 }.map { "iso-8859-\($0)" } + (1250...1258).map { "windows-\($0)" }
    + ["windows-874"]

  package var units: LineUnits {
    switch self {
    case .utf8, .utf8Raw, .latin1, .bytes: .bytes
    case .utf16LittleEndian: .utf16LittleEndian
    case .utf16BigEndian: .utf16BigEndian
    case .other(_, let units): units
    }
  }
}

extension TextEncoding {
  /// Where text may be cut at or before `end` without cutting a character; `end` itself when that would leave nothing.
  func cut(in bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    guard end < bytes.count else { return end }
    var place = end
    switch self {
    case .utf8, .utf8Raw:
      while place > start, end - place < 4, bytes[place] & 0xC0 == 0x80 { place -= 1 }
      if end - place == 4 { return end }
    case .utf16LittleEndian, .utf16BigEndian:
      let high = self == .utf16LittleEndian ? place + 1 : place
      if high < bytes.count, bytes[high] & 0xFC == 0xDC { place -= 2 }
    case .latin1, .other, .bytes: break
    }
    return place > start ? place : end
  }

  /// The bytes of a byte order mark at the start of a stream, which is no text; nil where one is kept.
  var byteOrderMark: [UInt8] {
    switch self {
    case .utf8: [0xEF, 0xBB, 0xBF]
    case .utf16LittleEndian: [0xFF, 0xFE]
    case .utf16BigEndian: [0xFE, 0xFF]
    case .utf8Raw, .latin1, .other, .bytes: []
    }
  }
}
