import TelemetryData
import Testing

@testable import PrometheusData

@Suite struct TranslationTests {
  static func gauge(_ points: NumberDataPointValue..., name: String = "g", metadata: Attributes = [])
    -> MetricValue
  {
    MetricValue(name: name, data: .gauge(points), metadata: metadata)
  }

  @Test(arguments: RemoteWriteMessage.allCases)
  func `labels are sorted, and empty ones left out`(message: RemoteWriteMessage) throws {
    let batch = metrics(
      Self.gauge(
        number(["z": "1", "Big": "2", "a.b": "3", "none": "", "n": 4, "t": true, "f": 0.5]),
        number(["z": "5", "Big": "6", "a.b": "7", "none": "8", "n": 9, "t": false, "f": 2.0])))
    #expect(
      try lines(batch, TranslationSettings(), message) == [
        #"g{Big="2",a_b="3",f="0.5",n="4",t="true",z="1"} 1.0"#,
        #"g{Big="6",a_b="7",f="2",n="9",none="8",t="false",z="5"} 1.0"#,
      ])
    let series = try translate(batch, TranslationSettings(), message).series[0]
    #expect(series.labels[2] == "__name__")
    #expect(series.samples[0].timestamp == pointMilliseconds)
  }

  @Test func `values of other types become text`() throws {
    let batch = metrics(
      Self.gauge(
        number([
          "bytes": .bytes([1, 2, 3, 255]), "list": .array(["a\"b", 1, .bool(true), .empty]),
          "map": .keyValueList(["k": "v\n", "n": 1.5]),
        ])))
    #expect(
      try lines(batch) == [#"g{bytes="AQID/w==",list="["a\"b",1,true,null]",map="{"k":"v\n","n":1.5}"} 1.0"#])
  }

  @Test(arguments: RemoteWriteMessage.allCases)
  func `values of keys that become one name are joined in the order of the keys`(message: RemoteWriteMessage)
    throws
  {
    let batch = metrics(
      Self.gauge(
        number(["a.b": "2", "a-b": "1", "a_b": "3", "x": "y"]),
        number(["a.b": "5", "a-b": "4", "a_b": "6", "x": "z"]),
        number(["x": "w"])))
    #expect(
      try lines(batch, TranslationSettings(), message) == [
        #"g{a_b="1;2;3",x="y"} 1.0"#, #"g{a_b="4;5;6",x="z"} 1.0"#, #"g{x="w"} 1.0"#,
      ])
  }

  @Test func `an attribute cannot be the name`() throws {
    #expect(try lines(metrics(Self.gauge(number(["__name__": "evil", "a": "b"])))) == [#"g{a="b"} 1.0"#])
  }

  @Test func `more attributes than anybody has are sorted too`() throws {
    var attributes = Attributes()
    for index in (0..<200).reversed() { attributes.append("k\(1000 + index)", .string("\(index)")) }
    let series = try translate(metrics(Self.gauge(number(attributes), number(attributes)))).series
    let names = stride(from: 2, to: series[0].labels.count, by: 2).map { series[0].labels[$0] }
    #expect(names.count == 200)
    #expect(names == names.sorted())
    #expect(series[0] == series[1])
  }

  @Test func `job and instance come from the service`() throws {
    let resource: Attributes = [
      "service.name": "shop", "service.namespace": "eu", "service.instance.id": "i-1",
    ]
    #expect(
      try lines(metrics(Self.gauge(number(["job": "mine"])), resource: resource)) == [
        #"g{instance="i-1",job="eu/shop"} 1.0"#
      ])
    #expect(
      try lines(metrics(Self.gauge(number()), resource: ["service.name": "shop"])) == [#"g{job="shop"} 1.0"#])
  }

  @Test func `points of a scraped metric keep their own job, names and types`() throws {
    let batch = metrics(
      MetricValue(
        name: "pg__commits", unit: "s",
        data: .sum([number(["job": "mine", "_x": "1", "y__z": "2"])], .cumulative, isMonotonic: true),
        metadata: ["prometheus.type": "counter"]),
      Self.gauge(number(), name: "free", metadata: ["prometheus.type": "unknown"]),
      resource: ["service.name": "shop"])
    #expect(
      try lines(batch) == [#"pg__commits{_x="1",job="mine",y__z="2"} 1.0"#, #"free{job="shop"} 1.0"#])
    let series = try translate(batch, TranslationSettings(), .request).series
    #expect(series.map(\.type) == [1, 0])
  }

  @Test func `external labels give way to others`() throws {
    var settings = TranslationSettings()
    settings.externalLabels = [
      Label("zone", "a"), Label("job", "x"), Label("k", "y"), Label("bad.name", "n"),
    ]
    #expect(
      try lines(
        metrics(Self.gauge(number(["k": "own"]), number()), resource: ["service.name": "s"]), settings) == [
          #"g{bad_name="n",job="s",k="own",zone="a"} 1.0"#, #"g{bad_name="n",job="s",k="y",zone="a"} 1.0"#,
        ])
  }

  @Test func `scopes become labels unless that is switched off`() throws {
    let scope = ScopeValue(
      name: "lib", version: "1.2", attributes: ["team": "core", "name": "no"], schemaURL: "http://s")
    let batch = metrics(Self.gauge(number()), scope: scope)
    #expect(
      try lines(batch) == [
        #"g{otel_scope_name="lib",otel_scope_schema_url="http://s",otel_scope_team="core",otel_scope_version="1.2"} 1.0"#
      ])
    var settings = TranslationSettings()
    settings.addsScopeLabels = false
    #expect(try lines(batch, settings) == ["g 1.0"])
  }

  @Test func `target_info has the other attributes of a resource`() throws {
    let resource: Attributes = ["service.name": "shop", "service.instance.id": "1", "host.name": "h", "n": 3]
    let late = NumberDataPointValue(time: pointTime + 5_000_000, value: .int(2))
    let series = try translate(metrics(Self.gauge(late, number()), resource: resource)).series
    #expect(series.last?.text == #"target_info{host_name="h",instance="1",job="shop",n="3"}"#)
    #expect(series.last?.samples == [DecodedSample(value: 1, timestamp: pointMilliseconds + 5)])
    #expect(try lines(metrics(Self.gauge(number()), resource: ["host.name": "h"])).count == 1)
    #expect(try lines(metrics(Self.gauge(number()), resource: ["service.name": "h"])).count == 1)
    var settings = TranslationSettings()
    settings.addsTargetInfo = false
    #expect(try lines(metrics(Self.gauge(number()), resource: resource), settings).count == 1)
    settings.addsTargetInfo = true
    settings.namespace = "ns"
    #expect(
      try lines(metrics(Self.gauge(number()), resource: resource), settings).last?.hasPrefix(
        "ns_target_info{") == true)
  }

  @Test func `a target has one target_info, at its newest point`() throws {
    var builder = BatchBuilder(.metrics)
    for (host, offset) in [("old", 0), ("new", 9), ("older", 4)] as [(String, UInt64)] {
      builder.beginResource(ResourceValue(attributes: ["service.name": "s", "host.name": .string(host)]))
      builder.add(Self.gauge(NumberDataPointValue(time: pointTime + offset * 1_000_000, value: .int(1))))
    }
    builder.beginResource(ResourceValue(attributes: ["service.name": "t", "host.name": "x"]))
    builder.add(Self.gauge(number()))
    let infos = try translate(builder.finish()).series.filter { $0.text.hasPrefix("target_info") }
    #expect(
      infos.map(\.text) == [#"target_info{host_name="new",job="s"}"#, #"target_info{host_name="x",job="t"}"#])
    #expect(infos[0].samples[0].timestamp == pointMilliseconds + 9)
  }

  @Test func `attributes of resources become labels where that is asked for`() throws {
    let resource: Attributes = [
      "service.name": "s", "host.name": "h", "a": "resource", "b.c": "1", "b-c": "2",
    ]
    let batch = metrics(Self.gauge(number(["a": "point", "host_name": "p"])), resource: resource)
    var settings = TranslationSettings()
    settings.addsTargetInfo = false
    settings.resourceLabels = .all(exceptService: false)
    #expect(
      try lines(batch, settings) == [
        #"g{a="resource",b_c="2;1",host_name="h;p",job="s",service_name="s"} 1.0"#
      ])
    settings.resourceLabels = .all(exceptService: true)
    #expect(try lines(batch, settings)[0].contains("service_name") == false)
    settings.resourceLabels = .only(["b.c"])
    #expect(try lines(batch, settings) == [#"g{a="point",b_c="1",host_name="p",job="s"} 1.0"#])
    settings.resourceLabels = .except(["a", "b.c", "b-c", "service.name"])
    #expect(try lines(batch, settings) == [#"g{a="point",host_name="h;p",job="s"} 1.0"#])
  }

  @Test func `what Prometheus cannot say is dropped and counted`() throws {
    let batch = metrics(
      MetricValue(name: "d", data: .sum([number(), number()], .delta, isMonotonic: true)),
      MetricValue(name: "u", data: .sum([number()], .unspecified, isMonotonic: true)),
      Self.gauge(NumberDataPointValue(time: pointTime), NumberDataPointValue(value: .int(1))),
      Self.gauge(number(), name: "..."), Self.gauge(number(), name: "ok"))
    let result = try translate(batch)
    #expect(result.series.map(\.text) == ["ok"])
    #expect(result.drops[.delta] == 2)
    #expect(result.drops[.unspecifiedTemporality] == 1)
    #expect(result.drops[.value] == 1)
    #expect(result.drops[.time] == 1)
    #expect(result.drops[.name] == 1)
    #expect(result.drops.total == 6)
  }

  @Test func `a point without a recorded value ends its series`() throws {
    let batch = metrics(
      Self.gauge(NumberDataPointValue(attributes: ["a": "b"], time: pointTime, flags: 1)),
      MetricValue(
        name: "h",
        data: .histogram(
          [HistogramDataPointValue(time: pointTime, explicitBounds: [1], flags: 1)], .cumulative)),
      MetricValue(
        name: "s",
        data: .summary([
          SummaryDataPointValue(time: pointTime, quantileValues: [QuantileValue(quantile: 0.5)], flags: 1)
        ])))
    #expect(
      try lines(batch) == [
        #"g{a="b"} stale"#, #"h_bucket{le="1.0"} stale"#, #"h_bucket{le="+Inf"} stale"#, "h_sum stale",
        "h_count stale",
        #"s{quantile="0.5"} stale"#, "s_sum stale", "s_count stale",
      ])
  }

  @Test func `differences are added up where that is asked for`() throws {
    var settings = TranslationSettings()
    settings.accumulatesDeltas = true
    var encoder = RemoteWriteEncoder(.request, settings)
    func send(_ value: Double, at second: UInt64, series: String = "a") throws -> [DecodedSample] {
      let time = pointTime + second * 1_000_000_000
      let point = NumberDataPointValue(
        attributes: ["s": .string(series)], startTime: time - 1_000_000_000, time: time, value: .double(value)
      )
      let batch = metrics(MetricValue(name: "d", data: .sum([point], .delta, isMonotonic: true)))
      let parts = try encoder.encode(batch).rows.joined()
      return try parts.flatMap {
        try RemoteWriteDecoding(.request, compressed: $0.body).series.flatMap(\.samples)
      }
    }
    let start = pointMilliseconds
    #expect(try send(2, at: 1) == [DecodedSample(value: 2, timestamp: start + 1000, start: start)])
    #expect(try send(3, at: 2) == [DecodedSample(value: 5, timestamp: start + 2000, start: start)])
    #expect(
      try send(9, at: 2, series: "b") == [
        DecodedSample(value: 9, timestamp: start + 2000, start: start + 1000)
      ])
    #expect(try send(4, at: 2) == [])
    #expect(try send(4, at: 3) == [DecodedSample(value: 9, timestamp: start + 3000, start: start)])
  }

  @Test func `differences of histograms are added up bucket by bucket`() throws {
    var settings = TranslationSettings()
    settings.accumulatesDeltas = true
    let points = [1, 2].map { (second: UInt64) in
      HistogramDataPointValue(
        time: pointTime + second * 1_000_000_000, count: 3, sum: 1.5, bucketCounts: [1, 2],
        explicitBounds: [1])
    }
    let batch = metrics(MetricValue(name: "h", data: .histogram(points, .delta)))
    #expect(
      try lines(batch, settings) == [
        #"h_bucket{le="1.0"} 1.0"#, #"h_bucket{le="+Inf"} 3.0"#, "h_sum 1.5", "h_count 3.0",
        #"h_bucket{le="1.0"} 2.0"#, #"h_bucket{le="+Inf"} 6.0"#, "h_sum 3.0", "h_count 6.0",
      ])
  }
}
