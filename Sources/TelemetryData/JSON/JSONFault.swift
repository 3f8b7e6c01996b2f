/// Why reading stopped and where: what travels up through the reader, small enough to cost nothing while all
/// goes well.
///
/// ``OTLPJSONError`` is made of it at the end, with the path, the line and the column.
package struct JSONFault: Error {
  package var offset: Int
  package var reason: OTLPJSONError.Reason

  @inlinable
  @inline(__always)
  package init(_ reason: OTLPJSONError.Reason, at offset: Int) {
    self.offset = offset
    self.reason = reason
  }
}
