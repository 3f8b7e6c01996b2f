package import ConfigSchema
package import LogData
package import Transport

/// Where and how records are received over TCP: `tcp_log`, and `tcp` of the `syslog` receiver.
package struct TCPInputConfig: ConfigGroup {
  package var server = StreamServerConfig()
  package var maxLogSize: ByteCount = .mebibytes(1)
  package var addAttributes = false
  package var oneLogPerPacket = false
  package var lines = LineConfig()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.server),
    Field(
      "max_log_size", \.maxLogSize, "The most bytes of one record; what is longer is split.",
      check: .range(1 ... .mebibytes(256))),
    Field(
      "add_attributes", \.addAttributes,
      "Add the attributes `net.transport`, `net.peer.ip`, `net.peer.port`, `net.peer.name`, `net.host.ip`, `net.host.port` and `net.host.name`."
    ),
    Field(
      "one_log_per_packet", \.oneLogPerPacket, "All that comes over a connection is one record, when it ends."
    ),
    .group(\.lines),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if oneLogPerPacket, checker.isPresent(\.lines.multiline) {
      checker.error(\.oneLogPerPacket, "cannot be combined with multiline", help: "keep one of the two")
    }
  }

  var framing: RecordFraming {
    let lines = lines.makeFraming(limit: maxLogSize.bytes)
    return oneLogPerPacket ? .whole(limit: maxLogSize.bytes, lines) : .lines(lines)
  }
}
