import ConfigSchema
import Testing

@testable import LogData

@Suite struct LineConfigTests {
  /// Decodes a section, and renders what was found.
  static func decode<Group: ConfigGroup>(_ type: Group.Type, _ yaml: String) throws -> (Group?, Diagnostics) {
    let (root, loading) = ConfigLoader.load(
      sources: [.text(yaml, name: "test.yaml")],
      environment: ConfigEnvironment(variable: { _ in nil }, file: { _ in .failure(.notFound) }))
    var diagnostics = loading
    let node = try #require(root, "\(loading.render())")
    let group = ConfigDecoder.decode(type, from: node, path: "file_log", diagnostics: &diagnostics)
    return (group, diagnostics)
  }

  private func problems(_ yaml: String) throws -> String {
    try Self.decode(LineConfig.self, yaml).1.render()
  }

  @Test func `settings make a framing`() throws {
    let yaml = """
      encoding: UTF-16LE
      multiline:
        line_start_pattern: ^\\d{4}-
        omit_pattern: true
      preserve_leading_whitespaces: true
      """
    let (config, diagnostics) = try Self.decode(LineConfig.self, yaml)
    #expect(diagnostics.isEmpty, "\(diagnostics.render())")
    let framing = try #require(config).makeFraming(
      limit: 99, oversize: .truncate, flushPeriod: .milliseconds(500))
    #expect(framing.encoding == .utf16LittleEndian)
    #expect(framing.limit == 98)
    #expect(framing.oversize == .truncate)
    #expect(!framing.trimsLeading && framing.trimsTrailing)
    #expect(framing.flushPeriod == 500_000_000)
    guard case .start(let pattern, true) = framing.boundary else {
      Issue.record("no start pattern")
      return
    }
    let isMatched = pattern.pattern.matches("a\n2024-".utf8.span)
    #expect(isMatched)
    #expect(LineConfig().makeFraming(limit: 1).flushPeriod == 0)
  }

  @Test func `an encoding that does not exist is an error with the nearest name`() throws {
    let found = try problems("encoding: utf-16-le")
    #expect(found.contains("test.yaml:1:11"))
    #expect(found.contains("there is no encoding \"utf-16-le\""))
    #expect(found.contains("did you mean \"utf-16le\"?"))
  }

  @Test func `a pattern that does not compile is shown at its mistake`() throws {
    let found = try problems("multiline:\n  line_start_pattern: '^\\d{4}-[0-9'\n")
    #expect(found.contains("test.yaml:2:31"), "\(found)")
    #expect(found.contains("missing ]"))
    #expect(!found.contains("(?m)"))
  }

  @Test func `settings that contradict each other are errors`() throws {
    #expect(
      try problems("multiline: {line_start_pattern: a, line_end_pattern: b}").contains(
        "only one of line_start_pattern and line_end_pattern"))
    #expect(try problems("encoding: nop\nmultiline: {line_end_pattern: b}").contains("encoding: nop"))
    #expect(try problems("multiline: {omit_pattern: true}").contains("has no effect without a pattern"))
  }
}
