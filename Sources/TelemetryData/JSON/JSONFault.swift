/// Why reading stopped and where: what travels up through the reader, small enough to cost nothing while all
/// goes well.
///
/// ``OTLPJSONError`` is made of it at the end, with the path, the line and the column.
@_spi(Inside) public struct JSONFault: Error {
  public var offset: Int
  public var reason: OTLPJSONError.Reason

  @inlinable
  @inline(__always)
  public init(_ reason: OTLPJSONError.Reason, at offset: Int) {
    self.offset = offset
    self.reason = reason
  }
}
