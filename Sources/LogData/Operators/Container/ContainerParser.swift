internal import WireFormat

/// Parses the lines that container runtimes write, and puts those together that the runtime split: the operator `container`.
///
/// Unlike the Collector it keeps the parts of stdout and stderr of one file apart, and takes docker's newline off the line.
package final class ContainerParser: HoldingLogOperator {
  private let format: ContainerLogFormat
  private let readsPath: Bool
  private let source: FieldPath
  private let dropsSource: Bool
  private let blocks: [any LogOperator]
  private var lines: SplitLines
  /// The path read last, and what it says: most lines are of the same file as the line before.
  private var knownPath: [UInt8] = []
  private var known: KubernetesLogPath?

  package init(
    format: ContainerLogFormat = .detected, readsPath: Bool = true, maxSize: Int = 1 << 20,
    keys: ParserKeys = ParserKeys(), blocks: [any LogOperator] = []
  ) {
    self.format = format
    self.readsPath = readsPath
    source = keys.parseFrom
    dropsSource = keys.dropField
    self.blocks = blocks
    lines = SplitLines(maxSize: maxSize)
  }

  package func process(
    _ entry: inout LogEntry, now: UInt64, emit: (inout LogEntry) -> Void
  ) throws(LogOperatorError) -> LogVerdict {
    let mark = entry.mark
    let line: ContainerLine
    let path: WireRange?
    let place: KubernetesLogPath?
    do throws(LogOperatorError) {
      line = try readLine(&entry)
      path = entry.string(ofAttribute: Self.pathAttribute.span)
      place = readsPath ? try readPlace(path, of: entry) : nil
    } catch {
      entry.rewind(to: mark)
      throw error
    }
    let failure = put(line, place, path, into: &entry)
    if !line.isPartial && lines.isEmpty {
      if let failure { throw failure }
      return .pass
    }
    let key = SplitLines.Key(path: path, stream: line.stream, of: entry)
    switch lines.add(&entry, key: key, isLast: !line.isPartial, failure: failure, now: now, emit: emit) {
    case .held: return .hold
    case .complete(let failure):
      if let failure { throw failure }
      return .pass
    }
  }

  private static let pathAttribute = Array("log.file.path".utf8)

  private func readLine(_ entry: inout LogEntry) throws(LogOperatorError) -> ContainerLine {
    guard let value = entry.value(at: source) else { throw .missing(source) }
    let text = try entry.wellFormedText(of: value)
    let isDocker =
      format == .docker || (format == .detected && !text.isEmpty && entry.arena[text.lowerBound] == 0x7B)
    if isDocker { return try .docker(text, of: &entry) }
    return try .cri(text, of: &entry, withFields: !blocks.isEmpty)
  }

  private func readPlace(
    _ path: WireRange?, of entry: borrowing LogEntry
  ) throws(LogOperatorError) -> KubernetesLogPath {
    guard let path else {
      throw LogOperatorError(
        "there is no attribute \"log.file.path\" to read namespace and pod from: set include_file_path: true at the receiver, or add_metadata_from_filepath: false"
      )
    }
    if let known, entry.text(path).hasSameBytes(as: knownPath.span) { return known }
    guard let place = KubernetesLogPath(entry.text(path)) else {
      throw LogOperatorError(
        "log.file.path does not end in NAMESPACE_POD_UID/CONTAINER/RESTARTS.log, as Kubernetes lays out its logs"
      )
    }
    known = place
    knownPath = Array(entry.arena[path.range])
    return place
  }

  /// Puts what was found into the entry; returns what a block could not do.
  private func put(
    _ line: ContainerLine, _ place: KubernetesLogPath?, _ path: WireRange?, into entry: inout LogEntry
  ) -> LogOperatorError? {
    var failure: LogOperatorError?
    if dropsSource { _ = entry.remove(at: source) }
    if !blocks.isEmpty {
      entry.merge(line.fields, into: .attributes)
      for block in blocks {
        do throws(LogOperatorError) { _ = try block.process(&entry) } catch { failure = failure ?? error }
      }
      for name in Self.fieldNames { _ = entry.remove(name.span, from: .attributes) }
    } else {
      for name in Self.fieldNames { _ = entry.remove(name.span, from: line.fields) }
      entry.merge(line.fields, into: .attributes)
    }
    entry.timestamp = line.time
    entry.body = .string(line.log)
    let keys = entry.add(Self.attributeNames.span).lowerBound
    entry.set(WireRange(keys, keys + 12), to: .string(line.stream), in: .attributes)
    if line.tag.upperBound > 0 {
      entry.set(WireRange(keys + 12, keys + 18), to: .string(line.tag), in: .attributes)
    }
    if let place, let path { place.add(to: &entry, pathAt: path.lowerBound) }
    return failure
  }

  /// What a line is made of; `logtag` stays.
  private static let fieldNames = ["time", "stream", "log"].map { Array($0.utf8) }
  private static let attributeNames = Array("log.iostreamlogtag".utf8)

  // Lines that are held.

  package func expire(now: UInt64, emit: (inout LogEntry) -> Void) { lines.expire(now: now, emit: emit) }
  package func flush(emit: (inout LogEntry) -> Void) { lines.flush(emit: emit) }
  package func oldestHeld(stream: Int) -> UInt64? { lines.oldestHeld(stream: stream) }
  package var nextDue: UInt64? { lines.nextDue }
  package var heldBytes: Int { lines.heldBytes }
}

extension LogEntry {
  /// Where the text of an attribute stands; nil when it is not there or no text.
  fileprivate func string(ofAttribute name: Span<UInt8>) -> WireRange? {
    guard let value = value(of: name, in: .attributes), value.kind == .string else { return nil }
    return value.range
  }
}
