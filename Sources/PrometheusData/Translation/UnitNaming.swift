/// OTLP units (UCUM, case-sensitive) in the words that Prometheus' names use.
///
/// Source: OpenTelemetry, "Prometheus and OpenMetrics compatibility", and the tables of the Collector.
enum UnitNaming {
  /// `main` is such as `bytes`, `per` such as `second` for `By/s`; empty where there is none.
  struct Words: Equatable {
    var main: [UInt8] = []
    var per: [UInt8] = []

    /// `bytes_per_second`, as metadata says it.
    var joined: [UInt8] {
      if per.isEmpty { return main }
      return (main.isEmpty ? [] : main + [0x5f]) + Array("per_".utf8) + per
    }
  }

  private static let names: [String: String] = [
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes",
    "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes",
    "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams",
    "Cel": "celsius", "Hz": "hertz", "1": "", "%": "percent",
  ]
  private static let perNames: [String: String] = [
    "s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year",
  ]

  /// The words for a unit; what stands in braces is a comment and no unit.
  static func words(_ unit: Span<UInt8>) -> Words {
    if unit.isEmpty { return Words() }
    var (main, per): ([UInt8], [UInt8]) = ([], [])
    var depth = 0
    var isPer = false
    for index in unit.indices {
      switch unit[index] {
      case UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "}"): depth = max(0, depth - 1)
      case _ where depth > 0: break
      case UInt8(ascii: "/") where !isPer: isPer = true
      default: if isPer { per.append(unit[index]) } else { main.append(unit[index]) }
      }
    }
    return Words(main: word(for: main, in: names), per: word(for: per, in: perNames))
  }

  private static func word(for unit: [UInt8], in names: [String: String]) -> [UInt8] {
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    let trimmed = unit.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
    if trimmed.isEmpty { return [] }
    let text = String(decoding: trimmed, as: UTF8.self)
    if let name = names[text] { return Array(name.utf8) }
    // A unit without a name of its own: its letters and digits, what is between them as a single `_`.
    var word: [UInt8] = []
    for byte in trimmed {
      if NameCharacters.isInMetrics(byte), byte != 0x5f {
        word.append(byte)
      } else if let last = word.last, last != 0x5f {
        word.append(0x5f)
      }
    }
    if word.last == 0x5f { word.removeLast() }
    return word
  }
}
