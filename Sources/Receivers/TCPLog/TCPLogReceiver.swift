package import ConfigSchema
package import PipelineKit
internal import Synchronization
internal import TelemetryData
internal import Transport

/// Takes lines of text over TCP and TLS.
///
/// The protocol has no answers: while the pipeline refuses, nothing is read, and TCP slows the senders down.
package final class TCPLogReceiver: Receiver {
  package struct Config: ConfigGroup {
    package var tcp = TCPInputConfig()
    package var input = LogInputConfig()
    package init() {}

    package static let fields: [Field<Self>] = [.group(\.tcp), .group(\.input)]
  }

  package static let descriptor = ComponentDescriptor(
    type: "tcp_log", deprecatedTypes: ["tcplog"], signals: [.logs],
    summary: "Receives lines of text over TCP or TLS.")

  private let config: Config
  private let context: ComponentContext
  private let input = Mutex<StreamLogInput?>(nil)

  package init(config: Config, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  /// Where it listens, once started.
  package var address: String { input.withLock { $0?.address ?? "" } }

  package func start(_ outputs: ReceiverOutputs) async throws {
    guard let output = outputs.consumer(.logs, transport: "tcp") else { return }
    let started = try await StreamLogInput.started(
      config.tcp, framing: config.tcp.framing, input: config.input, output: output, context: context)
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
