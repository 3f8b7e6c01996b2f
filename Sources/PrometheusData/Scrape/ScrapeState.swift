/// What is remembered of one target from scrape to scrape, and what turns its expositions into OTLP.
///
/// A scrape begins with ``begin(at:)``. ``read(_:format:)`` takes the exposition, if there is one: nothing of it goes out
/// when it throws. ``finish(_:)`` adds the report series and writes what has to go out: the points of this scrape, and the
/// ends of series that it did not have. ``end(at:)`` writes the ends of all series, for a target that is no more.
///
/// A series that is known costs a comparison of its raw bytes: it is expected where it was last time, and found by a hash
/// otherwise. Its values are kept with it until the whole exposition has been read, and then written metric by metric, with
/// attributes that were encoded when it was new.
///
/// Source: the OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility"; Prometheus' scrape loop for
/// staleness, limits, label conflicts and counts.
package struct ScrapeState: ~Copyable, Sendable {
  static let none = SeriesEntry.none

  let settings: ScrapeSettings
  let ownLabels: LabelSet
  var table: SeriesTable
  var catalog = ScrapeCatalog()
  var points: [PointEntry] = []
  var pointTable = IndexTable()
  var firstFreePoint = Self.none

  /// The number of this scrape, from 1.
  var generation: UInt32 = 0
  /// Of this scrape, in milliseconds since the Unix epoch.
  var time: Int64 = 0
  /// Whether this scrape took an exposition to its end.
  var isComplete = false
  /// The entries that this scrape had.
  var seenCount = 0
  /// The entries there were after the last scrape that went well.
  var lastCount = 0
  /// The families there were when everything was last moved together.
  var lastFamilyCount = 0
  package internal(set) var counts = ScrapeCounts()

  // Predictions: where the exposition begins, and the lines about families in their order.
  var firstSeries = Self.none
  var familyLines = FamilyLines()

  /// Nanoseconds since the Unix epoch at which counters were created, by entry; empty until one says so.
  var startTimes: [UInt64] = []
  /// What this scrape has besides one number for each series.
  var extras = ScrapeExtras()
  /// The size of the last output, for the room of the next.
  var lastSize = 0

  /// - Parameter seed: of hashes, unknown to targets.
  package init(_ settings: ScrapeSettings, seed: UInt64) {
    self.settings = settings
    // Of the target's own series, the report.
    ownLabels = LabelSet(Array(settings.externalLabels) + Array(settings.labels))
    table = SeriesTable(seed: seed)
  }

  /// The bytes that its tables take.
  package var footprint: Int {
    table.footprint + points.capacity * MemoryLayout<PointEntry>.stride + pointTable.footprint
      + startTimes.capacity * 8 + familyLines.footprint
  }

  /// The bytes of the series' own text in it.
  package var keyBytes: Int { table.entries.reduce(0) { $0 + Int($1.keyLength) } }

  /// The series that are known.
  package var seriesCount: Int { table.count }

  /// The families that are known.
  package var familyCount: Int { catalog.families.count }

  /// Begins a scrape.
  /// - Parameter time: in milliseconds since the Unix epoch; the time of all samples that have none of their own.
  package mutating func begin(at time: Int64) {
    generation &+= 1
    self.time = time
    counts = ScrapeCounts()
    isComplete = false
    seenCount = 0
    extras.removeAll()
  }

  /// Takes an exposition.
  ///
  /// - Throws: when it, or a limit, makes the scrape fail; ``counts`` then tells how far it came.
  package mutating func read<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ source: inout Source, format: ExpositionFormat
  ) throws(ScrapeError) {
    do throws(ScrapeError) {
      try readAll(&source, format: format)
      if settings.sampleLimit > 0, counts.kept > settings.sampleLimit {
        throw ScrapeError.sampleLimit(settings.sampleLimit)
      }
      isComplete = true
    } catch {
      // What was read does not count: to the output this is a scrape that had nothing.
      generation &+= 1
      seenCount = 0
      extras.removeAll()
      throw error
    }
  }

  private mutating func readAll<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ source: inout Source, format: ExpositionFormat
  ) throws(ScrapeError) {
    var expected = firstSeries
    var previous = Self.none
    familyLines.begin()
    do {
      while true {
        if isExpectable(expected), try source.nextSample(like: table.key(expected)) {
          previous = expected
          if !record(expected, &source) {
            previous = try resolveAgain(expected, &source, isNative: false, format: format)
          }
          expected = table.entries[Int(previous)].next
          continue
        }
        let isNative: Bool
        switch try source.next() {
        case .end: return
        case .type(let type):
          takeType(type, &source)
          continue
        case .help:
          takeText(.help, &source)
          continue
        case .unit:
          takeText(.unit, &source)
          continue
        case .sample: isNative = false
        case .histogram: isNative = true
        }
        var entry = table.find(source.series, isNative: isNative)
        if entry == Self.none {
          entry = try resolve(&source, isNative: isNative, format: format)
        } else if !(isNative ? try recordHistogram(entry, &source) : record(entry, &source)) {
          entry = try resolveAgain(entry, &source, isNative: isNative, format: format)
        }
        if previous == Self.none {
          firstSeries = entry
        } else {
          table.entries[Int(previous)].next = entry
        }
        previous = entry
        expected = table.entries[Int(entry)].next
      }
    } catch let error as ExpositionError {
      throw .exposition(error)
    } catch let error as ScrapeError {
      throw error
    } catch {
      throw .exposition(ExpositionError(line: 0, column: 0, reason: "\(error)"))
    }
  }

  /// Whether an entry can be the next of the exposition: it may have gone away since, or be a histogram.
  @inline(__always)
  private func isExpectable(_ entry: UInt32) -> Bool {
    if entry == Self.none { return false }
    let flags = table.entries[Int(entry)].flags
    return table.entries[Int(entry)].role != .free && flags.isDisjoint(with: [.obsolete, .native, .report])
  }
}
