import ConfigSchema
import Foundation
import Testing

/// YAML output, reference pages and JSON Schema.
struct RenderingTests {
  @Test(arguments: [
    "a: 1\n", "a: \"1\"\n", "a:\n  - 1\n  - b: 2\n    c:\n      - d\n  -\n", "a: {}\nb: []\n",
    "a: \"x: y\"\n",
    "a: \"\"\n", "a: \"yes\"\nb: \"# no\"\nc: x#y\nd: \"a\\nb\\t\\\"c\\\"\"\n", "\"1\": x\n", "a:\n",
    "a:\n  -\n    - 1\n    - 2\n", "a: \"-\"\nb: -x\nc: \"*a\"\nd: ü\n",
  ])
  func `rendered YAML reads back to the same tree`(yaml: String) throws {
    let node = try #require(ConfigLoaderTests.load([yaml]).0)
    let text = node.renderYAML()
    let again = try #require(ConfigLoaderTests.load([text]).0, "\(text)")
    #expect(again.literal == node.literal, "\(text)")
  }

  @Test func `secrets are masked by the declaration`() throws {
    let yaml = "token: abc\nheaders:\n  a: b\ntags: [x]\ngrpc:\n  endpoint: h:1\n"
    let node = try #require(ConfigLoaderTests.load([yaml]).0)
    let text = node.masked(by: SampleConfig.configType).renderYAML()
    #expect(text == "token: \"***\"\nheaders:\n  a: \"***\"\ntags:\n  - x\ngrpc:\n  endpoint: h:1\n")
    let list = try #require(ConfigLoaderTests.load(["headers: [{name: a, value: b}]"]).0)
    #expect(
      list.masked(by: SampleConfig.configType).renderYAML() == "headers:\n  - name: a\n    value: \"***\"\n")
  }

  @Test func `origins follow the values`() throws {
    let node = try #require(ConfigLoaderTests.load(["a: 1\nb:\n  - x"], overrides: ["c=2"]).0)
    #expect(
      node.renderYAML(origins: true)
        == "a: 1  # file0.yaml:1\nb:\n  - x  # file0.yaml:3\nc: 2  # --set c=2\n")
  }

  @Test func `the reference lists every key`() {
    let page = ReferenceRenderer.markdown(for: SampleConfig.self)
    for line in [
      "| `endpoint` | string | `localhost:4317` | Where to send to, host:port. (not empty, host:port) Also: `address`. |",
      "| `timeout` | duration | `5s` | How long one attempt may take. (at least 0s) |",
      "| `compression` | gzip \\| zstd \\| snappy \\| none | `gzip` | How bodies are compressed. |",
      "| `grpc` | section | off | Serves gRPC. |",
      "| `initial_interval` | duration | `5s` | The first pause. |",
      "| `ratio` | float | `0.5` | The share to keep. (at least 0, at most 1) |",
      "| `max_body` | bytes | `20MiB` | The largest body. |",
      "| `tpm` |  |  | Not supported: keys in a TPM cannot be used; use key_file. |",
      "| `queue_length` |  |  | Deprecated: use `sending_queue.queue_size`. |",
      "### `http`",
      "| `endpoint` | string | `localhost:4318` | Address to listen on, host:port. (host:port) |",
      "### `sending_queue`",
    ] {
      #expect(page.split(separator: "\n").contains(Substring(line)), "\(line)\n\(page)")
    }
  }

  @Test func `the JSON Schema is JSON and states keys, types and bounds`() throws {
    let text = ReferenceRenderer.jsonSchema(for: SampleConfig.self, title: "sample")
    let schema = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
    #expect(schema["additionalProperties"] as? Bool == false)
    let properties = try #require(schema["properties"] as? [String: [String: Any]])
    #expect(properties["tpm"] == nil)
    #expect(properties["address"]?["deprecated"] as? Bool == true)
    #expect(properties["limit"]?["minimum"] as? Int == 1)
    #expect(properties["token"]?["writeOnly"] as? Bool == true)
    #expect(properties["token"]?["default"] == nil)
    #expect(properties["timeout"]?["default"] as? String == "5s")
    let http = try #require(properties["http"]?["properties"] as? [String: [String: Any]])
    #expect(http["endpoint"]?["default"] as? String == "localhost:4318")
  }

  struct Recursive: ConfigGroup {
    var name = ""
    var children: [Recursive] = []
    static let fields: [Field<Self>] = [
      Field("name", \.name, "A name."), Field("children", \.children, "More of the same."),
    ]
  }

  @Test func `a recursive declaration is decoded and rendered`() throws {
    let node = try #require(ConfigLoaderTests.load(["children: [{name: a, children: [{nam: b}]}]"]).0)
    var diagnostics = Diagnostics()
    _ = ConfigDecoder.decode(Recursive.self, from: node, path: "", diagnostics: &diagnostics)
    #expect(diagnostics.all.map(\.path) == ["children[0].children[0].nam"])
    #expect(ReferenceRenderer.markdown(for: Recursive.self).contains("children"))
    #expect(!ReferenceRenderer.jsonSchema(for: Recursive.self).isEmpty)
  }
}

/// What is shown of settings that hold secrets in places where none is declared, or in a wrong form.
@Suite struct HiddenTextTests {
  @Test(arguments: [
    ("http://host:1/path", "http://host:1/path"),
    ("http://user:secret@host:1/path", "http://***@host:1/path"),
    ("cannot reach http://u:s@h/p?key=s&a=b#top: why", "cannot reach http://***@h/p?***#top: why"),
    ("{a: \"https://h?k=s\", b: http://t@h}", "{a: \"https://h?***\", b: http://***@h}"),
    ("mail me@example.com or ://", "mail me@example.com or ://"), ("http://h/?", "http://h/?"),
    ("http://h/a@b", "http://h/a@b"), ("http://u:p@ss@h", "http://***@h"),
  ])
  func `URLs are shown without what lets somebody in`(text: String, shown: String) {
    #expect(URLSecrets.masked(text) == shown)
  }

  struct Settings: ConfigGroup {
    var token: Secret?
    var headers: ConfigMap<Secret> = [:]
    var url = ""
    init() {}
    static let fields: [Field<Self>] = [
      Field("token", \.token, "A token."), Field("headers", \.headers, "Headers."),
      Field("url", \.url, "A URL."),
    ]
    func check(_ checker: inout ConfigChecker) { checker.error(\.url, "\(url) is wrong") }
  }

  @Test(arguments: [
    "{token: {a: CANARY}, nope: 1}", "{token: [CANARY], nope: 1}", "{headers: CANARY, nope: 1}",
    "{headers: [CANARY], nope: 1}", "{headers: {a: {b: CANARY}}, nope: 1}",
    "{headers: [{name: a, value: [CANARY]}], nope: 1}", "{tokn: CANARY, nope: 1}",
    "{url: \"http://u:CANARY@h?CANARY\"}",
  ])
  func `no finding shows a secret that has a wrong form`(yaml: String) throws {
    for sources in [([ConfigSource.text(yaml, name: "test.yaml")], []), ([], ["a=\(yaml)"])] {
      var (root, diagnostics) = ConfigLoader.load(sources: sources.0, overrides: sources.1)
      let node = try #require(root?["a"] ?? root)
      _ = ConfigDecoder.decode(Settings.self, from: node, path: "", diagnostics: &diagnostics)
      #expect(diagnostics.hasErrors)
      #expect(!diagnostics.render().contains("CANARY"), "\(diagnostics.render())")
      #expect(!diagnostics.json().contains("CANARY"), "\(diagnostics.json())")
    }
  }
}
