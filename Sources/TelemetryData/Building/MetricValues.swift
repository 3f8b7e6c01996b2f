/// The value of a data point or exemplar.
public enum NumberValue: Sendable, Hashable {
  case int(Int64)
  case double(Double)
}

/// How the data points of a sum or histogram follow each other (OTLP `AggregationTemporality`).
public enum AggregationTemporality: Int32, Sendable, Hashable {
  case unspecified = 0
  case delta = 1
  case cumulative = 2
}

/// The data of a metric, for writing.
public enum MetricDataValue: Sendable, Hashable {
  case gauge([NumberDataPointValue])
  case sum([NumberDataPointValue], AggregationTemporality, isMonotonic: Bool)
  case histogram([HistogramDataPointValue], AggregationTemporality)
  case exponentialHistogram([ExponentialHistogramDataPointValue], AggregationTemporality)
  case summary([SummaryDataPointValue])
}

/// A metric, for writing.
public struct MetricValue: Sendable, Hashable {
  public var name: String = ""
  public var description: String = ""
  public var unit: String = ""
  public var data: MetricDataValue? = nil
  public var metadata: Attributes = []

  public init(
    name: String = "", description: String = "", unit: String = "", data: MetricDataValue? = nil,
    metadata: Attributes = []
  ) {
    self.name = name
    self.description = description
    self.unit = unit
    self.data = data
    self.metadata = metadata
  }
}

/// A data point of a gauge or sum, for writing.
public struct NumberDataPointValue: Sendable, Hashable {
  public var attributes: Attributes = []
  /// Nanoseconds since the Unix epoch.
  public var startTime: UInt64 = 0
  /// Nanoseconds since the Unix epoch.
  public var time: UInt64 = 0
  public var value: NumberValue? = nil
  public var exemplars: [ExemplarValue] = []
  public var flags: UInt32 = 0

  public init(
    attributes: Attributes = [], startTime: UInt64 = 0, time: UInt64 = 0, value: NumberValue? = nil,
    exemplars: [ExemplarValue] = [], flags: UInt32 = 0
  ) {
    self.attributes = attributes
    self.startTime = startTime
    self.time = time
    self.value = value
    self.exemplars = exemplars
    self.flags = flags
  }
}

/// A data point of a histogram, for writing.
public struct HistogramDataPointValue: Sendable, Hashable {
  public var attributes: Attributes = []
  /// Nanoseconds since the Unix epoch.
  public var startTime: UInt64 = 0
  /// Nanoseconds since the Unix epoch.
  public var time: UInt64 = 0
  public var count: UInt64 = 0
  public var sum: Double? = nil
  /// One more than there are bounds, or none.
  public var bucketCounts: [UInt64] = []
  public var explicitBounds: [Double] = []
  public var exemplars: [ExemplarValue] = []
  public var flags: UInt32 = 0
  public var min: Double? = nil
  public var max: Double? = nil

  public init(
    attributes: Attributes = [], startTime: UInt64 = 0, time: UInt64 = 0, count: UInt64 = 0,
    sum: Double? = nil, bucketCounts: [UInt64] = [], explicitBounds: [Double] = [],
    exemplars: [ExemplarValue] = [], flags: UInt32 = 0, min: Double? = nil, max: Double? = nil
  ) {
    self.attributes = attributes
    self.startTime = startTime
    self.time = time
    self.count = count
    self.sum = sum
    self.bucketCounts = bucketCounts
    self.explicitBounds = explicitBounds
    self.exemplars = exemplars
    self.flags = flags
    self.min = min
    self.max = max
  }
}

/// A data point of an exponential histogram, for writing.
public struct ExponentialHistogramDataPointValue: Sendable, Hashable {
  public var attributes: Attributes = []
  /// Nanoseconds since the Unix epoch.
  public var startTime: UInt64 = 0
  /// Nanoseconds since the Unix epoch.
  public var time: UInt64 = 0
  public var count: UInt64 = 0
  public var sum: Double? = nil
  public var scale: Int32 = 0
  public var zeroCount: UInt64 = 0
  public var positive: BucketsValue? = nil
  public var negative: BucketsValue? = nil
  public var flags: UInt32 = 0
  public var exemplars: [ExemplarValue] = []
  public var min: Double? = nil
  public var max: Double? = nil
  public var zeroThreshold: Double = 0

  public init(
    attributes: Attributes = [], startTime: UInt64 = 0, time: UInt64 = 0, count: UInt64 = 0,
    sum: Double? = nil, scale: Int32 = 0, zeroCount: UInt64 = 0, positive: BucketsValue? = nil,
    negative: BucketsValue? = nil, flags: UInt32 = 0, exemplars: [ExemplarValue] = [], min: Double? = nil,
    max: Double? = nil, zeroThreshold: Double = 0
  ) {
    self.attributes = attributes
    self.startTime = startTime
    self.time = time
    self.count = count
    self.sum = sum
    self.scale = scale
    self.zeroCount = zeroCount
    self.positive = positive
    self.negative = negative
    self.flags = flags
    self.exemplars = exemplars
    self.min = min
    self.max = max
    self.zeroThreshold = zeroThreshold
  }
}

/// The positive or negative buckets of an exponential histogram, for writing.
public struct BucketsValue: Sendable, Hashable {
  public var offset: Int32 = 0
  public var bucketCounts: [UInt64] = []

  public init(offset: Int32 = 0, bucketCounts: [UInt64] = []) {
    self.offset = offset
    self.bucketCounts = bucketCounts
  }
}

/// A data point of a summary, for writing.
public struct SummaryDataPointValue: Sendable, Hashable {
  public var attributes: Attributes = []
  /// Nanoseconds since the Unix epoch.
  public var startTime: UInt64 = 0
  /// Nanoseconds since the Unix epoch.
  public var time: UInt64 = 0
  public var count: UInt64 = 0
  public var sum: Double = 0
  public var quantileValues: [QuantileValue] = []
  public var flags: UInt32 = 0

  public init(
    attributes: Attributes = [], startTime: UInt64 = 0, time: UInt64 = 0, count: UInt64 = 0, sum: Double = 0,
    quantileValues: [QuantileValue] = [], flags: UInt32 = 0
  ) {
    self.attributes = attributes
    self.startTime = startTime
    self.time = time
    self.count = count
    self.sum = sum
    self.quantileValues = quantileValues
    self.flags = flags
  }
}

/// A quantile of a summary and the value there, for writing.
public struct QuantileValue: Sendable, Hashable {
  /// From 0 to 1.
  public var quantile: Double = 0
  public var value: Double = 0

  public init(quantile: Double = 0, value: Double = 0) {
    self.quantile = quantile
    self.value = value
  }
}

/// A measurement that stands for others, for writing.
public struct ExemplarValue: Sendable, Hashable {
  public var filteredAttributes: Attributes = []
  /// Nanoseconds since the Unix epoch.
  public var time: UInt64 = 0
  public var value: NumberValue? = nil
  public var spanID: [UInt8] = []
  public var traceID: [UInt8] = []

  public init(
    filteredAttributes: Attributes = [], time: UInt64 = 0, value: NumberValue? = nil, spanID: [UInt8] = [],
    traceID: [UInt8] = []
  ) {
    self.filteredAttributes = filteredAttributes
    self.time = time
    self.value = value
    self.spanID = spanID
    self.traceID = traceID
  }
}
