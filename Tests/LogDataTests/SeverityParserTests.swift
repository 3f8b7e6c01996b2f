import Testing

@testable import LogData

/// The Collector's documented examples of severities, and more.
@Suite struct SeverityParserTests {
  @Test(arguments: [
    (#""ERROR""#, "", "17 ERROR"), (#""error""#, "", "17 error"), (#""Warning""#, "", "13 Warning"),
    (#""err4""#, "", "20 err4"), (#""9""#, "", "9 9"), ("13", "", "13 13"), ("17.0", "", "17 17"),
    (#""unknown""#, "", "0 unknown"), ("25", "", "0 25"), (#""""#, "", "0 "),
    (#""warning""#, "preset: otel", "0 warning"), (#""WARN3""#, "preset: otel", "15 WARN3"),
    (#""warn3""#, "preset: aliases", "15 warn3"), (#""ERROR""#, "preset: none", "0 ERROR"),
    (#""nooo!""#, "mapping: {error: nooo!}", "17 nooo!"),
    (#""ERROR""#, "mapping: {error: nooo!}", "17 ERROR"),
    (#""nooo!""#, "preset: none, mapping: {error: nooo!}", "17 nooo!"),
    (#""nooooooo""#, "mapping: {error: [nooo!, nooooooo], info: HEY, debug: 1234}", "17 nooooooo"),
    (#""hey""#, "mapping: {error: [nooo!, nooooooo], info: HEY, debug: 1234}", "9 hey"),
    ("1234", "mapping: {error: [nooo!, nooooooo], info: HEY, debug: 1234}", "5 1234"),
    ("3", "mapping: {error: [{min: 1, max: 5}], fatal: [{min: 6, max: 10}]}", "17 3"),
    ("9", "mapping: {error: [{min: 1, max: 5}], fatal: [{max: 6, min: 10}]}", "21 9"),
    (#""5""#, "mapping: {error: {min: 1, max: 5}}", "17 5"),
    ("12", "mapping: {error: [{min: 1, max: 5}]}", "12 12"),
    (#""05""#, "mapping: {error: {min: 1, max: 5}}", "0 05"),
    (#""-3""#, "mapping: {error: {min: -5, max: 5}}", "17 -3"),
    ("302", "mapping: {warn: 5xx, error: 4xx, info: 3xx, debug: 2xx}", "9 302"),
    (#""404""#, "mapping: {warn: 5xx, error: 4xx, info: 3xx, debug: 2xx}", "17 404"),
    ("200", "mapping: {warn: 5xx, error: 4xx, info: 3xx, debug: 2xx}", "5 200"),
    ("404", "mapping: {info: {min: 400, max: 499}, error: 404}", "17 404"),
    ("200", "mapping: {default: 2xx, '21': 5xx}", "0 200"), ("500", "mapping: {21: 5xx}", "21 500"),
    (#""Österreich""#, "mapping: {info2: österreich}", "0 Österreich"),
    (#""österReich""#, "mapping: {info2: ÖSTERREICH}", "10 österReich"),
    (#""nooo!""#, "overwrite_text: true, mapping: {error2: nooo!}", "18 ERROR2"),
    (#""never""#, "overwrite_text: true", "0 never"),
  ]) func `a value is a severity`(_ value: String, _ keys: String, _ expected: String) throws {
    let rest = keys.isEmpty ? "" : ", \(keys)"
    let run = try EntryRun("{\"s\":\(value)}", "- {type: severity_parser, parse_from: body.s\(rest)}")
    #expect(run.severity == expected)
    #expect(run.problems.isEmpty)
  }

  @Test(arguments: [
    (#"{}"#, "there is no body.s"), (#"{"s":1.5}"#, "body.s: a severity must be a whole number"),
    (#"{"s":true}"#, "body.s: a severity cannot be read from a boolean"),
    (#"{"s":{}}"#, "body.s: a severity cannot be read from a map"),
  ]) func `what is no severity leaves the entry as it was`(_ json: String, _ problem: String) throws {
    let run = try EntryRun(json, "- {type: severity_parser, parse_from: body.s}")
    #expect(run.problems == ["severity_parser: \(problem)"])
    #expect(run.severity == "0 ")
  }

  @Test(
    arguments: [
      ("mapping: {eror: oops}", "mapping.eror: there is no such severity", "did you mean \"error\"?"),
      (
        "mapping: {'25': oops}", "mapping.25: there is no such severity",
        "write trace, debug, info, warn, error or fatal, each also with 2, 3 or 4"
      ),
      (
        "mapping: {error: {min: 1}}",
        "expected a text, a number, 2xx to 5xx, or a range such as {min: 300, max: 399}, found a section of keys",
        nil
      ),
      ("preset: deflt", "expected one of default, none, otel, found deflt", "did you mean \"default\"?"),
    ] as [(String, String, String?)])
  func `mistakes are found at check`(_ keys: String, _ message: String, _ help: String?) throws {
    let (list, diagnostics) = try Operators.decode("- {type: severity_parser, parse_from: body, \(keys)}")
    #expect(list == nil)
    #expect(diagnostics.all.map(\.message) == [message])
    #expect(diagnostics.all.first?.help == help)
  }

  @Test func `a table of many texts finds each of them`() {
    var table = SeverityTable()
    for number in 0..<3000 { table.add(.text("word\(number)"), Int32(number % 24 + 1)) }
    for number in 0..<3000 {
      #expect(table.severity(of: Array("WORD\(number)".utf8).span) == Int32(number % 24 + 1))
    }
    #expect(table.severity(of: Array("word3000".utf8).span) == nil)
  }
}
