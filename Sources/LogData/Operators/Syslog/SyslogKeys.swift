package import ConfigSchema
internal import TimeFormats

/// Which RFC syslog messages follow.
package enum SyslogProtocol: String, ConfigEnum {
  case rfc5424
  case rfc3164
  /// None: what follows the priority, if there is one, is the message.
  case none

  package static var ignoresCase: Bool { true }
}

/// What stands behind a message where nothing is counted (RFC 6587, section 3.4.2).
package enum SyslogTrailer: String, ConfigEnum {
  case lineFeed = "LF"
  case null = "NUL"

  package var byte: UInt8 { self == .lineFeed ? 0x0A : 0 }
}

/// How syslog messages look: what `syslog_parser` and the `syslog` receiver have in common.
package struct SyslogKeys: ConfigGroup {
  package var format: SyslogProtocol?
  package var location = "UTC"
  package var enableOctetCounting = false
  package var allowSkipPriHeader = false
  package var trailer: SyslogTrailer?
  package var maxOctets = 8192

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "protocol", \.format,
      "The RFC that messages follow; `none` takes what follows the priority as the message.", required: true),
    Field(
      "location", \.location,
      "The zone of times that do not name one, as those of RFC 3164, such as `Europe/Berlin`; `Local` is that of this machine.",
      check: .nonEmpty),
    Field(
      "enable_octet_counting", \.enableOctetCounting,
      "Messages begin with their number of octets (RFC 6587); those that begin with a priority are taken as well."
    ),
    Field(
      "allow_skip_pri_header", \.allowSkipPriHeader,
      "Take messages without a priority as well; they have no severity then."),
    Field(
      "non_transparent_framing_trailer", \.trailer,
      "What ends messages of RFC 5424 where they are not counted (RFC 6587). When left out, both do."),
    Field(
      "max_octets", \.maxOctets, "The most octets that a count may announce.", check: .range(1...99_999_999)),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if let problem = TimestampConfig.problem(ofZone: location) {
      checker.error(\.location, problem.message, help: problem.help)
    }
    if trailer != nil, format == .rfc3164 {
      checker.error(
        \.trailer, "is for messages of RFC 5424",
        help: "leave it out: line feeds and zeros both end a message of RFC 3164")
    }
    if enableOctetCounting, trailer != nil {
      checker.error(\.trailer, "cannot be combined with enable_octet_counting", help: "keep one of the two")
    }
    if enableOctetCounting, allowSkipPriHeader {
      checker.error(\.allowSkipPriHeader, "cannot be combined with enable_octet_counting")
    }
    if checker.isPresent(\.maxOctets), !enableOctetCounting {
      checker.warning(\.maxOctets, "has no effect without enable_octet_counting")
    }
  }

  /// What the parser needs to know, of settings that were found right.
  package func makeOptions() -> SyslogParser.Options {
    var options = SyslogParser.Options()
    options.format = format ?? .rfc5424
    // A zone that was there when the settings were checked and is no more counts as UTC.
    options.zone = (try? TimeZoneDatabase.zone(location)) ?? .utc
    options.allowsMissingPriority = allowSkipPriHeader
    options.mostOctets = maxOctets
    if enableOctetCounting {
      options.framing = .octetCounting
    } else if let trailer {
      options.framing = .trailer(trailer.byte)
    }
    return options
  }
}
