import ConfigSchema
import Testing

@testable import LogData

/// Fields as they are written in the configuration.
@Suite struct FieldPathTests {
  @Test(arguments: [
    ("body", FieldPath(.body)), ("body.a.b", FieldPath(.body, ["a", "b"])),
    ("attributes.x", FieldPath(.attributes, ["x"])), ("attributes[\"a.b\"]", FieldPath(.attributes, ["a.b"])),
    ("resource['k'].x[\"]\"]", FieldPath(.resource, ["k", "x", "]"])),
    ("[\"body\"].a", FieldPath(.body, ["a"])),
    ("body.ä b", FieldPath(.body, ["ä b"])), ("body[\"\"]", FieldPath(.body, [""])),
  ])
  func `a field is read`(text: String, path: FieldPath) throws {
    #expect(try FieldPath(text) == path)
    #expect(try FieldPath(path.description) == path)
  }

  @Test(arguments: [
    ("x", 0..<1, "write body.x or attributes.x"), ("body.", 5..<5, ""), ("body..a", 5..<5, ""),
    ("body[a]", 5..<6, "write [\"key\"]"), ("body[\"a\"", 4..<5, ""), ("body[\"a]", 5..<6, ""),
    ("body[", 4..<5, ""),
    ("body[\"a\"b]", 8..<9, ""), ("body[\"a\"]b", 9..<10, ""), ("$body.x", 0..<5, "write body.x"),
    ("$record.x", 0..<7, "write body.x"), ("$labels['x']", 0..<7, "write attributes['x']"),
    ("$.x", 0..<1, "write body.x"),
    ("$", 0..<1, "write body"), ("$x.y", 0..<2, "write body.x.y"), (".x", 0..<0, ""),
  ])
  func `what is no field is refused where it is wrong`(text: String, range: Range<Int>, help: String) {
    let error = #expect(throws: FieldSyntaxError.self) { try FieldPath(text) }
    #expect(error?.range == range)
    #expect(error?.help ?? "" == help)
  }

  struct Config: ConfigGroup {
    var field: FieldPath?
    var rootable: RootableFieldPath?
    static let fields: [Field<Self>] = [
      Field("field", \.field, "A field."), Field("rootable", \.rootable, "A field or all of them."),
    ]
  }

  @Test(arguments: [
    ("field: attributes", "test.yaml:1:8+10"), ("field: body..x", "test.yaml:1:13+1"),
    ("field: 'body[\"a\"]b'", "test.yaml:1:18+1"), ("rootable: $attributes", "test.yaml:1:11+11"),
    ("rootable: attributes", ""), ("field: resource.a", ""), ("field: [a]", "test.yaml:1:8+1"),
  ])
  func `a mistake is shown within the field`(yaml: String, place: String) throws {
    let (root, _) = ConfigLoader.load(sources: [.text(yaml, name: "test.yaml")])
    var diagnostics = Diagnostics()
    _ = ConfigDecoder.decode(Config.self, from: try #require(root), path: "", diagnostics: &diagnostics)
    let origin = diagnostics.all.first?.location
    #expect(origin.map { "\($0)+\($0.length)" } ?? "" == place, "\(diagnostics.render())")
  }
}
