internal import NativeCodecs
internal import PipelineKit
internal import PrometheusData
internal import TelemetryData
internal import Transport

/// Answers remote-write requests: bytes to batch to delivery, all on the event loop that read them.
struct RemoteWriteHandler: HTTPRequestHandler {
  static let path = "/api/v1/write"

  private let consumer: any Consumer
  private let bodyLimit: Int
  private let metrics: RemoteWriteReceiverMetrics
  private let readers: [RemoteWriteReader.Message: RemoteWriteReader]

  init(consumer: any Consumer, bodyLimit: Int, metrics: RemoteWriteReceiverMetrics) {
    self.consumer = consumer
    self.bodyLimit = bodyLimit
    self.metrics = metrics
    let metadata = RemoteWriteMetadataCache()
    // Written out, labels take a few times what they take in a request that names them by number.
    let limit = max(64 << 20, bodyLimit * 8)
    readers = Dictionary(
      uniqueKeysWithValues: RemoteWriteReader.Message.allCases.map {
        ($0, RemoteWriteReader($0, metadata: metadata, limit: limit))
      })
  }

  func admit(method: String, path: String, contentType: String?) -> HTTPAnswer? {
    guard path == Self.path else {
      return .text(404, "nothing is served at this path; remote write is served at \(Self.path)")
    }
    guard method == "POST" else {
      var answer = HTTPAnswer.text(405, "the method must be POST")
      answer.headers = [("Allow", "POST")]
      return answer
    }
    guard RemoteWriteReader.Message(contentType: contentType) != nil else {
      return .text(
        415,
        "the content type must be application/x-protobuf, with proto=prometheus.WriteRequest (1.0, also without) "
          + "or proto=io.prometheus.write.v2.Request (2.0)")
    }
    return nil
  }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    guard let message = RemoteWriteReader.Message(contentType: request.contentType),
      let reader = readers[message]
    else { return responder.respond(.text(415, "the content type is not one of remote write")) }
    let reading: RemoteWriteReading
    do {
      reading = try reader.read(try body(of: request))
    } catch {
      metrics.malformed.record(error, signal: .metrics, peer: request.peer)
      if case RemoteWriteReadingError.tooLarge? = error as? RemoteWriteReadingError {
        return responder.respond(.text(413, "\(error)"))
      }
      return responder.respond(.text(400, "\(error)"))
    }
    metrics.record(reading, peer: request.peer)
    let answers = RemoteWriteAnswers(message, reading)
    guard !reading.batch.isEmpty else { return responder.respond(answers.answer(.accepted)) }
    let metadata = request.metadata.isEmpty ? nil : RequestMetadata(request.metadata)
    let handler = RemoteWriteAnswerHandler(responder, answers)
    consumer.offer(Delivery(reading.batch, metadata: metadata, handler: handler))
  }

  /// The decompressed body.
  ///
  /// The server has decompressed what names its encoding. Senders older than 1.0 name none and compress all the same,
  /// which Prometheus accepts.
  private func body(of request: borrowing ServerRequest) throws -> [UInt8] {
    guard request.header("Content-Encoding") == nil, !request.body.isEmpty else { return request.body }
    var body: [UInt8] = []
    try Decompressor(.snappy, limit: bodyLimit).decompress(request.body.span, to: &body)
    return body
  }
}

extension RemoteWriteReader.Message {
  /// The message that a `Content-Type` announces; nil when it is none of remote write.
  init?(contentType: String?) {
    guard let contentType else { return nil }
    let parts = contentType.split(separator: ";").map(Self.trimmed)
    guard let type = parts.first, type.lowercased() == "application/x-protobuf" else { return nil }
    self = .v1
    for part in parts.dropFirst() {
      let pair = part.split(separator: "=", maxSplits: 1).map(Self.trimmed)
      guard pair.count == 2, pair[0].lowercased() == "proto" else { continue }
      switch pair[1].hasPrefix("\"") ? String(pair[1].dropFirst().dropLast()) : pair[1] {
      case "prometheus.WriteRequest": self = .v1
      case "io.prometheus.write.v2.Request": self = .v2
      default: return nil
      }
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let start = text.drop(while: isSpace)
    let end = start.lastIndex { !isSpace($0) }
    return end.map { String(start[...$0]) } ?? ""
  }
}

/// What a sender is told (Remote-Write 2.0, "Responses").
struct RemoteWriteAnswers: Sendable {
  private let message: RemoteWriteReader.Message
  private let written: RemoteWriteCounts
  private let rejectedSeries: Int
  private let firstFault: String

  init(_ message: RemoteWriteReader.Message, _ reading: RemoteWriteReading) {
    self.message = message
    written = reading.written
    rejectedSeries = reading.rejectedSeries
    firstFault = reading.firstFault
  }

  func answer(_ outcome: Outcome) -> HTTPAnswer {
    switch outcome {
    case .accepted:
      if rejectedSeries == 0 { return told(HTTPAnswer(status: 204), written) }
      return told(.text(400, "\(rejectedSeries) series were not taken; \(firstFault)"), written)
    case .partial(let rejected, let message):
      var written = written
      // Which ones they were is not known: histograms count last, since most requests have none.
      let samples = min(rejected, written.samples)
      written.samples -= samples
      written.histograms = max(0, written.histograms - (rejected - samples))
      return told(.text(400, "\(rejected) samples were not taken: \(message)"), written)
    case .refused(let reason, let after):
      var answer = HTTPAnswer.text(503, reason)
      answer.headers = [("Retry-After", Refusal.wholeSeconds(after ?? Refusal.defaultDelay))]
      return answer
    case .rejected(let reason):
      return told(.text(400, reason), RemoteWriteCounts())
    }
  }

  /// An answer that says how much was written, as 2.0 wants it.
  private func told(_ answer: HTTPAnswer, _ written: RemoteWriteCounts) -> HTTPAnswer {
    guard message == .v2 else { return answer }
    var answer = answer
    answer.headers += [
      ("X-Prometheus-Remote-Write-Samples-Written", String(written.samples)),
      ("X-Prometheus-Remote-Write-Histograms-Written", String(written.histograms)),
      ("X-Prometheus-Remote-Write-Exemplars-Written", String(written.exemplars)),
    ]
    return answer
  }
}

/// Answers one request from its batch's outcome.
private final class RemoteWriteAnswerHandler: OutcomeHandler {
  private let responder: HTTPResponder
  private let answers: RemoteWriteAnswers

  init(_ responder: HTTPResponder, _ answers: RemoteWriteAnswers) {
    self.responder = responder
    self.answers = answers
  }

  func resolved(_ outcome: Outcome) { responder.respond(answers.answer(outcome)) }
}
