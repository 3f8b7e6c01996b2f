/// One record found in a stream: where its text lies in the buffer, and where the record lies in the stream.
package struct FramedLine: Sendable, Hashable {
  /// The text in the buffer: without its terminator, and without the white space that is trimmed. May be empty: the
  /// Collector counts such a record and does not emit it.
  package let text: Range<Int>
  /// Bytes from the start of the stream to the first byte of the record.
  package let start: UInt64
  /// Bytes from the start of the stream to the first byte behind the record, its terminator included: where reading
  /// goes on when everything up to this record is done.
  package let end: UInt64
  /// Whether the record was too long and was cut; what follows it up to the record's real end is passed over, so that
  /// a reader which goes on at ``end`` must do so with ``LineFramer/init(_:offset:isSkipping:)``.
  package let isTruncated: Bool

  package init(text: Range<Int>, start: UInt64, end: UInt64, isTruncated: Bool = false) {
    self.text = text
    self.start = start
    self.end = end
    self.isTruncated = isTruncated
  }
}
