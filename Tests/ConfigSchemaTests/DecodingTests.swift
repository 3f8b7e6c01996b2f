import ConfigSchema
import Testing

/// Typed values from trees.
struct DecodingTests {
  static func decode(_ yaml: String, path: String = "exporters.sample") throws -> (SampleConfig?, Diagnostics)
  {
    let node = try #require(ConfigLoaderTests.load([yaml]).0)
    var diagnostics = Diagnostics()
    let config = ConfigDecoder.decode(SampleConfig.self, from: node, path: path, diagnostics: &diagnostics)
    #expect((config == nil) == diagnostics.hasErrors)
    return (config, diagnostics)
  }

  @Test func `absent keys keep the defaults`() throws {
    let config = try #require(try Self.decode("{}").0)
    #expect(config.endpoint == "localhost:4317" && config.timeout == .seconds(5) && config.grpc == nil)
  }

  @Test func `a null section means its defaults`() throws {
    let config = try #require(try Self.decode("grpc:\nhttp:\nsending_queue:").0)
    #expect(config.grpc?.endpoint == "localhost:4317")
    #expect(config.http?.endpoint == "localhost:4318")
    #expect(config.queue.size == 1000)
  }

  @Test func `a null root means all defaults`() throws {
    let node = ConfigNode(.scalar(ConfigScalar("")), origin: .program("test"))
    var diagnostics = Diagnostics()
    let config = ConfigDecoder.decode(SampleConfig.self, from: node, path: "", diagnostics: &diagnostics)
    #expect(config?.ratio == 0.5 && diagnostics.isEmpty)
  }

  @Test func `a section builds on the initial value its field names`() throws {
    let config = try #require(try Self.decode("http:\n  max_concurrent_streams: 3").0)
    #expect(config.http?.endpoint == "localhost:4318" && config.http?.maxStreams == 3)
  }

  @Test func `a section builds on the value of the base`() throws {
    var base = SampleConfig()
    base.retry.maxInterval = .seconds(99)
    base.queue.size = 3
    var diagnostics = Diagnostics()
    let node = try #require(ConfigLoaderTests.load(["initial_interval: 1s\nsending_queue: {min_size: 1}"]).0)
    let config = ConfigDecoder.decode(
      SampleConfig.self, from: node, path: "", base: base, diagnostics: &diagnostics)
    #expect(config?.retry.maxInterval == .seconds(99) && config?.retry.initialInterval == .seconds(1))
    #expect(config?.queue.size == 3 && config?.queue.minSize == 1)
  }

  @Test func `secrets and maps keep their order and content`() throws {
    let config = try #require(try Self.decode("token: abc\nheaders:\n  b: 1\n  a: x").0)
    #expect(config.token.reveal() == "abc")
    #expect(config.headers.keys == ["b", "a"] && config.headers["b"]?.reveal() == "1")
    #expect(config.headers.entries[1].origin.line == 4)
  }

  @Test func `headers may be a list of names and values`() throws {
    let config = try #require(try Self.decode("headers:\n- name: a\n  value: x\n- {name: b, value: y}").0)
    #expect(config.headers.map { $0.value.reveal() } == ["x", "y"])
  }

  @Test func `paths lead to the key`() throws {
    let (_, diagnostics) = try Self.decode(
      "sending_queue:\n  queue_siz: 1\ntags: [{a: 1}]\nheaders: {a: [1]}")
    #expect(
      diagnostics.sorted.map(\.path) == [
        "exporters.sample.sending_queue.queue_siz", "exporters.sample.tags[0]", "exporters.sample.headers.a",
      ])
  }

  @Test func `a cross-field check points at the key, or at the section`() throws {
    let (_, given) = try Self.decode("sending_queue:\n  min_size: 2000")
    #expect(given.all.first?.location?.description == "file0.yaml:2:3")
    #expect(given.all.first?.path == "exporters.sample.sending_queue.min_size")
    let (_, absent) = try Self.decode("initial_interval: 1h\nsending_queue: {queue_size: 5}")
    #expect(absent.all.map(\.path) == ["exporters.sample.max_interval"])
  }

  @Test func `consequences of an error are not reported`() throws {
    let (_, diagnostics) = try Self.decode("max_interval: never\ninitial_interval: 1h")
    #expect(diagnostics.all.map(\.code) == ["wrong-type"])
  }

  struct Strict: ConfigGroup {
    var name = ""
    var count = 0
    var inner: Inner?
    static let fields: [Field<Self>] = [
      Field("name", \.name, "What it is called.", required: true),
      Field("count", \.count, "How many.", check: .atLeast(1)),
      Field("inner", \.inner, "More."),
    ]
    struct Inner: ConfigGroup {
      var key = ""
      static let fields: [Field<Self>] = [Field("key", \.key, "A key.", check: .nonEmpty)]
    }
  }

  @Test func `missing keys point at the section's key`() throws {
    let node = try #require(ConfigLoaderTests.load(["x:\n  inner:\n"]).0)
    var diagnostics = Diagnostics()
    let entry = try #require(node.entry("x"))
    _ = ConfigDecoder.decode(
      Strict.self, from: entry.value, path: "x", keyOrigin: entry.keyOrigin, diagnostics: &diagnostics)
    #expect(diagnostics.all.map(\.code) == ["missing-key", "missing-key", "missing-key"])
    #expect(diagnostics.all.map(\.path) == ["x.name", "x.count", "x.inner.key"])
    #expect(diagnostics.all.compactMap(\.location?.line) == [1, 1, 2])
  }

  @Test func `raw nodes are kept for later`() throws {
    let config = try #require(try Self.decode("raw:\n  a: [1, ~]").0)
    #expect(config.raw?["a"]?.elements.map(\.kind) == [.scalar, .null])
    #expect(config.raw?.node(at: ["a"])?.origin.line == 2)
  }

  @Test func `diagnostics are written as JSON`() throws {
    let (_, diagnostics) = try Self.decode("timeuot: 5s")
    #expect(
      diagnostics.json() == """
        [
          {
            "severity": "error",
            "code": "unknown-key",
            "message": "unknown key \\"timeuot\\" in exporters.sample",
            "path": "exporters.sample.timeuot",
            "location": {
              "file": "file0.yaml",
              "line": 1,
              "column": 1,
              "length": 7
            },
            "help": "did you mean \\"timeout\\"?"
          }
        ]

        """)
  }

  @Test(arguments: [
    "{token: hunter2, timeuot: 5s}",
    "{timeout: -1s, token: \"hunter2\", headers: {a: hunter2, b: \"hunter2 \"}}",
    "{headers: [{name: a, value: hunter2}], ratio: x, limit: y}", "{token: 'hunter2 # no', retry: 5}",
    "token: hunter2\n  hunter3\nratio: x",
  ])
  func `a finding beside a secret does not show it`(yaml: String) throws {
    let (config, diagnostics) = try Self.decode(yaml)
    #expect(config == nil)
    #expect(diagnostics.render().contains("file0.yaml:"))
    #expect(!diagnostics.render().contains("hunter"), "\(diagnostics.render())")
  }

  @Test func `colours appear only when asked for`() throws {
    let (_, diagnostics) = try Self.decode("timeuot: 5s")
    #expect(!diagnostics.render().contains("\u{1B}"))
    #expect(diagnostics.render(colour: true).contains("\u{1B}[1;31merror[unknown-key]\u{1B}[0m"))
  }
}
