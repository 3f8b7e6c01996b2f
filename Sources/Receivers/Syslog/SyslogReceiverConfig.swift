package import ConfigSchema
package import LogData

/// The settings of the `syslog` receiver.
package struct SyslogReceiverConfig: ConfigGroup {
  package var tcp: TCPInputConfig?
  package var udp: UDPInputConfig?
  package var syslog = SyslogKeys()
  package var onError = OnError.send
  package var input = LogInputConfig()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("tcp", \.tcp, "Listen for TCP, or TLS."),
    Field("udp", \.udp, "Listen for UDP."),
    .group(\.syslog),
    Field(
      "on_error", \.onError,
      "What becomes of what is no syslog message: it goes on as it came or is dropped; the quiet forms do not log it."
    ),
    .group(\.input),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if tcp == nil, udp == nil {
      checker.error(
        "must have tcp, udp or both", help: "write \"tcp:\" with \"listen_address: localhost:54526\" below it"
      )
    }
    if udp != nil, tcp == nil {
      let message = "is for TCP only: a datagram is one message"
      if syslog.enableOctetCounting { checker.error(\.syslog.enableOctetCounting, message) }
      if syslog.trailer != nil { checker.error(\.syslog.trailer, message) }
    }
    if let tcp, syslog.enableOctetCounting, checker.isPresent(\.tcp), tcp.oneLogPerPacket {
      checker.error(\.tcp, at: "one_log_per_packet", "cannot be combined with enable_octet_counting")
    }
  }

  /// How messages look that came over a connection and were cut out of it.
  var streamStep: SyslogStep {
    var options = syslog.makeOptions()
    options.framing = syslog.enableOctetCounting ? .counted : .whole
    return SyslogStep(options: options, onError: onError)
  }

  /// How datagrams look.
  var datagramStep: SyslogStep {
    var options = syslog.makeOptions()
    options.framing = .whole
    return SyslogStep(options: options, onError: onError)
  }

  func framing(of tcp: TCPInputConfig) -> RecordFraming {
    if tcp.oneLogPerPacket || tcp.lines.multiline.pattern != nil { return tcp.framing }
    let limit = tcp.maxLogSize.bytes
    let lines = tcp.lines.makeFraming(limit: limit)
    // The ends of messages are found before their text is decoded.
    guard lines.encoding.units.width == 1, lines.encoding != .bytes else { return tcp.framing }
    if syslog.enableOctetCounting {
      return .syslog(.octetCounting(most: syslog.maxOctets), limit: limit, lines)
    }
    return .syslog(syslog.trailer.map { .trailer($0.byte) } ?? .lines, limit: limit, lines)
  }
}
