/// What a series of the exposition is to the OTLP that it becomes.
enum SeriesRole: UInt8, Sendable {
  /// Nothing; the place is free.
  case free
  /// A point of its own.
  case number
  /// A native histogram, a point of its own.
  case native
  /// A bucket of a classic histogram.
  case bucket
  /// A quantile of a summary.
  case quantile
  case sum, count
  /// The time at which a counter, histogram or summary was created.
  case created
  /// Describes the resource.
  case targetInfo
  /// Another spelling of a series.
  case alias
  /// Left out by relabeling.
  case dropped
  /// Says nothing that is not said elsewhere.
  case ignored

  /// Whether it is part of a point with others.
  var isPart: Bool {
    switch self {
    case .bucket, .quantile, .sum, .count: true
    default: false
    }
  }

  /// Whether it becomes a series in the end, or a part of one.
  var hasIdentity: Bool { self == .number || self == .native || isPart }
}

/// A series as the cache knows it.
struct SeriesEntry: Sendable {
  static let none = IndexTable.none

  /// Hash of the labels it has in the end, which say whether two series are the same.
  var identity: UInt64 = 0
  /// The bits of the number, or the position of the native histogram among those of this scrape.
  var value: UInt64 = 0
  /// Milliseconds since the Unix epoch.
  var time: Int64 = 0
  /// Where its raw bytes stand in the text; ``extraLength`` bytes follow them.
  var start: UInt32 = 0
  var keyLength: UInt32 = 0
  /// The attributes of points; bound and label value of buckets and quantiles.
  var extraLength: UInt32 = 0
  /// The scrape that last had it.
  var seen: UInt32 = 0
  /// The series that followed it then.
  var next: UInt32 = Self.none
  /// The next of its metric, of its point, or of the free places.
  var link: UInt32 = Self.none
  /// Its metric; the point of a part; the series that an alias or a creation time is of.
  var owner: UInt32 = Self.none
  var role = SeriesRole.free
  var flags: Flags = []

  struct Flags: OptionSet, Sendable {
    let rawValue: UInt8
    /// Whoever gets the points has it as going on, and must be told when it ends.
    static let live = Flags(rawValue: 1)
    /// Its end is not told, since it says itself when its samples are from.
    static let untracked = Flags(rawValue: 2)
    static let hasExemplars = Flags(rawValue: 4)
    /// It had further samples with other timestamps in this scrape.
    static let hasMore = Flags(rawValue: 8)
    /// Its role is no longer right: the family has another type now.
    static let obsolete = Flags(rawValue: 16)
    /// Made by the scrape itself, such as `up`.
    static let report = Flags(rawValue: 32)
    /// Its bytes name a native histogram.
    static let native = Flags(rawValue: 64)
  }
}

/// A point of a histogram or summary, made of several series.
struct PointEntry: Sendable {
  /// Where its attributes stand in the text.
  var start: UInt32 = 0
  var length: UInt32 = 0
  var metric: UInt32 = SeriesEntry.none
  /// The next point of the metric.
  var link: UInt32 = SeriesEntry.none
  /// Its buckets or quantiles.
  var firstPart: UInt32 = SeriesEntry.none
  var lastPart: UInt32 = SeriesEntry.none
  var sum: UInt32 = SeriesEntry.none
  var count: UInt32 = SeriesEntry.none
  /// Nanoseconds since the Unix epoch; 0 when not known.
  var startTime: UInt64 = 0
  /// Whether the parts are in the order of their bounds.
  var isSorted = true
  /// Whether it last went on as one point.
  var wasWhole = false
  var isFree = false
}
