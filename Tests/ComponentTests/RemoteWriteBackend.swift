import Logging
import Synchronization
import Transport
import WireFormat

/// A remote-write backend that answers each request as a test says, and keeps what it got.
final class RemoteWriteBackend: HTTPRequestHandler {
  /// A request as it arrived.
  struct Arrival: Sendable {
    let request: ServerRequest
    /// What tells its series apart: the bytes of their labels.
    var series: [String] = []

    var isSecond: Bool { request.header("content-type")?.contains("v2.Request") == true }
  }
  private let answer: @Sendable (Int, Arrival) -> HTTPAnswer
  private let storage = Mutex<[Arrival]>([])

  init(_ answer: @escaping @Sendable (_ number: Int, Arrival) -> HTTPAnswer) { self.answer = answer }

  var arrivals: [Arrival] { storage.withLock { $0 } }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    let kept = request
    // The server has decompressed it.
    let message = kept.body
    var arrival = Arrival(request: kept)
    arrival.series = Self.series(message, isSecond: arrival.isSecond)
    let number = storage.withLock {
      $0.append(arrival)
      return $0.count
    }
    responder.respond(answer(number, arrival))
  }

  /// What tells series apart: all bytes of their labels.
  private static func series(_ message: [UInt8], isSecond: Bool) -> [String] {
    var found: [String] = []
    var cursor = WireCursor(message.span)
    while let field = cursor.nextField() {
      guard field.tag == .lengthDelimited(isSecond ? 5 : 1) else { continue }
      var labels: [String] = []
      var inner = WireCursor(message.span, in: field.value)
      while let field = inner.nextField() {
        if field.tag == .lengthDelimited(1) {
          labels.append(String(decoding: message[field.value.range], as: UTF8.self))
        }
      }
      found.append(labels.joined())
    }
    return found
  }

  /// Serves at a free port while `body` runs, which gets the URL.
  func serve<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let server = HTTPServer(
      config: HTTPServerConfig(endpoint: "127.0.0.1:0"), handler: self, logger: Logger(label: "backend"))
    let address = try await server.start()
    do {
      let value = try await body("http://\(address)/api/v1/write")
      await server.stop()
      return value
    } catch {
      await server.stop()
      throw error
    }
  }
}
