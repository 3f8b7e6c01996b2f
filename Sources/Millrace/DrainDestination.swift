import ConfigSchema
import PipelineKit
import TelemetryData

/// Where `millrace storage drain` sends: an OTLP exporter made from a URL, as if it stood in a configuration.
struct DrainDestination {
  let url: String
  private let component: DecodedComponent

  /// Why there is no such destination.
  struct Problem: Error { let text: String }

  /// Reads `http://…`, `https://…`, `grpc://host:port` (plaintext) or `grpcs://host:port`, `key=value` headers, and
  /// further settings of the exporter as `key=value`.
  init(url: String, headers: [String], settings further: [String] = []) throws(Problem) {
    self.url = url
    var settings: [ConfigLiteral.Entry] = []
    let type: String
    switch url.firstRange(of: "://").map({ url[..<$0.lowerBound].lowercased() }) {
    case "http", "https":
      type = "otlp_http"
      settings.append(.init("endpoint", .string(url)))
    case "grpc", "grpcs":
      type = "otlp_grpc"
      let isPlain = url.lowercased().hasPrefix("grpc:")
      settings.append(.init("endpoint", .string(String(url.dropFirst(isPlain ? 7 : 8)))))
      if isPlain { settings.append(.init("tls", .map([.init("insecure", .bool(true))]))) }
    default:
      throw Problem(
        text: "--to must be http://…, https://… or grpc://host:port, is \"\(URLSecrets.masked(url))\"")
    }
    var pairs: [ConfigLiteral.Entry] = []
    for header in headers {
      guard let equals = header.firstIndex(of: "="), equals > header.startIndex else {
        throw Problem(text: "--header must be key=value, is \"\(header.prefix { $0 != " " })\"")
      }
      pairs.append(
        .init(String(header[..<equals]), .string(String(header[header.index(after: equals)...]))))
    }
    if !pairs.isEmpty { settings.append(.init("headers", .map(pairs))) }
    component = try Self.decoded(.map(settings), further, as: type)
  }

  func exporter(_ context: ComponentContext) throws -> any Exporter {
    guard let exporter = try component.make(context) as? any Exporter else {
      throw StartError("\(url) is no destination for batches")
    }
    return exporter
  }

  /// Through the same checks as a configuration file.
  private static func decoded(
    _ settings: ConfigLiteral, _ further: [String], as type: String
  ) throws(Problem) -> DecodedComponent {
    // JSON is YAML; a dollar would begin a reference.
    let text = settings.json.replacing("$", with: "$$")
    var (root, diagnostics) = ConfigLoader.load(
      sources: [.text(text, name: "--to")], overrides: further, environment: ConfigEnvironment())
    var component: DecodedComponent?
    if let root, let entry = Catalog.standard.entry(.exporter, named: type) {
      component = entry.decode(root, type, root.origin, &diagnostics)
    }
    if let problem = component?.problem(Signal.allCases) { throw Problem(text: "--to \(problem)") }
    guard !diagnostics.hasErrors, let component else {
      let messages = diagnostics.all.filter { $0.severity == .error }.map { "\($0.path): \($0.message)" }
      throw Problem(text: "--to, --header or --set cannot be used: " + messages.joined(separator: "; "))
    }
    return component
  }
}
