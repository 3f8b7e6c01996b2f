internal import WireFormat

/// A message that is not of the format it was sent as, with the place where reading stopped.
package struct TraceFormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  package enum Reason: Hashable, Sendable {
    /// The bytes end within a value.
    case truncated
    /// A length or a number of elements that the bytes left cannot hold.
    case lengthBeyondEnd
    /// A number of more than 64 bits.
    case varintTooLong
    /// A type that Thrift does not have.
    case unknownType(UInt8)
    /// Structures are nested too deeply.
    case tooDeep
    /// A field that every message of its kind must have.
    case missingField(String)
    /// Not the beginning of a Thrift message.
    case notAMessage
    /// A Thrift call of another method than `emitBatch`.
    case unknownMethod(String)
    /// More than can be carried.
    case tooLarge
    /// A datagram of more bytes than may be.
    case tooLong(Int)
    /// A protobuf message that cannot be read.
    case protobuf(String)
    /// A JSON text that cannot be read.
    case json(String)
  }

  package var reason: Reason
  /// Bytes from the start of the message.
  package var offset: Int

  init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// A datagram of more than so many bytes.
  package static func tooLong(_ limit: Int) -> TraceFormatError {
    TraceFormatError(.tooLong(limit), at: limit)
  }

  init(_ error: WireError) { self.init(.protobuf("\(error)"), at: error.offset) }

  package var description: String {
    switch reason {
    case .truncated: "byte \(offset): the message ends within a value"
    case .lengthBeyondEnd: "byte \(offset): a length points beyond the end of the message"
    case .varintTooLong: "byte \(offset): a number has more than 64 bits"
    case .unknownType(let type): "byte \(offset): \(type) is not a type of Thrift"
    case .tooDeep: "byte \(offset): structures are nested too deeply"
    case .missingField(let name): "byte \(offset): the required field \(name) is missing"
    case .notAMessage: "byte \(offset): this is not the beginning of a Thrift message of this protocol"
    case .unknownMethod(let name): "the method \"\(name)\" is not known, only emitBatch"
    case .tooLarge: "the message holds more than can be carried"
    case .tooLong(let limit): "the datagram has more than the \(limit) bytes of max_packet_size"
    case .protobuf(let text): text
    case .json(let text): text
    }
  }
}
