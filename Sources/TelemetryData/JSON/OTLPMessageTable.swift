/// One field as the JSON writer and reader see it: flat, trivially copied, everything looked up beforehand.
struct OTLPField {
  var kind: OTLPFieldKind
  var presence: OTLPFieldPresence
  /// The row of the sub-message, or the raw value of the enumeration.
  var detail: UInt8
  /// Where `,"jsonName":` starts in ``OTLPMessageTable/names``, and its length in bytes.
  var labelStart: UInt16
  var labelLength: UInt8
  /// Where the `.proto` name starts in ``OTLPMessageTable/names``, and its length in bytes.
  var protoNameStart: UInt16
  var protoNameLength: UInt8
  /// The tag of the field on the wire; repeated numbers are written packed.
  var tag: UInt32
  /// The wire type of one element.
  var wireType: UInt8
  /// The field's own bit among the fields of its message.
  var bit: UInt32
  /// The bits of the fields that must not stand in the message already: itself and the other members of its
  /// oneof.
  var conflicts: UInt32

  @inline(__always)
  var number: UInt32 { tag &>> 3 }

  /// The bytes of the JSON name between its quotes.
  @inline(__always)
  var nameStart: Int { Int(labelStart) &+ 2 }
  @inline(__always)
  var nameLength: Int { Int(labelLength) &- 4 }
}

/// Every field of every ``OTLPMessage`` in flat arrays, built once from ``OTLPMessage/fields``.
///
/// Both directions of OTLP-JSON interpret this table, so a field added to the declaration is read and
/// written.
struct OTLPMessageTable: Sendable {
  static let shared = OTLPMessageTable()

  /// Field numbers from here on are unknown in every message.
  static let numberLimit: UInt32 = 32
  /// The index that stands for "no such field".
  static let none: UInt8 = .max

  /// The fields, those of one message after the other.
  private(set) var fields: [OTLPField] = []
  /// `message * 32 + field number` → index into ``fields``.
  private(set) var slots: [UInt8]
  /// Message → index of its first field; one more entry than there are messages.
  private(set) var starts: [UInt8] = []
  /// The bytes of all names.
  private(set) var names: [UInt8] = []
  /// Where the texts of ``AttributeText`` start in ``names``.
  private(set) var attributeTexts: [UInt16] = []
  /// Enumeration → its names.
  private(set) var enumerations: [UInt8: (prefix: [UInt8], names: [[UInt8]])] = [:]

  private init() {
    slots = Array(
      repeating: Self.none, count: OTLPMessage.allCases.count * Int(Self.numberLimit))
    for message in OTLPMessage.allCases {
      starts.append(UInt8(fields.count))
      let declarations = message.fields
      var oneof: UInt32 = 0
      for (index, declaration) in declarations.enumerated() where declaration.isOneofMember {
        oneof |= 1 << UInt32(index)
      }
      for (index, declaration) in declarations.enumerated() {
        if let enumeration = declaration.enumeration {
          let (prefix, names) = enumeration.names
          enumerations[enumeration.rawValue] = (Array(prefix.utf8), names.map { Array($0.utf8) })
        }
        slots[Int(message.rawValue) * Int(Self.numberLimit) + Int(declaration.number)] = UInt8(fields.count)
        append(declaration, bit: 1 << UInt32(index), oneof: oneof)
      }
    }
    starts.append(UInt8(fields.count))
    for text in AttributeText.allCases {
      attributeTexts.append(UInt16(names.count))
      names.append(contentsOf: text.text.utf8)
    }
    // Room behind the last label, which is copied in fixed portions.
    names.append(contentsOf: repeatElement(0, count: 32))
  }

  private mutating func append(_ declaration: OTLPFieldDeclaration, bit: UInt32, oneof: UInt32) {
    let label = ",\"\(Self.jsonName(declaration.name))\":"
    let labelStart = names.count
    names.append(contentsOf: label.utf8)
    let protoNameStart = names.count
    names.append(contentsOf: declaration.name.utf8)
    let wireType = declaration.kind.wireType
    let isPacked = declaration.presence == .repeated && wireType != 2
    fields.append(
      OTLPField(
        kind: declaration.kind,
        presence: declaration.presence,
        detail: declaration.message?.rawValue ?? declaration.enumeration?.rawValue ?? 0,
        labelStart: UInt16(labelStart),
        labelLength: UInt8(label.utf8.count),
        protoNameStart: UInt16(protoNameStart),
        protoNameLength: UInt8(declaration.name.utf8.count),
        tag: UInt32(declaration.number) << 3 | UInt32(isPacked ? 2 : wireType),
        wireType: wireType,
        bit: bit,
        conflicts: declaration.isOneofMember ? oneof : bit))
  }

  /// The name in JSON: underscores go, and the letter after each is a capital (protobuf, `json_name`).
  static func jsonName(_ name: String) -> String {
    var result = ""
    var isAfterUnderscore = false
    for character in name {
      if character == "_" {
        isAfterUnderscore = true
      } else {
        result += isAfterUnderscore ? character.uppercased() : String(character)
        isAfterUnderscore = false
      }
    }
    return result
  }
}

extension OTLPFieldKind {
  /// The wire type of one value.
  var wireType: UInt8 {
    switch self {
    case .bool, .int32, .uint32, .sint32, .enumeration, .int64, .uint64: 0
    case .fixed64, .sfixed64, .double: 1
    case .string, .bytes, .traceID, .spanID, .message: 2
    case .fixed32: 5
    }
  }
}
