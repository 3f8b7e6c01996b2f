internal import WireFormat

/// The lines about families of the last exposition, in their order, so that one that is the same costs a comparison.
struct FamilyLines: Sendable {
  enum Kind: UInt8, Sendable { case type, help, unit }

  private struct Line: Sendable {
    let kind: Kind
    let family: UInt32
    let start: UInt32
    let nameLength: UInt32
    let textLength: UInt32
  }

  private var lines: [Line] = []
  private var text: [UInt8] = []
  private var position = 0

  var footprint: Int { lines.capacity * MemoryLayout<Line>.stride + text.capacity }

  mutating func begin() { position = 0 }

  mutating func removeAll() { self = FamilyLines() }

  /// The family of a line that is the same as last time; nil when it is another.
  mutating func expected(_ kind: Kind, name: Span<UInt8>, text other: Span<UInt8>) -> UInt32? {
    guard position < lines.count else { return nil }
    let line = lines[position]
    let (start, middle) = (Int(line.start), Int(line.start + line.nameLength))
    guard line.kind == kind, text.span.extracting(start..<middle).hasSameBytes(as: name),
      text.span.extracting(middle..<middle + Int(line.textLength)).hasSameBytes(as: other)
    else { return nil }
    position += 1
    return line.family
  }

  /// Notes a line that is not what was expected; what was expected after it is forgotten.
  mutating func record(_ kind: Kind, name: Span<UInt8>, text other: Span<UInt8>, family: UInt32) {
    if position < lines.count {
      text.removeLast(text.count - Int(lines[position].start))
      lines.removeLast(lines.count - position)
    }
    lines.append(
      Line(
        kind: kind, family: family, start: UInt32(truncatingIfNeeded: text.count),
        nameLength: UInt32(truncatingIfNeeded: name.count),
        textLength: UInt32(truncatingIfNeeded: other.count)
      ))
    text.append(name)
    text.append(other)
    position += 1
  }
}

/// What a scrape has of series besides one number each: rare things, kept beside the entries.
struct ScrapeExtras: Sendable {
  struct Sample: Sendable {
    let value: UInt64
    let time: Int64
  }

  var histograms: [NativeHistogram] = []
  var exemplars: [UInt32: [ExpositionExemplar]] = [:]
  /// Samples of a series after its first, with other timestamps.
  var more: [UInt32: [Sample]] = [:]

  mutating func removeAll() {
    histograms.removeAll()
    exemplars.removeAll()
    more.removeAll()
  }
}
