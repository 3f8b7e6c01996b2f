/// Why a time zone cannot be had.
package enum TimeZoneError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The database has no such zone.
  case unknown(String)
  /// There is no database in any of the usual places.
  case noDatabase(String)
  /// There is such a file, and it is not a zone.
  case damaged(String, offset: Int)

  /// A clause without a full stop.
  package var description: String {
    switch self {
    case .unknown(let name): "there is no time zone \"\(name)\""
    case .noDatabase(let name):
      "cannot look up the time zone \"\(name)\": \(TimeZoneDatabase.directories[0]) is missing"
    case .damaged(let name, let offset):
      "the file of the time zone \"\(name)\" is damaged at byte \(offset)"
    }
  }
}

/// The zones that the system has, by name. Looking one up reads a file.
package enum TimeZoneDatabase {
  /// Where the zones may be; the first that exists counts.
  static let directories = [
    "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo",
  ]

  private static let sizeLimit = 1 << 20

  /// The rules of a zone such as `Europe/Berlin`; `UTC` and `Local` are always known.
  package static func zone(_ name: String) throws(TimeZoneError) -> TimeZoneRules {
    switch name {
    case "", "UTC": return .utc
    case "Local": return local
    default: break
    }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    // The name becomes a path: it must stay below the directory.
    guard !name.hasPrefix("/"), name.utf8.count <= 255, !name.utf8.contains(0), !name.contains("\\"),
      !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." })
    else { throw .unknown(name) }
    for directory in directories {
      guard let bytes = ZoneFileReading.bytes(ofFile: directory + "/" + name, limit: sizeLimit) else {
        continue
      }
      return try rules(name: name, bytes)
    }
    if directories.allSatisfy({ !ZoneFileReading.isDirectory($0) }) { throw .noDatabase(name) }
    throw .unknown(name)
  }

  private static func rules(name: String, _ bytes: [UInt8]) throws(TimeZoneError) -> TimeZoneRules {
    do throws(ZoneFile.Fault) {
      return try ZoneFile.rules(name: name, bytes)
    } catch {
      // Lists of zones lie in the same directory, so what is not a zone at all is an unknown one.
      throw error.offset == 0 ? .unknown(name) : .damaged(name, offset: error.offset)
    }
  }

  /// The zone of this machine, as it was at first use: `TZ` if set, else `/etc/localtime`, else UTC.
  package static let local = local(variable: ZoneFileReading.variable("TZ"))

  /// The zone that a value of the variable `TZ` names: a zone, a file, or rules as POSIX writes them.
  static func local(variable: String?) -> TimeZoneRules {
    guard var name = variable else {
      let bytes = ZoneFileReading.bytes(ofFile: "/etc/localtime", limit: sizeLimit)
      return bytes.flatMap { try? rules(name: "Local", $0) } ?? .utc
    }
    if name.hasPrefix(":") { name.removeFirst() }
    if name.hasPrefix("/") {
      let bytes = ZoneFileReading.bytes(ofFile: name, limit: sizeLimit)
      return bytes.flatMap { try? rules(name: "Local", $0) } ?? .utc
    }
    if let zone = try? zone(name == "Local" ? "" : name) { return zone }
    return PosixZone(name)?.rules(name: name) ?? .utc
  }

  /// The names of all zones, for suggestions; empty when the database does not list them.
  package static var names: [String] {
    for directory in directories {
      guard let bytes = ZoneFileReading.bytes(ofFile: directory + "/tzdata.zi", limit: sizeLimit) else {
        continue
      }
      return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard let first = words.first, words.count > 2 else { return nil }
        return first == "Z" ? String(words[1]) : first == "L" ? String(words[2]) : nil
      }
    }
    return []
  }
}
