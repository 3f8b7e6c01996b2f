internal import ConfigSchema
internal import NativeCodecs

/// Reads the lines at the start of files that describe their records.
///
/// One reader serves all files of a receiver, one after the other, each from its beginning.
///
/// - Important: one user at a time.
package final class HeaderReader {
  private let pattern: Pattern?
  private let graph: OperatorGraph
  private let framing: LineFraming
  private var decoder: LineDecoder
  private var entry = LogEntry()

  /// - Parameters:
  ///   - config: settings that were found right.
  ///   - content: how the records after the header are cut; the header always consists of lines.
  package init(_ config: HeaderConfig, content: LineFraming, _ context: OperatorContext) {
    pattern = config.pattern?.pattern
    graph = OperatorGraph(config.metadataOperators, context)
    framing = LineFraming(
      encoding: content.encoding, limit: content.limit, oversize: content.oversize, trimsLeading: false,
      trimsTrailing: false, flushPeriod: 0)
    decoder = LineDecoder(content.encoding)
  }

  /// Is told what an operator could not do.
  package var onFailure: (_ id: String, _ error: LogOperatorError) -> Void {
    get { graph.onFailure }
    set { graph.onFailure = newValue }
  }

  /// A framer for the start of a file.
  package func makeFramer() -> LineFramer { LineFramer(framing) }

  /// Reads lines of the header from a buffer, and puts what they say into the attributes of an entry.
  ///
  /// - Parameters:
  ///   - framer: of ``makeFramer()``, one for each file.
  ///   - cursor: as of ``LineFramer/next(in:at:_:)``. When the header ends it is at the first record.
  ///   - attributes: an entry; a later line replaces what an earlier one said.
  /// - Returns: the offset in the stream where the records begin; nil when more bytes are needed to tell.
  package func read(
    _ buffer: Span<UInt8>, at cursor: inout Int, _ input: LineFramer.Input, framer: inout LineFramer,
    into attributes: inout LogEntry
  ) -> UInt64? {
    while true {
      let before = cursor
      guard let line = framer.next(in: buffer, at: &cursor, input) else { return nil }
      let text = buffer.extracting(line.text)
      let form = decoder.decode(text)
      let matches =
        form == .converted
        ? pattern?.matches(decoder.converted.span) ?? false : pattern?.matches(text) ?? false
      guard matches else {
        cursor = before
        return line.start
      }
      entry.reset()
      let range = form == .converted ? entry.add(decoder.converted.span) : entry.add(text)
      entry.body = form == .bytes ? .bytes(range) : .string(range)
      graph.process(&entry) { result in
        result.forEach(in: .attributes) { key, value in
          let copy = attributes.copy(value, from: result)
          attributes.set(attributes.add(result.text(key)), to: copy, in: .attributes)
        }
      }
    }
  }
}
