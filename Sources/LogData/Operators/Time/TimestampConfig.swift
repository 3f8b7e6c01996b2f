package import ConfigSchema
internal import TimeFormats

/// What kind of layout tells what a time looks like.
package enum TimeLayoutKind: String, ConfigEnum {
  case strptime, gotime, epoch
}

/// The block `timestamp` of parsers, and the keys of `time_parser`: where a time stands and what it looks like.
package struct TimestampConfig: ConfigGroup {
  package var parseFrom: FieldPath?
  package var kind = TimeLayoutKind.strptime
  package var layout = LayoutText("")
  package var location = ""
  package var abbreviations = ConfigMap<String>()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("parse_from", \.parseFrom, "The field that holds the time.", required: true),
    Field("layout_type", \.kind, "Which kind of layout it is."),
    Field(
      "layout", \.layout,
      "What the time looks like: directives such as `%Y-%m-%d %H:%M:%S`, Go's reference time such as `2006-01-02 15:04:05`, or one of `s`, `ms`, `us`, `ns`, `s.ms`, `s.us`, `s.ns` since 1970.",
      required: true),
    Field(
      "location", \.location,
      "The zone of times that do not name one, such as `Europe/Berlin`. When left out: UTC if the layout ends with the letter Z, else that of this machine."
    ),
    Field(
      "time_zone_locations", \.abbreviations,
      "What abbreviations of zones stand for, such as `PDT: America/Los_Angeles`; others are looked up in `location`."
    ),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if !location.isEmpty, let problem = Self.problem(ofZone: location) {
      checker.error(\.location, problem.message, help: problem.help)
    }
    for entry in abbreviations {
      guard let problem = Self.problem(ofZone: entry.value) else { continue }
      checker.error(\.abbreviations, at: entry.key, problem.message, help: problem.help)
    }
    guard !checker.hasError(\.layout), checker.isPresent(\.layout) else { return }
    do throws(TimeLayoutError) {
      switch kind {
      case .strptime: _ = try TimeLayout(strptime: layout.text, in: .utc)
      case .gotime: _ = try TimeLayout(gotime: layout.text, in: .utc)
      case .epoch:
        if EpochLayout(rawValue: layout.text) != nil { break }
        let words = EpochLayout.allCases.map(\.rawValue)
        checker.error(\.layout, "must be one of \(words.joined(separator: ", ")), is \"\(layout.text)\"")
      }
    } catch {
      guard let origin = layout.origin(ofByte: error.offset) else {
        checker.error(\.layout, error.description, help: error.help)
        return
      }
      checker.error(at: origin, path: layout.path, "layout: \(error.description)", help: error.help)
    }
  }

  /// What is wrong with the name of a zone, and what to do; nil when nothing is.
  static func problem(ofZone name: String) -> (message: String, help: String?)? {
    do throws(TimeZoneError) {
      _ = try TimeZoneDatabase.zone(name)
      return nil
    } catch {
      var help: String?
      switch error {
      case .noDatabase: help = "install the package tzdata"
      case .unknown:
        help = Spelling.closest(to: name, among: TimeZoneDatabase.names).map { "did you mean \"\($0)\"?" }
      case .damaged: break
      }
      return (error.description, help)
    }
  }

  /// The compiled form, of settings that were found right.
  package func makeReader() -> TimestampReader {
    TimestampReader(parseFrom ?? FieldPath(.body), form: makeForm())
  }

  private func makeForm() -> TimestampReader.Form {
    do {
      if kind == .epoch {
        guard let epoch = EpochLayout(rawValue: layout.text) else { return .broken("unknown layout") }
        return .epoch(epoch)
      }
      let zone = location.isEmpty ? nil : try TimeZoneDatabase.zone(location)
      var zones: [String: TimeZoneRules] = [:]
      for entry in abbreviations { zones[entry.key] = try TimeZoneDatabase.zone(entry.value) }
      return .layout(
        kind == .gotime
          ? try TimeLayout(gotime: layout.text, in: zone, abbreviations: zones)
          : try TimeLayout(strptime: layout.text, in: zone, abbreviations: zones))
    } catch {
      // A zone that was there when the settings were checked is no more.
      return .broken("\(error)")
    }
  }
}
