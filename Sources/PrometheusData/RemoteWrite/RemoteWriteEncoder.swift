package import NativeCodecs
package import TelemetryData

/// The messages of the remote-write protocol.
package enum RemoteWriteMessage: String, Sendable, CaseIterable {
  /// Remote Write 1.0.
  case writeRequest = "prometheus.WriteRequest"
  /// Remote Write 2.0, with a table of strings.
  case request = "io.prometheus.write.v2.Request"
}

/// How a batch is cut into requests.
package struct RemoteWriteLimits: Sendable {
  /// The size of a request before compression, in bytes; a data point alone may exceed it.
  package var maxBytes: Int
  /// Requests that may be under way at the same time: each series is always in the same of so many rows of requests.
  package var parallelism: Int

  package init(maxBytes: Int = 3_000_000, parallelism: Int = 1) {
    self.maxBytes = maxBytes
    self.parallelism = parallelism
  }
}

/// One request to be.
package struct RemoteWritePart: Sendable {
  /// The message, compressed with snappy's block format.
  package var body: [UInt8]
  package var counts = RemoteWritePartCounts()
}

/// What is in a request.
package struct RemoteWritePartCounts: Sendable, Hashable {
  /// Data points of the batch, all of whose series are in it.
  package var points = 0
  package var samples = 0
  package var histograms = 0
  package var exemplars = 0

  package init() {}

  /// Whether there is no sample or histogram.
  package var isEmpty: Bool { samples == 0 && histograms == 0 }
}

/// The requests that stand for a batch.
package struct RemoteWriteRequests: Sendable {
  /// Rows of requests: those of a row follow each other in time, rows may go side by side.
  package var rows: [[RemoteWritePart]] = []
  /// Data points that are in none of them.
  package var drops = SeriesDrops()
}

/// Makes remote-write requests of batches of OTLP metrics.
///
/// Source: Prometheus Remote-Write 1.0 and 2.0 specifications. Keeps its buffers between batches. The order of a series'
/// samples is that of the batch: they are all in one row.
package struct RemoteWriteEncoder: ~Copyable {
  private var walker: SeriesWalker
  /// Only that of the message is used.
  private var first: RemoteWriteSink<RemoteWriteV1Encoding>
  private var second: RemoteWriteSink<RemoteWriteV2Encoding>
  private let message: RemoteWriteMessage
  private let limits: RemoteWriteLimits

  /// - Parameter sendsMetadata: whether types, helps and units of metrics are sent too, each once until
  ///   ``forgetMetadata()``; Remote Write 2.0 has them at every series anyway.
  package init(
    _ message: RemoteWriteMessage, _ settings: TranslationSettings, limits: RemoteWriteLimits = .init(),
    sendsMetadata: Bool = false
  ) {
    walker = SeriesWalker(settings)
    self.limits = limits
    self.message = message
    first = RemoteWriteSink(maxBytes: limits.maxBytes, sendsMetadata: sendsMetadata)
    second = RemoteWriteSink(maxBytes: limits.maxBytes, sendsMetadata: false)
  }

  /// Makes the requests for a batch.
  ///
  /// - Throws: a `CodecError` when snappy has no memory.
  package mutating func encode(_ batch: Batch) throws(CodecError) -> RemoteWriteRequests {
    // A request holds about as many bytes as the batch, or twice as many: labels of resources are at each series.
    let rows = min(max(1, limits.parallelism), 1 + batch.byteCount / max(1, limits.maxBytes / 2))
    var requests = RemoteWriteRequests()
    switch message {
    case .writeRequest:
      first.start(rows: rows)
      walker.walk(batch, into: &first)
      requests.rows = try first.finish().get()
    case .request:
      second.start(rows: rows)
      walker.walk(batch, into: &second)
      requests.rows = try second.finish().get()
    }
    requests.drops = walker.drops
    return requests
  }

  /// Sends metadata anew that was sent before.
  package mutating func forgetMetadata() { first.forgetMetadata() }
}
