import TelemetryData

@testable import PrometheusData

/// Nanoseconds of the second of all points here.
let pointTime: UInt64 = 1_700_000_000_000_000_000
let pointMilliseconds: Int64 = 1_700_000_000_000

/// One gauge point, ready to be changed.
func number(_ attributes: Attributes = [], _ value: Double = 1, flags: UInt32 = 0) -> NumberDataPointValue {
  NumberDataPointValue(attributes: attributes, time: pointTime, value: .double(value), flags: flags)
}

func metrics(
  _ metrics: MetricValue..., resource: Attributes = [], scope: ScopeValue = ScopeValue()
) -> Batch {
  var builder = BatchBuilder(.metrics)
  builder.beginResource(ResourceValue(attributes: resource))
  builder.beginScope(scope)
  for metric in metrics { builder.add(metric) }
  return builder.finish()
}

/// What a receiver of either version finds in the requests for a batch; both must agree on everything that 1.0 can say.
func translate(
  _ batch: Batch, _ settings: TranslationSettings = TranslationSettings(),
  limits: RemoteWriteLimits = RemoteWriteLimits(), _ message: RemoteWriteMessage = .writeRequest
) throws -> (series: [DecodedSeries], drops: SeriesDrops) {
  var encoder = RemoteWriteEncoder(message, settings, limits: limits)
  let requests = try encoder.encode(batch)
  var series: [DecodedSeries] = []
  for part in requests.rows.joined() {
    series += try RemoteWriteDecoding(message, compressed: part.body).series
  }
  return (series, requests.drops)
}

/// The series as `name{labels} value`, in order.
func lines(
  _ batch: Batch, _ settings: TranslationSettings = TranslationSettings(),
  _ message: RemoteWriteMessage = .writeRequest
) throws -> [String] {
  try translate(batch, settings, message).series.map { series in
    let values = series.samples.map { $0.isStale ? "stale" : "\($0.value)" }
    return "\(series.text) \(values.joined(separator: ","))"
  }
}

func translate(
  _ batch: Batch, _ settings: TranslationSettings, _ message: RemoteWriteMessage
) throws -> (series: [DecodedSeries], drops: SeriesDrops) {
  try translate(batch, settings, limits: RemoteWriteLimits(), message)
}
