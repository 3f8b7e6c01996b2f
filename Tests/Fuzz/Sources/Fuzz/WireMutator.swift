/// Changes protobuf messages field by field, so that most results are still well-framed and get past the first check.
///
/// It reads the bytes with a small parser of its own: a defect of ours must not hide itself.
struct WireMutator {
  var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed) }

  /// A field of a message: where it starts, where its value starts (after the length, if it has one), where it ends.
  private struct Field {
    var start: Int
    var value: Int
    var end: Int
    var tag: UInt64

    var isLengthDelimited: Bool { tag & 7 == 2 }
  }

  /// The message after one to four changes, deeper ones more likely.
  mutating func mutate(_ message: [UInt8]) -> [UInt8] {
    var message = message
    for _ in 0...Int.random(in: 0...3, using: &random) { message = change(message, depth: 0) }
    return message
  }

  private mutating func change(_ message: [UInt8], depth: Int) -> [UInt8] {
    guard depth < 200, let fields = Self.fields(of: message), let field = fields.randomElement(using: &random)
    else { return changeBytes(message) }
    if field.isLengthDelimited, Int.random(in: 0..<8, using: &random) != 0 {
      let payload = Array(message[field.value..<field.end])
      if Self.fields(of: payload)?.isEmpty == false || Bool.random(using: &random) {
        let changed = change(payload, depth: depth + 1)
        return Array(message[..<field.start]) + Self.field(field.tag, changed) + Array(message[field.end...])
      }
    }
    return change(field, among: fields, of: message)
  }

  private mutating func change(_ field: Field, among fields: [Field], of message: [UInt8]) -> [UInt8] {
    let (before, after) = (Array(message[..<field.start]), Array(message[field.end...]))
    let bytes = Array(message[field.start..<field.end])
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return before + after
    case 1: return before + after + bytes
    case 2: return bytes + before + after
    default: return before + replacement(for: field, bytes, among: fields, of: message) + after
    }
  }

  private mutating func replacement(
    for field: Field, _ bytes: [UInt8], among fields: [Field], of message: [UInt8]
  ) -> [UInt8] {
    let number = UInt64.random(in: 1...20, using: &random)
    let afterTag = Array(message[(field.start + Self.varint(field.tag).count)..<field.end])
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return bytes + bytes
    case 1:
      let other = fields[Int.random(in: 0..<fields.count, using: &random)]
      return Array(message[other.start..<other.end])
    case 2: return Self.varint(number << 3 | field.tag & 7) + afterTag
    case 3: return Self.varint(field.tag ^ UInt64.random(in: 0..<8, using: &random)) + afterTag
    case 4: return randomField(number: field.tag >> 3)
    case 5: return bytes + randomField(number: number)
    case 6: return bytes + randomField(number: UInt64.random(in: 100...9_000_000, using: &random))
    case 7:
      // A length that is not the length.
      let lengths: [UInt64] = [0, 1, UInt64(field.end - field.value) &+ 1, 0x7FFF_FFFF, .max]
      let length = lengths[Int.random(in: 0..<lengths.count, using: &random)]
      return Self.varint(field.tag) + Self.varint(length) + Array(message[field.value..<field.end])
    case 8:
      // A group, closed or not.
      let end = Bool.random(using: &random) ? Self.varint(number << 3 | 4) : []
      return Self.varint(number << 3 | 3) + bytes + end
    default:
      // Arrays within arrays: AnyValue.array_value.values.
      var value = bytes
      for _ in 0..<Int.random(in: 1...80, using: &random) {
        value = Self.field(0x2A, Self.field(0x0A, value))
      }
      return Self.field(field.tag & ~7 | 2, value)
    }
  }

  private mutating func changeBytes(_ message: [UInt8]) -> [UInt8] {
    var message = message
    if message.isEmpty || Int.random(in: 0..<4, using: &random) == 0 {
      for _ in 0..<Int.random(in: 1...16, using: &random) {
        message.append(UInt8(truncatingIfNeeded: random.next()))
      }
      return message
    }
    let position = Int.random(in: 0..<message.count, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: message[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: message.remove(at: position)
    case 2: message.removeLast(message.count - position)
    default: message[position] = [0, 0x7F, 0x80, 0xC0, 0xED, 0xFF].randomElement(using: &random) ?? 0
    }
    return message
  }

  private mutating func randomField(number: UInt64) -> [UInt8] {
    let numbers: [UInt64] = [0, 1, 127, 128, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 63, .max]
    let value = numbers.randomElement(using: &random) ?? 0
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return Self.varint(number << 3) + Self.varint(value)
    case 1: return Self.varint(number << 3 | 1) + Self.littleEndian(value, count: 8)
    case 2: return Self.varint(number << 3 | 5) + Self.littleEndian(value, count: 4)
    default:
      let texts = [
        "", "a", "http.route", "Grüße 🌍", "\u{0}\"\\\n", String(repeating: "x", count: 300), "NaN",
      ]
      var bytes = Array((texts.randomElement(using: &random) ?? "").utf8)
      let lengths = [8, 16, bytes.count]
      let count = lengths.randomElement(using: &random) ?? 0
      while bytes.count < count { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
      return Self.field(number << 3 | 2, bytes)
    }
  }

  /// The fields of a message, or nil when the bytes are not one.
  private static func fields(of bytes: [UInt8]) -> [Field]? {
    var fields: [Field] = []
    var offset = 0
    while offset < bytes.count {
      let start = offset
      guard let tag = readVarint(bytes, &offset), tag >> 3 != 0 else { return nil }
      var value = offset
      switch tag & 7 {
      case 0: if readVarint(bytes, &offset) == nil { return nil }
      case 1: offset += 8
      case 2:
        guard let length = readVarint(bytes, &offset), length <= UInt64(bytes.count - offset) else {
          return nil
        }
        value = offset
        offset += Int(length)
      case 5: offset += 4
      default: return nil
      }
      if offset > bytes.count { return nil }
      fields.append(Field(start: start, value: value, end: offset, tag: tag))
    }
    return fields
  }

  private static func readVarint(_ bytes: [UInt8], _ offset: inout Int) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      if offset >= bytes.count { return nil }
      let byte = bytes[offset]
      offset += 1
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    return nil
  }

  private static func littleEndian(_ value: UInt64, count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var (value, bytes) = (value, [UInt8]())
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    return bytes + [UInt8(value)]
  }

  private static func field(_ tag: UInt64, _ payload: [UInt8]) -> [UInt8] {
    varint(tag) + varint(UInt64(payload.count)) + payload
  }
}
