internal import CResolver

/// Asks DNS for records through the C library, and reads the answers.
///
/// - Important: Blocks for as long as the resolver takes, several seconds where a server is silent: never call it on an
///   event loop or the cooperative pool.
package enum DNSLookup {
  /// The kinds of record that can be asked for.
  package enum Kind: Int32, Sendable, CaseIterable {
    case a = 1
    case ns = 2
    case mx = 15
    case aaaa = 28
    case srv = 33
  }

  /// A record of an answer.
  package enum Record: Sendable, Hashable {
    /// Of A and AAAA records: four or sixteen bytes.
    case address([UInt8])
    /// Of NS and MX records: a name without the dot at its end.
    case name(String)
    case service(target: String, port: UInt16)
  }

  /// Why there is no answer.
  package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
    /// A clause without a full stop.
    package let reason: String
    package var description: String { reason }
  }

  /// A server to ask in place of those of the system, for tests: an IPv4 address and a port.
  package struct Server: Sendable, Hashable {
    package let address: String
    package let port: Int
    package init(address: String, port: Int) {
      self.address = address
      self.port = port
    }
  }

  private static let largestAnswer = 65_535

  /// The records of a name, in the order of the answer; none for a name that does not exist or has no such record.
  package static func records(
    of name: String, _ kind: Kind, server: Server? = nil
  ) throws(Failure) -> [Record] {
    var answer = [UInt8](repeating: 0, count: largestAnswer)
    let length = ask(name, kind, server, &answer)
    guard length >= 0 else {
      switch -length {
      // HOST_NOT_FOUND and NO_DATA.
      case 1, 4: return []
      case 2: throw Failure(reason: "no DNS server answers for \(name)")
      default: throw Failure(reason: "the DNS servers refuse to answer for \(name)")
      }
    }
    return try DNSMessage(bytes: Array(answer.prefix(Int(length)))).records(kind)
  }

  private static func ask(_ name: String, _ kind: Kind, _ server: Server?, _ answer: inout [UInt8]) -> Int32 {
    let size = Int32(answer.count)
    guard let server else { return unsafe millrace_dns_query(name, kind.rawValue, nil, 0, &answer, size) }
    return unsafe millrace_dns_query(
      name, kind.rawValue, server.address, Int32(clamping: server.port), &answer, size)
  }
}

/// An answer of a DNS server (RFC 1035, §4).
struct DNSMessage {
  let bytes: [UInt8]

  private static let malformed = DNSLookup.Failure(reason: "a DNS server's answer is malformed")

  /// The records of a kind among the answers; others, such as the aliases on the way, are passed over.
  func records(_ kind: DNSLookup.Kind) throws(DNSLookup.Failure) -> [DNSLookup.Record] {
    let questions = try number(at: 4)
    let answers = try number(at: 6)
    var position = 12
    for _ in 0..<questions { position = try name(at: position).end + 4 }
    var records: [DNSLookup.Record] = []
    for _ in 0..<answers {
      let start = try name(at: position).end
      let type = try number(at: start)
      let length = try number(at: start + 8)
      let data = start + 10
      position = data + length
      guard position <= bytes.count else { throw Self.malformed }
      guard type == Int(kind.rawValue) else { continue }
      records.append(try record(kind, at: data, length: length))
    }
    return records
  }

  private func record(
    _ kind: DNSLookup.Kind, at data: Int, length: Int
  ) throws(DNSLookup.Failure) -> DNSLookup.Record {
    switch kind {
    case .a, .aaaa:
      guard length == (kind == .a ? 4 : 16) else { throw Self.malformed }
      return .address(Array(bytes[data..<(data + length)]))
    case .ns: return .name(try name(at: data).text)
    case .mx: return .name(try name(at: data + 2).text)
    case .srv: return .service(target: try name(at: data + 6).text, port: UInt16(try number(at: data + 4)))
    }
  }

  private func number(at position: Int) throws(DNSLookup.Failure) -> Int {
    guard position + 2 <= bytes.count else { throw Self.malformed }
    return Int(bytes[position]) << 8 | Int(bytes[position + 1])
  }

  /// A name with its pointers followed (§4.1.4), and where it ends. Pointers lead back only, so that no loop is endless.
  private func name(at start: Int) throws(DNSLookup.Failure) -> (text: String, end: Int) {
    var parts: [String] = []
    var size = 0
    var position = start
    var end: Int?
    var earliest = start
    while true {
      guard position < bytes.count else { throw Self.malformed }
      let length = Int(bytes[position])
      switch length {
      case 0: return (parts.joined(separator: "."), end ?? position + 1)
      case 1...63:
        guard position + 1 + length <= bytes.count, size + length < 255 else { throw Self.malformed }
        parts.append(String(decoding: bytes[(position + 1)...(position + length)], as: UTF8.self))
        size += length + 1
        position += 1 + length
      case 0xc0...0xff:
        let target = try number(at: position) & 0x3fff
        guard target < earliest else { throw Self.malformed }
        end = end ?? position + 2
        earliest = target
        position = target
      default: throw Self.malformed
      }
    }
  }
}
