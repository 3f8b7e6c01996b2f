internal import ConfigSchema
internal import NativeCodecs
internal import PrometheusData
internal import Transport

/// Why a target gave nothing to read.
struct ScrapeFailure: Error, Sendable, Hashable {
  /// A short constant for the label of a metric.
  var reason: String
  var text: String
  /// What is reported as the size of the body.
  var bodySize = 0
}

/// Asks targets of a job for their expositions.
struct ScrapeRequest: Sendable {
  /// What is read of a body that no `body_size_limit` bounds.
  static let largestBody = 256 << 20

  private let client: PrometheusClient
  private let accept: String
  private let isCompressed: Bool
  private let limit: Int
  private let hasOwnLimit: Bool
  private let fallback: ExpositionFormat
  private static let decompressors = DecompressorPool()

  init(_ job: ScrapeJob, client: PrometheusClient) {
    self.client = client
    accept = ScrapeProtocol.acceptHeader(for: job.protocols, escaping: job.nameEscaping)
    isCompressed = job.enableCompression
    hasOwnLimit = job.bodySizeLimit > 0
    limit = hasOwnLimit ? job.bodySizeLimit : Self.largestBody
    fallback = job.fallbackProtocol.format
  }

  /// Asks a target.
  /// - Throws: a ``ScrapeFailure``, or `CancellationError`.
  func body(of target: ScrapeTarget) async throws -> (bytes: [UInt8], format: ExpositionFormat) {
    var headers: [(name: String, value: String)] = [
      ("accept", accept),
      ("x-prometheus-scrape-timeout-seconds", Self.seconds(target.timeout)),
    ]
    headers.append(("accept-encoding", isCompressed ? "gzip" : "identity"))
    let reply: HTTPReply
    do {
      reply = try await client.get(
        url: target.url, headers: headers, limit: limit, timeout: target.timeout)
    } catch let error as ConnectionError {
      throw ScrapeFailure(reason: Self.reason(error), text: "\(error)")
    } catch let error as CredentialsError {
      throw ScrapeFailure(reason: "credentials", text: "\(error)")
    } catch let error as CancellationError {
      throw error
    } catch {
      throw ScrapeFailure(reason: "request", text: "\(error)")
    }
    guard reply.status == 200 else {
      throw ScrapeFailure(reason: "status", text: "\(target.url) answered with HTTP status \(reply.status)")
    }
    if reply.isBodyCut { throw tooLarge() }
    let format: ExpositionFormat
    do throws(ContentTypeError) {
      format = try ExpositionFormat(contentType: reply.header("content-type"), fallback: fallback)
    } catch {
      throw ScrapeFailure(reason: "content_type", text: error.reason)
    }
    return (try decompressed(reply), format)
  }

  private func decompressed(_ reply: HTTPReply) throws(ScrapeFailure) -> [UInt8] {
    let name = reply.header("content-encoding") ?? ""
    if name.isEmpty || name.lowercased() == "identity" { return reply.body }
    guard let algorithm = CompressionAlgorithm(contentEncoding: name) else {
      throw ScrapeFailure(
        reason: "encoding", text: "the answer is encoded as \"\(name.prefix(32))\", which nobody asked for")
    }
    do throws(CodecError) {
      return try Self.decompressors.decompress(reply.body.span, algorithm, limit: limit)
    } catch {
      if case .limitExceeded = error { throw tooLarge() }
      throw ScrapeFailure(reason: "encoding", text: "the answer cannot be decompressed: \(error)")
    }
  }

  private func tooLarge() -> ScrapeFailure {
    ScrapeFailure(
      reason: "body_size_limit",
      text: "the answer is larger than \(limit) bytes"
        + (hasOwnLimit ? " (body_size_limit)" : ", the most that is read without a body_size_limit"),
      bodySize: -1)
  }

  private static func reason(_ error: ConnectionError) -> String {
    switch error.kind {
    case .unreachable: "unreachable"
    case .interrupted: "interrupted"
    case .timedOut: "timeout"
    case .malformed: "invalid_answer"
    case .shutDown: "shut_down"
    }
  }

  /// Seconds as Go writes a float: `10`, `0.5`.
  static func seconds(_ duration: Duration) -> String {
    let milliseconds = duration.wholeMilliseconds
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)" : "\(Double(milliseconds) / 1000)"
  }
}

extension Duration {
  /// In milliseconds, rounded down.
  var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}
