/// What a token endpoint answered (RFC 6749, §5).
enum TokenResponse: Equatable {
  /// A token, and how long it lives.
  case token(type: String, value: String, lifetime: Duration?)
  /// Why there is none, in words.
  case failure(String)

  init(_ reply: HTTPReply) {
    let members = FlatJSON.members(reply.body)
    if reply.status == 200, let value = members["access_token"], !value.isEmpty {
      guard HTTPToken.isValue(value) else {
        self = .failure("the token endpoint answered with a token that a header cannot carry")
        return
      }
      // A lifetime beyond a year is as good as any.
      let seconds = members["expires_in"].flatMap { Double($0) }.map { Int(min(max(0, $0), 31_536_000)) }
      let type = members["token_type"] ?? ""
      self = .token(
        type: type.isEmpty || HTTPToken.equal(type, "bearer") || !HTTPToken.isName(type) ? "Bearer" : type,
        value: value, lifetime: seconds.flatMap { $0 > 0 ? .seconds($0) : nil })
      return
    }
    var text = "the token endpoint answered \(reply.status)"
    if let error = members["error"] {
      text += ": \(Self.printable(error))"
      if let description = members["error_description"], !description.isEmpty {
        text += " (\(Self.printable(description)))"
      }
    } else if reply.status == 200 {
      text += ", but without an access_token"
    }
    self = .failure(text)
  }

  private static func printable(_ text: String) -> String {
    String(text.unicodeScalars.prefix(200).map { $0.value < 0x20 ? " " : Character($0) })
  }
}

/// Reads the texts and numbers at the top of a JSON object; what is nested is skipped.
enum FlatJSON {
  /// The members by name, numbers as they are written; empty when this is no JSON object.
  static func members(_ bytes: [UInt8]) -> [String: String] {
    var reader = Reader(bytes: bytes)
    return reader.object() ?? [:]
  }

  private struct Reader {
    let bytes: [UInt8]
    var at = 0

    var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    mutating func skipSpace() {
      while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { at += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
      skipSpace()
      guard next == byte else { return false }
      at += 1
      return true
    }

    mutating func object() -> [String: String]? {
      guard take(UInt8(ascii: "{")) else { return nil }
      var members: [String: String] = [:]
      if take(UInt8(ascii: "}")) { return members }
      repeat {
        skipSpace()
        guard let name = string(), take(UInt8(ascii: ":")) else { return nil }
        skipSpace()
        switch next {
        case UInt8(ascii: "\""):
          guard let value = string() else { return nil }
          members[name] = value
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          guard skipNested() else { return nil }
        default:
          let start = at
          while let byte = next, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"), byte > 0x20 { at += 1 }
          guard at > start else { return nil }
          members[name] = String(decoding: bytes[start..<at], as: UTF8.self)
        }
      } while take(UInt8(ascii: ","))
      return take(UInt8(ascii: "}")) ? members : nil
    }

    mutating func skipNested() -> Bool {
      var depth = 0
      while let byte = next {
        switch byte {
        case UInt8(ascii: "\""):
          guard string() != nil else { return false }
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        at += 1
        if depth == 0 { return true }
      }
      return false
    }

    mutating func string() -> String? {
      guard next == UInt8(ascii: "\"") else { return nil }
      at += 1
      var out: [UInt8] = []
      while let byte = next {
        at += 1
        switch byte {
        case UInt8(ascii: "\""): return String(decoding: out, as: UTF8.self)
        case UInt8(ascii: "\\"):
          guard escape(&out) else { return nil }
        default: out.append(byte)
        }
      }
      return nil
    }

    mutating func escape(_ out: inout [UInt8]) -> Bool {
      guard let byte = next else { return false }
      at += 1
      switch byte {
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      case UInt8(ascii: "u"):
        guard let unit = unit() else { return false }
        var units = [unit]
        if (0xD800..<0xDC00).contains(unit), next == UInt8(ascii: "\\"), at + 1 < bytes.count,
          bytes[at + 1] == UInt8(ascii: "u")
        {
          at += 2
          guard let low = self.unit() else { return false }
          units.append(low)
        }
        out += Array(String(decoding: units, as: UTF16.self).utf8)
      default: out.append(byte)
      }
      return true
    }

    mutating func unit() -> UInt16? {
      guard at + 4 <= bytes.count else { return nil }
      defer { at += 4 }
      return UInt16(String(decoding: bytes[at..<(at + 4)], as: UTF8.self), radix: 16)
    }
  }
}
