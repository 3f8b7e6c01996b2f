import ConfigSchema
import Foundation
import Testing

/// Sections whose `type` selects their keys.
struct VariantTests {
  struct Latency: ConfigGroup {
    var name = ""
    var threshold = Threshold()
    struct Threshold: ConfigGroup {
      var milliseconds = 5
      static let fields: [Field<Self>] = [
        Field("threshold_ms", \.milliseconds, "At least.", check: .atLeast(1))
      ]
    }
    static let fields: [Field<Self>] = [
      Field("name", \.name, "A name."), Field("latency", \.threshold, "How slow."),
    ]
  }

  struct Header: ConfigGroup {
    var name = ""
    var token: Secret = ""
    static let fields: [Field<Self>] = [
      Field("name", \.name, "A name."), Field("token", \.token, "What for."),
    ]
  }

  struct Policy: ConfigVariants {
    var selected: (name: String, group: any ConfigGroup)
    var origin: Origin
    static let variants: [ConfigVariant<Self>] = [
      ConfigVariant("latency", "Slow ones.", aliases: ["slowness"]) { (group: Latency, place) in
        Self(selected: ("latency", group), origin: place.origin)
      },
      ConfigVariant("header", "Marked ones.") { (group: Header, place) in
        Self(selected: ("header", group), origin: place.origin(ofKey: "name"))
      },
    ]
  }

  struct Config: ConfigGroup {
    var policies: [Policy] = []
    static let fields: [Field<Self>] = [Field("policies", \.policies, "Which traces.")]
  }

  static func decode(_ yaml: String) throws -> (Config?, Diagnostics) {
    let node = try #require(ConfigLoaderTests.load([yaml]).0)
    var diagnostics = Diagnostics()
    return (ConfigDecoder.decode(Config.self, from: node, path: "p", diagnostics: &diagnostics), diagnostics)
  }

  @Test func `each element is decoded by the group its type selects`() throws {
    let yaml =
      "policies:\n- {name: a, type: latency, latency: {threshold_ms: 7}}\n- {type: header, name: b}\n"
    let (config, diagnostics) = try Self.decode(yaml)
    #expect(diagnostics.isEmpty, "\(diagnostics.render())")
    let policies = try #require(config?.policies)
    #expect((policies[0].selected.group as? Latency)?.threshold.milliseconds == 7)
    #expect(policies[0].origin.description == "file0.yaml:2:19")
    #expect(policies[1].origin.description == "file0.yaml:3:18")
    #expect(
      policies[0].literal.json == "{\"type\":\"latency\",\"name\":\"a\",\"latency\":{\"threshold_ms\":7}}")
  }

  @Test(arguments: [
    ("[{type: latncy}]", "unknown-type", "file0.yaml:1:19", "did you mean \"latency\"?"),
    ("[{type: zzz}]", "unknown-type", "file0.yaml:1:19", "known are latency, header"),
    ("[{name: a}]", "missing-key", "file0.yaml:1:12", "known are latency, header"),
    ("[{type: [a]}]", "wrong-type", "file0.yaml:1:19", ""),
    ("[latency]", "wrong-type", "file0.yaml:1:12", "write \"type: latency\""),
    ("[{type: header, latency: {}}]", "unknown-key", "file0.yaml:1:27", "known keys are name, token"),
    ("[{type: latency, latency: {threshold_ms: 0}}]", "invalid-value", "file0.yaml:1:52", ""),
    ("[{type: slowness}]", "deprecated-name", "file0.yaml:1:19", "use \"latency\""),
  ])
  func `what is wrong is shown where it is`(list: String, code: String, place: String, help: String) throws {
    let (_, diagnostics) = try Self.decode("policies: \(list)")
    let found = try #require(diagnostics.all.first)
    #expect(diagnostics.all.count == 1 && found.code == code, "\(diagnostics.render())")
    #expect(found.location?.description == place && found.help ?? "" == help)
    #expect(found.path.hasPrefix("p.policies[0]"))
  }

  @Test func `the reference lists the types, what they share, and the keys of each`() {
    let page = ReferenceRenderer.markdown(for: Config.self)
    for line in [
      "| `policies` | list of section by `type` | `[]` | Which traces. |", "### `policies[]`",
      "| `latency` | Slow ones. |", "Keys of every type:", "### `policies[]` with `type: latency`",
      "| `latency` | section |  | How slow. |", "### `policies[].latency`",
      "| `threshold_ms` | int | `5` | At least. (at least 1) |", "| `token` | secret | `\"\"` | What for. |",
    ] {
      #expect(page.split(separator: "\n").contains(Substring(line)), "\(line)\n\(page)")
    }
    #expect(page.components(separatedBy: "A name.").count == 2)
  }

  @Test func `the JSON Schema has an alternative for each type`() throws {
    let schema = ReferenceRenderer.jsonSchema(for: Config.self)
    let root = try #require(try JSONSerialization.jsonObject(with: Data(schema.utf8)) as? [String: Any])
    let policies = try #require((root["properties"] as? [String: [String: Any]])?["policies"])
    let variants = try #require((policies["items"] as? [String: Any])?["anyOf"] as? [[String: Any]])
    #expect(variants.count == 2)
    let properties = try #require(variants[0]["properties"] as? [String: [String: Any]])
    #expect(properties["type"]?["enum"] as? [String] == ["latency", "slowness"])
    #expect(variants[0]["required"] as? [String] == ["type"])
    #expect(properties["latency"] != nil)
  }

  @Test func `secrets of the selected group are masked`() throws {
    let node = try #require(ConfigLoaderTests.load(["policies: [{type: header, name: a, token: abc}]"]).0)
    let text = node.masked(by: Config.configType).renderYAML()
    #expect(text == "policies:\n  - type: header\n    name: a\n    token: \"***\"\n")
  }
}
