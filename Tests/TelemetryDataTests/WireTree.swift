import SeededRandom
import TelemetryData

/// An independent, slow decoder of requests into trees of fields, which tests disturb and encode again.
struct WireTree {
  indirect enum Value: Hashable {
    case varint(UInt64)
    case fixed([UInt8], type: UInt64)
    case bytes([UInt8])
    case message(WireTree)
  }

  struct Field: Hashable {
    var number: UInt64
    var value: Value
  }

  /// The messages of OTLP, by the numbers of the fields that hold messages.
  indirect enum Kind {
    case leaf, keyValue, anyValue, array, keyValueList
    case node([UInt64: Kind])

    var children: [UInt64: Kind] {
      switch self {
      case .leaf: [:]
      case .keyValue: [2: .anyValue]
      case .anyValue: [5: .array, 6: .keyValueList]
      case .array: [1: .anyValue]
      case .keyValueList: [1: .keyValue]
      case .node(let children): children
      }
    }

    static func request(_ signal: Signal) -> Kind {
      let exemplar = Kind.node([7: .keyValue])
      let number = Kind.node([1: .node([5: exemplar, 7: .keyValue])])
      let item: Kind =
        switch signal {
        case .traces: .node([9: .keyValue, 11: .node([3: .keyValue]), 13: .node([4: .keyValue]), 15: .leaf])
        case .logs: .node([5: .anyValue, 6: .keyValue])
        case .metrics:
          .node([
            5: number, 7: number, 9: .node([1: .node([8: exemplar, 9: .keyValue])]),
            10: .node([1: .node([1: .keyValue, 8: .leaf, 9: .leaf, 11: exemplar])]),
            11: .node([1: .node([6: .leaf, 7: .keyValue])]), 12: .keyValue,
          ])
        }
      let scope = Kind.node([1: .node([3: .keyValue]), 2: item])
      return .node([1: .node([1: .node([1: .keyValue, 3: .leaf]), 2: scope])])
    }
  }

  struct Malformed: Error {}

  var fields: [Field] = []

  init(_ bytes: [UInt8], as kind: Kind) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let tag = try Self.varint(&rest)
      let number = tag >> 3
      switch tag & 7 {
      case 0: fields.append(Field(number: number, value: .varint(try Self.varint(&rest))))
      case 1: fields.append(Field(number: number, value: .fixed(try Self.take(8, &rest), type: 1)))
      case 5: fields.append(Field(number: number, value: .fixed(try Self.take(4, &rest), type: 5)))
      case 2:
        let length = try Self.varint(&rest)
        let content = try Self.take(Int(length), &rest)
        if let child = kind.children[number] {
          fields.append(Field(number: number, value: .message(try WireTree(content, as: child))))
        } else {
          fields.append(Field(number: number, value: .bytes(content)))
        }
      default: throw Malformed()
      }
    }
  }

  static func varint(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = rest.popFirst() {
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw Malformed()
  }

  static func take(_ count: Int, _ rest: inout ArraySlice<UInt8>) throws -> [UInt8] {
    if rest.count < count { throw Malformed() }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  static func encode(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + encode(value >> 7)
  }

  static func lengthDelimited(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
    encode(number << 3 | 2) + encode(UInt64(content.count)) + content
  }

  func encoded() -> [UInt8] {
    fields.flatMap { field -> [UInt8] in
      switch field.value {
      case .varint(let value): Self.encode(field.number << 3) + Self.encode(value)
      case .fixed(let bytes, let type): Self.encode(field.number << 3 | type) + bytes
      case .bytes(let bytes): Self.lengthDelimited(field.number, bytes)
      case .message(let tree): Self.lengthDelimited(field.number, tree.encoded())
      }
    }
  }

  /// The number of an unknown field that ``disturb(_:)`` puts in.
  static let unknown: UInt64 = 5000

  /// Shuffles fields of different numbers and puts unknown fields between them, at every level.
  mutating func disturb(_ generator: inout SeededGenerator) {
    for index in fields.indices {
      if case .message(var tree) = fields[index].value {
        tree.disturb(&generator)
        fields[index].value = .message(tree)
      }
    }
    var order = Array(fields.indices)
    order.shuffle(using: &generator)
    // Fields of one number keep their order among themselves.
    var queues: [UInt64: [Field]] = [:]
    for field in fields { queues[field.number, default: []].append(field) }
    fields = order.map { index in
      let number = fields[index].number
      return queues[number]?.removeFirst() ?? fields[index]
    }
    for _ in 0..<generator.below(3) {
      let value: Value =
        switch generator.below(4) {
        case 0: .varint(generator.next())
        case 1: .fixed(generator.bytes(8), type: 1)
        case 2: .fixed(generator.bytes(4), type: 5)
        default: .bytes(generator.bytes(generator.below(300)))
        }
      fields.insert(Field(number: Self.unknown, value: value), at: generator.below(fields.count + 1))
    }
  }

  /// The unknown fields of all levels.
  var unknownFields: [Field] {
    fields.flatMap { field -> [Field] in
      if field.number == Self.unknown { return [field] }
      if case .message(let tree) = field.value { return tree.unknownFields }
      return []
    }
  }
}

extension WireTree: Hashable {}
