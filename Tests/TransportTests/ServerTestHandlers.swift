import Glibc
import Logging
import Synchronization
import Transport

let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Answers by path: `/echo` at once, `/later` from another thread, `/hold` when told to, `/drop` never.
final class ServerTestHTTPHandler: HTTPRequestHandler {
  let held = Mutex<[HTTPResponder]>([])
  let seen = Mutex<[ServerRequest]>([])

  func admit(method: String, path: String, contentType: String?) -> HTTPAnswer? {
    if path == "/missing" { return .text(404, "no such path") }
    if method == "OPTIONS" { return HTTPAnswer(status: 405, headers: [("Allow", "POST")]) }
    return nil
  }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    let request = request
    seen.withLock { $0.append(request) }
    let answer = HTTPAnswer(status: 200, contentType: "application/test", body: request.body)
    switch request.path {
    case "/later":
      onThread {
        usleep(20_000); responder.respond(answer)
      }
    case "/hold": held.withLock { $0.append(responder) }
    case "/drop": break
    case "/twice":
      responder.respond(answer)
      responder.respond(.text(500, "second"))
    case "/injection":
      responder.respond(HTTPAnswer(status: 200, headers: [("X-Good", "1"), ("X-Bad", "a\r\nX-Evil: 1")]))
    default: responder.respond(answer)
    }
  }

  func failure(_ status: Int, _ message: String, contentType: String?) -> HTTPAnswer {
    HTTPAnswer(status: status, contentType: "failure/\(contentType ?? "none")", body: Array(message.utf8))
  }

  func releaseAll() {
    let responders = held.withLock { held in
      defer { held = [] }
      return held
    }
    for responder in responders { responder.respond(.text(200, "released")) }
  }
}

/// Answers by path: `/t.S/Echo` at once, `/t.S/Later` from another thread, `/t.S/Hold` when told to.
final class ServerTestGRPCHandler: GRPCRequestHandler {
  let held = Mutex<[GRPCResponder]>([])
  let seen = Mutex<[GRPCRequest]>([])

  func admits(path: String) -> Bool { path.hasPrefix("/t.S/") }

  func handle(_ request: consuming GRPCRequest, _ responder: GRPCResponder) {
    let request = request
    seen.withLock { $0.append(request) }
    switch request.path {
    case "/t.S/Later":
      onThread {
        usleep(20_000); responder.respond(request.message)
      }
    case "/t.S/Hold": held.withLock { $0.append(responder) }
    case "/t.S/Drop": break
    case "/t.S/Count": responder.respond(Array("\(request.message.count)".utf8))
    case "/t.S/Fail": responder.fail(.resourceExhausted, "größer als 100%\n", details: [8, 8, 18, 1, 0xFF])
    default: responder.respond(request.message)
    }
  }

  func overloadDetails(_ message: String) -> [UInt8]? { [8, 14] }
}

/// Runs something on a thread of its own.
func onThread(_ work: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
  }
  var thread = pthread_t()
  pthread_create(
    &thread, nil,
    { box in
      if let box { Unmanaged<Box>.fromOpaque(box).takeRetainedValue().work() }
      return nil
    }, Unmanaged.passRetained(Box(work)).toOpaque())
  pthread_detach(thread)
}

/// Waits until something is true; false after twenty seconds.
func becomesTrue(_ condition: () -> Bool) -> Bool {
  for _ in 0..<12_000 {
    if condition() { return true }
    usleep(5000)
  }
  return false
}

/// Runs blocking code on a thread of its own, so that tests in parallel do not exhaust Swift's pool.
func offPool(_ work: @escaping @Sendable () throws -> Void) async throws {
  try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
    onThread { continuation.resume(with: Result(catching: work)) }
  }
}
