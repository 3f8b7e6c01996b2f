package import ConfigSchema
package import LogData
internal import Transport

/// Where and how records are received in datagrams: `udp_log`, and `udp` of the `syslog` receiver.
package struct UDPInputConfig: ConfigGroup {
  package var listenAddress = ""
  package var addAttributes = false
  package var oneLogPerPacket = false
  package var lines = LineConfig()
  package var async: AsyncConfig?
  package var socketBufferSize: ByteCount = 0

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("listen_address", \.listenAddress, "Address to listen on, host:port.", required: true),
    Field(
      "add_attributes", \.addAttributes,
      "Add the attributes `net.transport`, `net.peer.ip`, `net.peer.port`, `net.peer.name`, `net.host.ip`, `net.host.port` and `net.host.name`."
    ),
    Field(
      "one_log_per_packet", \.oneLogPerPacket,
      "A datagram is one record; so it is as well unless `multiline` has a pattern."),
    .group(\.lines),
    Field("async", \.async, "How many threads read; one when left out."),
    Field(
      "socket_buffer_size", \.socketBufferSize,
      "Bytes that the kernel keeps of datagrams that are not read yet; 0 asks for 2MiB, of which it gives as much as `net.core.rmem_max` allows.",
      check: .range(0 ... .mebibytes(1024))),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if checker.isPresent(\.listenAddress), let problem = DatagramServer.problem(ofEndpoint: listenAddress) {
      checker.error(\.listenAddress, problem, help: "write host:port, such as localhost:54526")
    }
    if let warning = DatagramServer.exposure(ofEndpoint: listenAddress) {
      checker.warning(
        \.listenAddress, warning,
        help: "listen on localhost; fine where the network is trusted, as within a pod")
    }
    if oneLogPerPacket, checker.isPresent(\.lines.multiline) {
      checker.error(\.oneLogPerPacket, "cannot be combined with multiline", help: "keep one of the two")
    }
  }

  /// `async`.
  package struct AsyncConfig: ConfigGroup {
    package var readers = 1
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("readers", \.readers, "Threads that read the socket.", check: .range(1...64)),
      .accepted("processors", "who reads a datagram makes a record of it at once"),
      .accepted("max_queue_length", "there is no queue between reading and processing"),
    ]
  }

  var settings: DatagramServer.Settings {
    var settings = DatagramServer.Settings(endpoint: listenAddress)
    settings.receiveBuffer = socketBufferSize.bytes
    settings.readers = async?.readers ?? 1
    return settings
  }
}
