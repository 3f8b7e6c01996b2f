internal import ConfigSchema
internal import LogData
package import PipelineKit
internal import Synchronization
internal import TelemetryData
internal import Transport

/// Takes syslog messages over TCP, TLS and UDP, parsed as `syslog_parser` does it.
package final class SyslogReceiver: Receiver {
  package typealias Config = SyslogReceiverConfig

  package static let descriptor = ComponentDescriptor(
    type: "syslog", signals: [.logs],
    summary: "Receives syslog messages of RFC 5424 and RFC 3164 over TCP, TLS and UDP.")

  private struct Inputs {
    var tcp: StreamLogInput?
    var udp: DatagramLogInput?
  }

  private let config: Config
  private let context: ComponentContext
  private let inputs = Mutex(Inputs())

  package init(config: Config, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  /// Where it listens, by `tcp` and `udp`, once started.
  package var addresses: [String: String] {
    inputs.withLock { inputs in
      ["tcp": inputs.tcp?.address, "udp": inputs.udp?.address.description].compactMapValues { $0 }
    }
  }

  package func start(_ outputs: ReceiverOutputs) async throws {
    if let udp = config.udp, let output = outputs.consumer(.logs, transport: "udp") {
      let started = try await DatagramLogInput.started(
        udp, syslog: config.datagramStep, input: config.input, output: output, section: "udp.",
        context: context)
      inputs.withLock { $0.udp = started }
    }
    guard let tcp = config.tcp, let output = outputs.consumer(.logs, transport: "tcp") else { return }
    do {
      let started = try await StreamLogInput.started(
        tcp, framing: config.framing(of: tcp), syslog: config.streamStep, input: config.input,
        output: output, section: "tcp.", context: context)
      inputs.withLock { $0.tcp = started }
    } catch {
      await stop()
      throw error
    }
  }

  package func stop() async {
    let inputs = inputs.withLock { held in
      defer { held = Inputs() }
      return held
    }
    async let tcp: Void? = inputs.tcp?.stop()
    async let udp: Void? = inputs.udp?.stop()
    _ = await (tcp, udp)
  }
}
