public import WireFormat

/// How much of a received message is checked before it becomes a ``Batch``.
public enum BatchValidation: Sendable, Hashable {
  /// Resources, scopes and items (for metrics also data points) lie within each other; what is inside of
  /// items is not looked at, and views of malformed items end early.
  case framing
  /// Also every known field within: wire types, lengths, UTF-8 of strings, id lengths and the depth of
  /// values.
  case structure
}

/// Telemetry in flight: the bytes of an OTLP export request and an index of its resources, scopes and items.
///
/// The bytes are the protobuf encoding of `ExportTraceServiceRequest`, `ExportMetricsServiceRequest` or
/// `ExportLogsServiceRequest` (OTLP 1.x), exactly as received or built; they are shared by reference and
/// never change. Nothing is decoded into objects: views read fields where they stand, and edits make a new
/// batch.
///
/// An *item* of the index is a span, a metric or a log record. ``itemCount`` counts what the Collector
/// counts: spans, log records, and for metrics their data points.
public struct Batch: Sendable {
  public let signal: Signal
  /// The export request.
  public let bytes: [UInt8]
  /// Where resources, scopes and items stand.
  public let index: BatchIndex

  /// An empty batch.
  public init(signal: Signal) {
    self.signal = signal
    bytes = []
    index = BatchIndex(resources: [], scopes: [], items: [], pointEnds: [])
  }

  /// A batch over the body of an export request.
  ///
  /// - Throws: A ``WireError`` with the offset of the first malformed byte; nothing after this meets
  ///   malformed bytes.
  public init(bytes: [UInt8], signal: Signal, validation: BatchValidation = .structure) throws(WireError) {
    if bytes.count >= Int(UInt32.max) { throw WireError(.tooLarge, at: 0) }
    self.index = try BatchIndex(of: bytes.span, signal: signal)
    if validation == .structure { try StructureCheck.check(bytes.span, signal: signal) }
    self.signal = signal
    self.bytes = bytes
  }

  /// A batch over bytes whose index is known.
  @usableFromInline
  init(signal: Signal, bytes: [UInt8], index: BatchIndex) {
    self.signal = signal
    self.bytes = bytes
    self.index = index
  }

  /// A batch over bytes that were made from valid ones, so that only the index is missing.
  ///
  /// A byte that cannot be indexed would be a defect of the code that made it; it is reported by trapping in
  /// debug, and gives an empty batch in release.
  init(rewritten bytes: [UInt8], signal: Signal) {
    do throws(WireError) {
      self = try Batch(bytes: bytes, signal: signal, validation: .framing)
    } catch {
      assertionFailure("a rewrite made a malformed batch: \(error)")
      self = Batch(signal: signal)
    }
  }

  /// The number of spans, log records or data points.
  @inlinable
  public var itemCount: Int { index.itemCount }

  /// The size of the export request in bytes.
  @inlinable
  public var byteCount: Int { bytes.count }

  /// What the batch takes of memory in bytes: the export request, with the spare room that its array has, and the
  /// index.
  ///
  /// Queues count this, so that small requests, of which the index is a good part, do not take more than a queue may
  /// hold.
  public var footprint: Int { bytes.room + index.footprint + Self.overhead }

  /// The heads of the arrays and of the index, and what a delivery puts around a batch.
  private static let overhead = 384

  /// Whether there is nothing to deliver: no span, log record or data point.
  @inlinable
  public var isEmpty: Bool { index.itemCount == 0 }
}

extension Array {
  /// What the elements take of memory in bytes; with the spare room where there is much of it. A little varies from one
  /// allocation to the next.
  var room: Int {
    let (used, held) = (count * MemoryLayout<Element>.stride, capacity * MemoryLayout<Element>.stride)
    return held > used + used / 4 + 1024 ? held : used
  }
}

extension Batch: CustomStringConvertible {
  public var description: String { "\(signal.rawValue): \(itemCount) items, \(byteCount) bytes" }
}
