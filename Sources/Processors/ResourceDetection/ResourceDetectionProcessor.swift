internal import Logging
internal import NativeCodecs
package import PipelineKit
internal import Synchronization
package import TelemetryData
internal import Transport

/// Adds what it can find out about where it runs to every resource: host, container, cloud, pod.
///
/// Detection is done before anything is received. With `refresh_interval` it is repeated; one that fails then leaves what
/// is known.
package final class ResourceDetectionProcessor: PreparedProcessor {
  package static let descriptor = ComponentDescriptor(
    type: "resource_detection", deprecatedTypes: ["resourcedetection"],
    summary: "Adds attributes of the host, container, cloud or pod it runs in to resources.")

  private let config: Config
  private let context: ComponentContext
  private let client: HTTPClient
  private let detection: Detection
  private let attributes: SelfMetricCell
  private let stopping = StopSignal()
  private let actions = Mutex(AttributeActions())

  package convenience init(config: Config, context: ComponentContext) {
    self.init(config: config, context: context, environment: ProcessEnvironment.variables)
  }

  /// - Parameters:
  ///   - environment: the variables that detectors see.
  ///   - root: stands in front of every path that they read.
  init(config: Config, context: ComponentContext, environment: [String: String], root: String = "") {
    self.config = config
    self.context = context
    client = HTTPClient(config: config.client, userAgent: Product.userAgent, logger: context.logger)
    let surroundings = DetectorSurroundings(
      environment: environment, root: root, client: client, timeout: config.client.timeout)
    detection = Detection(
      detectors: config.detectors.map { ($0, Self.detector($0, config, surroundings)) },
      timeout: config.client.timeout, clock: context.clock, logger: context.logger)
    attributes = context.metrics.gauge(
      "millrace_resource_detection_attributes", help: "Attributes that were detected and are set.",
      labels: [("processor", context.id.description)])
  }

  private static func detector(
    _ name: DetectorName, _ config: Config, _ surroundings: DetectorSurroundings
  ) -> any ResourceDetector {
    let fails = config.failOnMissingMetadata
    return switch name {
    case .env: EnvironmentDetector(surroundings: surroundings)
    case .system: SystemDetector(config: config.system, surroundings: surroundings)
    case .process: ProcessDetector(config: config.process, surroundings: surroundings)
    case .docker: DockerDetector(config: config.docker, surroundings: surroundings, failsWhenMissing: fails)
    case .ec2:
      EC2Detector(
        config: config.ec2, surroundings: surroundings,
        failsWhenMissing: fails || config.ec2.failOnMissingMetadata)
    case .gcp: GCPDetector(config: config.gcp, surroundings: surroundings, failsWhenMissing: fails)
    case .azure: AzureDetector(config: config.azure, surroundings: surroundings, failsWhenMissing: fails)
    case .k8sPod: PodDetector(config: config.k8sPod, surroundings: surroundings, failsWhenMissing: fails)
    }
  }

  package func start() async throws {
    do { use(try await detection.run()) } catch {
      await client.shutdown()
      throw StartError(
        "the resource was not detected: \(error)",
        help: "take out detectors that do not belong here, or give them more time with timeout")
    }
  }

  package func run() async {
    if config.refreshInterval <= .zero { return }
    while await stopping.wait(for: config.refreshInterval, context.clock) {
      do { use(try await detection.run()) } catch {
        context.logger.warning(
          "the resource was not detected again, what is known stays", metadata: ["reason": "\(error)"])
      }
    }
  }

  package func stop() async {
    stopping.stop()
    await client.shutdown()
  }

  private func use(_ found: [Attribute]) {
    var new = AttributeActions()
    for attribute in found {
      if config.overrides {
        new.upsert(attribute.key, attribute.value)
      } else {
        new.insert(attribute.key, attribute.value)
      }
    }
    actions.withLock { $0 = new }
    attributes.set(found.count)
    context.logger.info(
      "the resource is detected",
      metadata: ["attributes": "\(found.map(\.key).sorted().joined(separator: " "))"])
  }

  package func process(_ batch: Batch) -> Batch? {
    let actions = actions.withLock { $0 }
    if actions.isEmpty { return batch }
    var editor = BatchEditor(batch)
    editor.applyToResources(actions)
    // Only a result beyond 4 GiB cannot be addressed; the batch then goes on as it came.
    return editor.isEmpty ? batch : (try? editor.finish()) ?? batch
  }
}
