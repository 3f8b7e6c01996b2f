package import TelemetryData
package import WireFormat

/// Reads the bodies of remote-write requests into batches of OTLP metrics.
///
/// Follows the Prometheus Remote-Write 1.0 and 2.0 specifications and OpenTelemetry's compatibility specification for
/// Prometheus. Series of one `job` and `instance` become one resource (`service.namespace`, `service.name`,
/// `service.instance.id`), those with the same `otel_scope_*` labels one scope, and those of one name and type one
/// metric that keeps the series' name. What the sender said of the type stands in the metric's metadata as
/// `prometheus.type`, so that nothing has to be guessed on the way back.
///
/// Classic histograms and summaries stay the single series that they are in Prometheus: a sender spreads them over
/// requests as it likes, so that they can rarely be put together again without losing some. A `target_info` series
/// becomes attributes of its resource when the request has other series of that resource, else it stays a metric.
/// Exemplars belong to a sample in OTLP: those that come in a series of their own join a sample of the same labels in
/// the same request, and are lost (and counted) where there is none.
package struct RemoteWriteReader: Sendable {
  /// The two messages that senders use.
  package enum Message: Sendable, Hashable, CaseIterable {
    /// `prometheus.WriteRequest`, Remote-Write 1.0.
    case v1
    /// `io.prometheus.write.v2.Request`, Remote-Write 2.0.
    case v2
  }

  let message: Message
  let metadata: RemoteWriteMetadataCache
  let limit: Int

  /// - Parameters:
  ///   - metadata: what earlier requests said about metrics; for 1.0, where series do not say their types.
  ///   - limit: bytes of the largest batch. A request can name more than it holds, since labels are written once for
  ///     many samples.
  package init(_ message: Message, metadata: RemoteWriteMetadataCache, limit: Int = 256 << 20) {
    self.message = message
    self.metadata = metadata
    self.limit = min(limit, 1 << 31)
  }

  /// Reads a request; series that are not valid are left out and told about in the result.
  ///
  /// - Parameter body: the request after decompression.
  package func read(_ body: [UInt8]) throws(RemoteWriteReadingError) -> RemoteWriteReading {
    if body.count >= Int(UInt32.max) { throw .malformed(WireError(.tooLarge, at: 0)) }
    var scan = RemoteWriteScan(message: message, metadata: metadata, limit: limit)
    do throws(WireError) {
      try scan.read(body.span)
    } catch {
      throw .malformed(error)
    }
    if scan.needsEmptySymbol { throw .symbols }
    if scan.isOverLimit { throw .tooLarge(limit: limit) }
    scan.placeTargetInfos(body.span)
    let writing = RemoteWriteBatchWriting(message: message, symbols: scan.symbols, capacity: scan.expected)
    let bytes = writing.write(scan, body.span)
    do throws(WireError) {
      let batch = try Batch(bytes: bytes, signal: .metrics, validation: .framing)
      return RemoteWriteReading(
        batch: batch, written: scan.written, rejectedSeries: scan.rejectedSeries,
        firstFault: scan.firstFault, lostExemplars: scan.lostExemplars)
    } catch {
      throw .malformed(error)
    }
  }
}

/// What a remote-write request was found to hold.
package struct RemoteWriteReading: Sendable {
  /// The valid series.
  package var batch: Batch
  /// How much of the request is in ``batch``.
  package var written: RemoteWriteCounts
  /// Series that are not valid, and so are not in ``batch``.
  package var rejectedSeries: Int
  /// What is wrong with the first of them, for the sender to read.
  package var firstFault: String
  /// Exemplars of valid series that belong to no sample of the request.
  package var lostExemplars: Int
}

/// Samples, native histograms and exemplars, as remote write 2.0 counts them.
package struct RemoteWriteCounts: Sendable, Hashable {
  package var samples = 0
  package var histograms = 0
  package var exemplars = 0

  package init(samples: Int = 0, histograms: Int = 0, exemplars: Int = 0) {
    self.samples = samples
    self.histograms = histograms
    self.exemplars = exemplars
  }
}

/// Why nothing of a request can be taken.
package enum RemoteWriteReadingError: Error, Sendable, Hashable, CustomStringConvertible {
  case malformed(WireError)
  /// The symbol table of a 2.0 request does not begin with the empty string.
  case symbols
  /// The series are more than may be held, with their labels written out.
  case tooLarge(limit: Int)

  package var description: String {
    switch self {
    case .malformed(let error): "\(error)"
    case .symbols: "symbols must begin with the empty string"
    case .tooLarge(let limit): "the series take more than \(limit) bytes with their labels written out"
    }
  }
}
