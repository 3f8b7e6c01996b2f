import Glibc
import NativeCodecs
import Synchronization
import Testing

/// Lookups against a DNS server of the test's own, over UDP.
@Suite(.serialized, .timeLimit(.minutes(2))) struct DNSLookupTests {
  /// Answers every question with the same records.
  private final class Server: Sendable {
    let port: Int
    private let descriptor: Int32
    private let questions = Mutex<[[UInt8]]>([])

    /// - Parameter answer: makes the answer from the question.
    init(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]?) throws {
      descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let descriptor = descriptor
      let bound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
        }
      }
      try #require(bound)
      port = Int(UInt16(bigEndian: address.sin_port))
      let thread = Thread(
        descriptor: descriptor, answer: answer,
        keep: { question in
          self.questions.withLock { $0.append(question) }
        })
      thread.start()
    }

    var server: DNSLookup.Server { DNSLookup.Server(address: "127.0.0.1", port: port) }
    var questionCount: Int { questions.withLock { $0.count } }

    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }
  }

  private struct Thread: Sendable {
    let descriptor: Int32
    let answer: @Sendable ([UInt8]) -> [UInt8]?
    let keep: @Sendable ([UInt8]) -> Void

    func start() {
      var thread = pthread_t()
      let box = Unmanaged.passRetained(Box(self))
      pthread_create(
        &thread, nil,
        { pointer in
          if let pointer { Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().thread.serve() }
          return nil
        }, box.toOpaque())
      pthread_detach(thread)
    }

    final class Box: Sendable {
      let thread: Thread
      init(_ thread: Thread) { self.thread = thread }
    }

    func serve() {
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &peer) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            recvfrom(descriptor, &buffer, buffer.count, 0, pointer, &length)
          }
        }
        guard count > 0 else { break }
        let question = Array(buffer.prefix(count))
        keep(question)
        guard let reply = answer(question) else { continue }
        _ = withUnsafePointer(to: &peer) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            sendto(descriptor, reply, reply.count, 0, pointer, length)
          }
        }
      }
      close(descriptor)
    }
  }

  /// An answer to a question: its header and question again, then the records.
  private static func reply(_ question: [UInt8], code: UInt8 = 0, _ records: [[UInt8]]) -> [UInt8] {
    var end = 12
    while end < question.count, question[end] != 0 { end += Int(question[end]) + 1 }
    end += 5
    var bytes = Array(question.prefix(end))
    bytes[2] = 0x81
    bytes[3] = 0x80 | code
    bytes[6] = 0
    bytes[7] = UInt8(records.count)
    bytes[10] = 0
    bytes[11] = 0
    return bytes + records.flatMap { $0 }
  }

  /// A record whose name points to the question's.
  private static func record(_ type: UInt8, _ data: [UInt8]) -> [UInt8] {
    [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, UInt8(data.count >> 8), UInt8(data.count & 255)] + data
  }

  private static func name(_ parts: String...) -> [UInt8] {
    parts.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
  }

  private func records(
    _ kind: DNSLookup.Kind, _ answer: @escaping @Sendable ([UInt8]) -> [UInt8]?
  ) throws -> [DNSLookup.Record] {
    let server = try Server(answer)
    defer { server.stop() }
    defer { #expect(server.questionCount > 0) }
    return try DNSLookup.records(of: "app.example.", kind, server: server.server)
  }

  @Test func `addresses are read in their order, and aliases passed over`() throws {
    let found = try records(.a) { question in
      Self.reply(
        question,
        [
          Self.record(5, Self.name("other") + [0xc0, 16]), Self.record(1, [10, 0, 0, 2]),
          Self.record(1, [10, 0, 0, 1]),
        ])
    }
    #expect(found == [.address([10, 0, 0, 2]), .address([10, 0, 0, 1])])
    let six = [UInt8](repeating: 0, count: 15) + [1]
    #expect(try records(.aaaa) { Self.reply($0, [Self.record(28, six)]) } == [.address(six)])
  }

  @Test func `services have a target and a port`() throws {
    let found = try records(.srv) { question in
      Self.reply(
        question,
        [
          Self.record(33, [0, 1, 0, 2, 0x1f, 0x90] + Self.name("one", "example") + [0]),
          Self.record(33, [0, 1, 0, 2, 0, 80] + Self.name("two") + [0xc0, 12]),
        ])
    }
    #expect(
      found == [.service(target: "one.example", port: 8080), .service(target: "two.app.example", port: 80)])
  }

  @Test func `mail and name servers are names`() throws {
    #expect(
      try records(.mx) { Self.reply($0, [Self.record(15, [0, 10] + Self.name("mx") + [0xc0, 12])]) }
        == [.name("mx.app.example")])
    #expect(
      try records(.ns) { Self.reply($0, [Self.record(2, Self.name("ns", "x") + [0])]) } == [.name("ns.x")])
  }

  @Test func `a name that does not exist has no records`() throws {
    #expect(try records(.a) { Self.reply($0, code: 3, []) } == [])
    #expect(try records(.a) { Self.reply($0, []) } == [])
  }

  @Test func `a server that fails or is silent is an error`() {
    #expect(throws: DNSLookup.Failure.self) { try records(.a) { Self.reply($0, code: 2, []) } }
    #expect(throws: DNSLookup.Failure.self) { try records(.a) { Self.reply($0, code: 5, []) } }
    #expect(throws: DNSLookup.Failure.self) { try records(.a) { _ in nil } }
  }

  @Test(arguments: [
    // An address of three bytes, a length beyond the end, a pointer to itself, one forward, a name that does not end.
    (DNSLookup.Kind.a, record(1, [1, 2, 3])), (.a, [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 99, 1, 2]),
    (.ns, record(2, [0xc0, 41])), (.ns, record(2, [0xc0, 99])), (.ns, record(2, [63, 1])),
    (.mx, record(15, [0])),
    (.srv, record(33, [0, 1, 0])), (.a, [0xc0]), (.ns, record(2, [0x80, 0])),
  ])
  func `a malformed answer is an error`(kind: DNSLookup.Kind, record: [UInt8]) {
    #expect(throws: DNSLookup.Failure.self) { try records(kind) { Self.reply($0, [record]) } }
  }
}
