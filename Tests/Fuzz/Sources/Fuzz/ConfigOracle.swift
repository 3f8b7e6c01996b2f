import ConfigSchema
import PipelineKit

@testable import Engine

/// What must hold for any text that is given as configuration.
///
/// Never a crash; every error says where; what was read can be written and read again. `standardCatalog` is
/// `Catalog.standard` of the executable, which another package cannot import: `run` copies its file.
enum ConfigOracle {
  static func check(_ input: [UInt8]) throws {
    // Files that are not UTF-8 are refused before they are parsed.
    guard let text = String(validating: input, as: UTF8.self) else { return }
    var sources = [ConfigSource.text(text, name: "fuzz.yaml")]
    var overrides: [String] = []
    // A first line such as `#set a.b=c` is an argument of the command.
    if text.hasPrefix("#set ") { overrides.append(String(text.dropFirst(5).prefix { !$0.isNewline })) }
    if text.hasPrefix("#yaml ") { sources.append(ConfigSource("yaml:\(text.dropFirst(6))")) }
    let environment = ConfigEnvironment(
      variables: ["A": "1", "B": "${env:B}", "C": "[1, {x: ${env:A}}]", "D": "a: b: c", "E": "${file:f}"],
      files: ["f": "receivers: {otlp: {}}", "g": "${env:C}"])
    var (root, diagnostics) = ConfigLoader.load(
      sources: sources, overrides: overrides, environment: environment)
    if let root {
      let isReadable = !diagnostics.hasErrors
      _ = Plan.make(from: root, catalog: standardCatalog, diagnostics: &diagnostics)
      if isReadable { try checkWriting(root) }
      _ = root.renderJSON()
      _ = root.renderYAML(origins: true)
    } else {
      try require(diagnostics.hasErrors, "nothing was read, and no error says why")
    }
    try checkDiagnostics(diagnostics)
  }

  private static func checkDiagnostics(_ diagnostics: Diagnostics) throws {
    for diagnostic in diagnostics.sorted where diagnostic.severity == .error {
      // An empty file has no place to point at.
      if diagnostic.code == "empty-config" { continue }
      guard let place = diagnostic.location else {
        throw OracleFailure(
          description: "an error without a place: \(diagnostic.code): \(diagnostic.message)")
      }
      try require(
        place.line >= 1 && place.column >= 1 && place.length >= 1, "\(diagnostic.code) at \(place)")
      if place.source.kind == .file, place.source.line(place.line) == nil {
        throw OracleFailure(description: "\(diagnostic.code) at \(place), which the file does not have")
      }
    }
    let plain = diagnostics.render()
    _ = diagnostics.render(colour: true)
    _ = diagnostics.json()
    try require(diagnostics.summary.isEmpty == plain.isEmpty, "the summary misses what is rendered")
  }

  /// `--print-config` gives a file that means the same.
  private static func checkWriting(_ root: ConfigNode) throws {
    let text = root.renderYAML()
    // A `$` was substituted already; written out it would be read as a reference. And the parser drops a byte order
    // mark at the start of a text, even an escaped one.
    if text.contains("$") || text.contains("\\ufeff") { return }
    let (again, diagnostics) = ConfigLoader.load(
      sources: [.text(text, name: "again.yaml")], environment: ConfigEnvironment())
    guard let again, !diagnostics.hasErrors else {
      throw OracleFailure(description: "what was written cannot be read:\n\(text)\n\(diagnostics.render())")
    }
    let (first, second) = (root.renderJSON(), again.renderJSON())
    let same = zip(first, second).prefix { $0 == $1 }.count
    try require(
      first == second,
      "what was written reads differently: \(first.dropFirst(max(0, same - 40)).prefix(80)) as "
        + "\(second.dropFirst(max(0, same - 40)).prefix(80)), from\n\(text)")
  }

  static let seeds: [[UInt8]] = [
    """
    receivers:
      otlp:
        protocols:
          grpc: {endpoint: "localhost:4317", keepalive: {enforcement_policy: {min_time: 10s}}}
          http:
            endpoint: localhost:4318
            cors: {allowed_origins: ["http://*.example"]}
    processors:
      batch: &batch
        timeout: 200ms
        send_batch_size: 8192
        metadata_keys: [x-tenant]
    exporters:
      otlp/a: {endpoint: "b:4317", tls: {insecure: true}, sending_queue: {queue_size: 10}}
      debug: {verbosity: detailed}
      file: {path: /tmp/x, rotation: {max_megabytes: 1}}
    extensions:
      health_check:
    service:
      extensions: [health_check]
      pipelines:
        traces: {receivers: [otlp], processors: [batch], exporters: [otlp/a, debug]}
        logs/x: {receivers: [otlp], exporters: [file]}
      telemetry: {logs: {level: info}}
    """,
    """
    #set service.telemetry.logs.level=debug
    receivers: {otlp: {protocols: {grpc: }}}
    exporters: {nop: , otlp_http: {endpoint: "http://${env:A}:4318", headers: {a: ${env:C}}, compression: gzip}}
    service: {pipelines: {metrics: {receivers: [otlp], exporters: [nop, otlp_http]}}}
    """,
    "a: &a [1, 2]\nb: *a\nc: {<<: {x: 1}, y: |\n  text\n  more\n}\nd: ${file:f}\ne: $$x ${env:Z:-z}\nf: !!str 1\n",
    "#yaml processors::batch::timeout: 2s\nx: \"\\u00e9\\n\"\ny: 'it''s'\nz: >-\n  folded\n\n  text\n? k\n: v\n",
  ].map { Array($0.utf8) }
}
