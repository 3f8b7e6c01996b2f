package import ConfigSchema
package import PipelineKit
internal import Synchronization
internal import TelemetryData
internal import Transport

/// Takes records of text in datagrams.
///
/// Senders cannot be slowed down: what the pipeline does not take is held up to a bound, and then dropped and counted.
package final class UDPLogReceiver: Receiver {
  package struct Config: ConfigGroup {
    package var udp = UDPInputConfig()
    package var input = LogInputConfig()
    package init() {}

    package static let fields: [Field<Self>] = [.group(\.udp), .group(\.input)]
  }

  package static let descriptor = ComponentDescriptor(
    type: "udp_log", deprecatedTypes: ["udplog"], signals: [.logs],
    summary: "Receives records of text in UDP datagrams.")

  private let config: Config
  private let context: ComponentContext
  private let input = Mutex<DatagramLogInput?>(nil)

  package init(config: Config, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  /// Where it listens, once started.
  package var address: String { input.withLock { $0?.address.description ?? "" } }

  package func start(_ outputs: ReceiverOutputs) async throws {
    guard let output = outputs.consumer(.logs, transport: "udp") else { return }
    let started = try await DatagramLogInput.started(
      config.udp, input: config.input, output: output, context: context)
    input.withLock { $0 = started }
  }

  package func stop() async {
    let input = input.withLock { held in
      defer { held = nil }
      return held
    }
    await input?.stop()
  }
}
