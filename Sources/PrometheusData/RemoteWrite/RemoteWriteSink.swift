internal import NativeCodecs
internal import WireFormat

/// One of the two messages, while it is being written.
protocol RemoteWriteEncoding: ~Copyable {
  init()
  /// The size of the message so far, in bytes.
  var size: Int { get }
  mutating func sample(
    _ labels: borrowing SeriesLabels, _ point: SeriesPoint, exemplars: borrowing SeriesExemplars,
    family: borrowing FamilyText)
  mutating func histogram(
    _ labels: borrowing SeriesLabels, _ point: SeriesPoint, _ histogram: borrowing NativeHistogram,
    exemplars: borrowing SeriesExemplars, family: borrowing FamilyText)
  /// Compresses the message and begins another one.
  mutating func finish(with compressor: Compressor) throws(CodecError) -> [UInt8]
}

/// A copy of what series of a metric have in common, whose memory is used again.
struct FamilyText: ~Copyable {
  /// Different for each metric, never 0.
  var number: UInt64 = 0
  var type = ExpositionType.unknown
  var isTarget = false
  var help: [UInt8] = []
  var unit: [UInt8] = []

  mutating func set(_ family: borrowing SeriesFamily) {
    number &+= 1
    type = family.type
    isTarget = family.isTarget
    help.removeAll(keepingCapacity: true)
    help.append(family.help)
    unit.removeAll(keepingCapacity: true)
    unit.append(family.unit)
  }
}

/// Gathers series in requests: in rows by a hash of the point's labels, and in each row one request after another.
struct RemoteWriteSink<Encoding: RemoteWriteEncoding & ~Copyable>: ~Copyable, SeriesSink {
  /// A row whose turn it is not.
  private final class Row {
    var encoding = Encoding()
    var counts = RemoteWritePartCounts()
    var parts: [RemoteWritePart] = []
  }

  private let maxBytes: Int
  /// Messages are ended when a point begins that may not fit any more.
  private let fullSize: Int
  private let compressor = Compressor(.snappy)
  private var metadata: RemoteWriteMetadata?

  /// The row at hand, out of its place.
  private var encoding = Encoding()
  private var counts = RemoteWritePartCounts()
  private var parts: [RemoteWritePart] = []
  private var current = 0
  private var rows: [Row] = []
  private var rowCount = 1
  private var hashing = SeriesHashing()
  private var family = FamilyText()
  private var failure: CodecError?

  init(maxBytes: Int, sendsMetadata: Bool) {
    self.maxBytes = maxBytes
    fullSize = max(1, maxBytes - min(65536, maxBytes / 8))
    metadata = sendsMetadata ? RemoteWriteMetadata() : nil
  }

  mutating func forgetMetadata() { metadata?.forget() }

  mutating func start(rows count: Int) {
    rowCount = max(1, count)
    while rows.count < rowCount { rows.append(Row()) }
    failure = nil
  }

  mutating func begin(_ family: borrowing SeriesFamily) {
    self.family.set(family)
    metadata?.add(family)
  }

  mutating func beginPoint(_ labels: borrowing SeriesLabels) {
    if rowCount > 1 {
      let row = Int(truncatingIfNeeded: hashing.hash(labels) % UInt64(truncatingIfNeeded: rowCount))
      if row != current { turn(to: row) }
    }
    if encoding.size >= fullSize { endPart() }
    if !family.isTarget { counts.points &+= 1 }
  }

  mutating func sample(
    _ labels: borrowing SeriesLabels, _ point: SeriesPoint, exemplars: borrowing SeriesExemplars
  ) {
    counts.samples &+= 1
    counts.exemplars &+= exemplars.count
    encoding.sample(labels, point, exemplars: exemplars, family: family)
  }

  mutating func histogram(
    _ labels: borrowing SeriesLabels, _ point: SeriesPoint, _ histogram: borrowing NativeHistogram,
    exemplars: borrowing SeriesExemplars
  ) {
    counts.histograms &+= 1
    counts.exemplars &+= exemplars.count
    encoding.histogram(labels, point, histogram, exemplars: exemplars, family: family)
  }

  private mutating func turn(to row: Int) {
    exchange(with: rows[current])
    current = row
    exchange(with: rows[row])
  }

  private mutating func exchange(with row: Row) {
    swap(&encoding, &row.encoding)
    swap(&counts, &row.counts)
    swap(&parts, &row.parts)
  }

  private mutating func endPart() {
    if encoding.size == 0 { return }
    do throws(CodecError) {
      parts.append(RemoteWritePart(body: try encoding.finish(with: compressor), counts: counts))
    } catch {
      failure = error
    }
    counts = RemoteWritePartCounts()
  }

  /// The requests, row by row; those of metadata at the end of the first.
  mutating func finish() -> Result<[[RemoteWritePart]], CodecError> {
    var finished: [[RemoteWritePart]] = []
    for row in 0..<rowCount {
      if row != current { turn(to: row) }
      endPart()
      if row == 0, let bodies = metadata?.take(maxBytes: maxBytes, compressor) {
        parts.append(contentsOf: bodies.map { RemoteWritePart(body: $0) })
      }
      if !parts.isEmpty { finished.append(parts) }
      parts = []
    }
    turn(to: 0)
    if let failure { return .failure(failure) }
    return .success(finished)
  }
}

/// Hashes of labels that do not depend on what is fixed in a layout.
struct SeriesHashing {
  private var layout: UInt64 = 0
  private var fixed: UInt64 = 0

  mutating func hash(_ labels: borrowing SeriesLabels) -> UInt64 {
    if labels.layout != layout {
      layout = labels.layout
      fixed = 0
      for index in 0..<labels.count where labels.isFixed(index) { fixed &+= Self.hash(labels, index) }
    }
    var sum = fixed
    for index in 0..<labels.count where !labels.isFixed(index) { sum &+= Self.hash(labels, index) }
    return Self.mix(sum)
  }

  /// Summed up over all labels, so that it does not matter in which order they are looked at.
  private static func hash(_ labels: borrowing SeriesLabels, _ index: Int) -> UInt64 {
    labels.name(index).byteHash(seed: labels.value(index).byteHash(seed: 0))
  }

  static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }
}

extension Span where Element == UInt8 {
  /// Equal for equal bytes and seeds, in this process.
  @inline(__always)
  func byteHash(seed: UInt64) -> UInt64 {
    var hash = 0x9E37_79B9_7F4A_7C15 ^ seed ^ UInt64(truncatingIfNeeded: count)
    var position = 0
    while position &+ 8 <= count {
      hash = SeriesHashing.mix(hash ^ loadUInt64(at: position))
      position &+= 8
    }
    if position < count {
      var rest: UInt64 = 0
      if count >= 8 {
        rest = loadUInt64(at: count &- 8)
      } else {
        while position < count {
          rest = rest &<< 8 | UInt64(self[position])
          position &+= 1
        }
      }
      hash = SeriesHashing.mix(hash ^ rest)
    }
    return hash
  }
}
