/// Why reading stopped and where: what travels up through the reader, small enough to cost nothing while all
/// goes well.
///
/// ``OTLPJSONError`` is made of it at the end, with the path, the line and the column.
struct JSONFault: Error {
  var offset: Int
  var reason: OTLPJSONError.Reason

  @inline(__always)
  init(_ reason: OTLPJSONError.Reason, at offset: Int) {
    self.offset = offset
    self.reason = reason
  }
}
