internal import Logging
internal import NativeCodecs
package import PipelineKit
internal import PrometheusData
internal import Synchronization
package import TelemetryData
internal import Transport

/// Sends metrics to Prometheus, and to everything else that takes its remote write.
///
/// A batch becomes one or more requests, which go side by side in rows: a series is always in the same row, so that its
/// samples arrive in order. A try repeats only the requests that have no answer yet.
package final class PrometheusRemoteWriteExporter: Exporter {
  package typealias Config = PrometheusRemoteWriteConfig

  package static let descriptor = ComponentDescriptor(
    type: "prometheus_remote_write", deprecatedTypes: ["prometheusremotewrite"], signals: [.metrics],
    summary: "Sends metrics with Prometheus Remote Write 1.0 or 2.0.")

  private struct Encoders: ~Copyable {
    var second: RemoteWriteEncoder
    var first: RemoteWriteEncoder
    var forgetsMetadataAt: MonotonicInstant
  }

  /// How often metadata is sent anew.
  private static let metadataInterval = Duration.seconds(60)
  /// How long Remote Write 1.0 is used after a backend did not know 2.0.
  private static let fallbackTime = Duration.seconds(600)

  private let config: PrometheusRemoteWriteConfig
  private let client = Mutex<HTTPClient?>(nil)
  private let encoders: Mutex<Encoders>
  private let progress = BatchProgressBook<BatchProgress>()
  /// When 2.0 is tried again; nil while the backend is thought to know it.
  private let fallsBackUntil = Mutex<MonotonicInstant?>(nil)
  private let replies: RemoteWriteReplies
  private let logger: Logger
  private let clock: any PipelineClock
  private let authenticator: (any ClientAuthenticator)?

  package static func delivery(of config: PrometheusRemoteWriteConfig) -> DeliverySettings { config.delivery }

  package init(config: PrometheusRemoteWriteConfig, context: ComponentContext) throws {
    self.config = config
    logger = context.logger
    clock = context.clock
    replies = RemoteWriteReplies(context: context)
    authenticator = try context.authenticator(config.client.auth)
    let limits = RemoteWriteLimits(maxBytes: config.maxBatchSizeBytes, parallelism: config.parallelism)
    let translation = config.translation
    encoders = Mutex(
      Encoders(
        second: RemoteWriteEncoder(.request, translation, limits: limits),
        first: RemoteWriteEncoder(
          .writeRequest, translation, limits: limits, sendsMetadata: config.sendMetadata),
        forgetsMetadataAt: context.clock.now + Self.metadataInterval))
  }

  package func start() async throws {
    var settings = config.client
    // Bodies are compressed already.
    settings.compression = .none
    let client = HTTPClient(
      config: settings, userAgent: Product.userAgent, logger: logger, authenticator: authenticator)
    do {
      try await client.prepare()
    } catch let error as TLSFileError {
      throw StartError("\(error)")
    }
    self.client.withLock { $0 = client }
  }

  package func stop() async {
    let client = client.withLock { held in
      defer { held = nil }
      return held
    }
    await client?.shutdown()
  }

  package func export(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    guard let client = client.withLock({ $0 }) else {
      return .refused(reason: "the exporter is not running", after: nil)
    }
    var state: BatchProgress
    do throws(CodecError) {
      if let known = progress.remove(batch) {
        state = known
      } else {
        state = try encoded(batch, as: message)
      }
    } catch {
      return .rejected(reason: "\(error)")
    }
    var failure = await send(&state, client, metadata)
    if state.isMessageUnknown {
      if config.strategy.escapes {
        noteFallback()
        do throws(CodecError) {
          state = try encoded(batch, as: .writeRequest)
        } catch {
          return .rejected(reason: "\(error)")
        }
        failure = await send(&state, client, metadata)
      } else {
        state.rejectRest("unsupported_message", "the backend does not know Remote Write 2.0")
      }
    }
    let outcome = failure.map { Outcome.refused(reason: $0.reason, after: $0.after) } ?? state.outcome
    progress.put(state, for: batch)
    return outcome
  }

  /// What the requests that were answered, and the translation, say about single data points.
  package func endedItems(of batch: Batch) -> [EndedItems] { progress.remove(batch)?.ended ?? [] }

  /// Remote Write 2.0 where it is configured and the backend knows it.
  private var message: RemoteWriteMessage {
    if config.message == .v1 { return .writeRequest }
    let now = clock.now
    return fallsBackUntil.withLock { until in
      if let time = until, now < time { return .writeRequest }
      until = nil
      return .request
    }
  }

  private func noteFallback() {
    let until = clock.now + Self.fallbackTime
    fallsBackUntil.withLock { $0 = until }
    logger.warning(
      "the backend does not know Remote Write 2.0, 1.0 is used instead",
      metadata: ["retried_in": "\(Self.fallbackTime)"])
  }

  private func encoded(_ batch: Batch, as message: RemoteWriteMessage) throws(CodecError) -> BatchProgress {
    let now = clock.now
    let requests = try encoders.withLock { encoders throws(CodecError) in
      if message == .request { return try encoders.second.encode(batch) }
      if now >= encoders.forgetsMetadataAt {
        encoders.first.forgetMetadata()
        encoders.forgetsMetadataAt = now + Self.metadataInterval
      }
      return try encoders.first.encode(batch)
    }
    replies.log(requests.drops)
    return BatchProgress(requests, message: message, items: batch.itemCount)
  }

  /// Sends what is left of a batch; the failure is one after which the rest can be tried again.
  private func send(
    _ state: inout BatchProgress, _ client: HTTPClient, _ metadata: RequestMetadata?
  ) async -> RemoteWriteFailure? {
    let rows = state.takeRows()
    let message = state.message
    var failure: RemoteWriteFailure?
    if rows.count == 1, let row = rows.first {
      failure = state.add(await send(row, message, client, metadata))
    } else {
      await withTaskGroup(of: RowResult.self) { group in
        for row in rows { group.addTask { await self.send(row, message, client, metadata) } }
        for await result in group {
          if let other = state.add(result) { failure = failure?.worse(other) ?? other }
        }
      }
    }
    return failure
  }

  /// Sends the requests of a row one after the other, until one has to be tried again.
  private func send(
    _ row: [RemoteWritePart], _ message: RemoteWriteMessage, _ client: HTTPClient,
    _ metadata: RequestMetadata?
  ) async -> RowResult {
    var result = RowResult()
    for (position, part) in row.enumerated() {
      let verdict: RemoteWriteVerdict
      do {
        let reply = try await client.post(
          url: config.client.endpoint, contentType: message.contentType, body: part.body,
          headers: headers(message, metadata), origin: metadata?.entries ?? [:])
        verdict = replies.verdict(on: reply, of: part, message)
      } catch {
        verdict = replies.verdict(on: error)
      }
      switch verdict {
      case .answered(let rejection):
        result.add(part, rejection)
      case .unknownMessage:
        result.isMessageUnknown = true
        result.rest = Array(row[position...])
        return result
      case .failed(let failure):
        result.failure = failure
        result.rest = Array(row[position...])
        return result
      }
    }
    return result
  }

  private func headers(
    _ message: RemoteWriteMessage, _ metadata: RequestMetadata?
  ) -> [(name: String, value: String)] {
    var headers = [
      (name: "content-encoding", value: "snappy"),
      (name: "x-prometheus-remote-write-version", value: message.version),
    ]
    for key in config.includeMetadataKeys {
      let key = key.lowercased()
      for value in metadata?.entries[key] ?? [] { headers.append((name: key, value: value)) }
    }
    return headers
  }
}

extension RemoteWriteMessage {
  /// As both versions of the specification ask for it.
  fileprivate var contentType: String {
    switch self {
    case .writeRequest: "application/x-protobuf"
    case .request: "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    }
  }

  fileprivate var version: String {
    switch self {
    case .writeRequest: "0.1.0"
    case .request: "2.0.0"
    }
  }
}
