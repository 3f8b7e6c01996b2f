/// A protobuf message that cannot be read, with the place where reading stopped.
///
/// The offset counts bytes from the start of the buffer the cursor was made over, not from the start of the
/// nested message, so that it can be shown beside a hex dump of what arrived.
public struct WireError: Error, Hashable, Sendable {
  /// What is wrong with the bytes.
  public enum Reason: UInt8, Hashable, Sendable {
    /// The bytes end inside a tag, a number or a group.
    case truncated
    /// A varint goes on after its tenth byte, or holds more than 64 bits.
    case varintTooLong
    /// The tag has wire type 6 or 7, which protobuf never assigned.
    case badWireType
    /// The tag has field number 0 or one above 2^29 - 1.
    case badFieldNumber
    /// A length points beyond the end of the enclosing message.
    case lengthBeyondEnd
    /// Messages or groups are nested deeper than the reader allows.
    case tooDeep
    /// A string field holds bytes that are not UTF-8.
    case invalidUTF8
    /// A known field has a wire type other than the one its schema gives.
    case wrongWireType
    /// An end-group tag has no matching start-group tag.
    case unbalancedGroup
    /// A field of fixed length holds another number of bytes.
    case wrongLength
    /// The message is larger than the 4 GiB that 32-bit offsets address.
    case tooLarge
  }

  /// The byte at which reading stopped, counted from the start of the buffer.
  public var offset: Int
  /// What is wrong there.
  public var reason: Reason

  @inlinable
  public init(_ reason: Reason, at offset: Int) {
    self.offset = offset
    self.reason = reason
  }
}

extension WireError: CustomStringConvertible {
  public var description: String { "malformed protobuf at byte \(offset): \(reason.explanation)" }
}

extension WireError.Reason {
  /// The reason in words, for logs and answers to clients.
  public var explanation: String {
    switch self {
    case .truncated: "the message ends in the middle of a field"
    case .varintTooLong: "a variable-length number does not fit into 64 bits"
    case .badWireType: "the tag has an unknown wire type"
    case .badFieldNumber: "the tag has an invalid field number"
    case .lengthBeyondEnd: "a length points beyond the end of its message"
    case .tooDeep: "messages are nested too deeply"
    case .invalidUTF8: "a string field is not valid UTF-8"
    case .wrongWireType: "a known field has the wrong wire type"
    case .unbalancedGroup: "an end-group tag has no matching start"
    case .wrongLength: "a field of fixed length has the wrong length"
    case .tooLarge: "the message is larger than 4 GiB"
    }
  }
}
