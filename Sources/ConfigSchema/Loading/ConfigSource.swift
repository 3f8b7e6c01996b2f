/// One input of the configuration, as named on the command line.
public struct ConfigSource: Sendable, Hashable {
  /// What an input is.
  enum Kind: Sendable, Hashable {
    case file(path: String)
    case environment(name: String)
    case yaml(String)
    case text(name: String, String)
    case unsupported(scheme: String)
  }

  let kind: Kind
  /// The input as given.
  public let name: String

  /// A path, or a URI: `file:path`, `env:NAME`, `yaml:text`.
  ///
  /// A `yaml:` text may use `::` between keys: `yaml:processors::batch::timeout: 2s`. Other schemes are refused
  /// when loading.
  public init(_ argument: String) {
    name = argument
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      kind = .file(path: argument)
      return
    }
    let rest = String(parts[1])
    switch parts[0].lowercased() {
    case "file": kind = .file(path: rest.hasPrefix("///") ? String(rest.dropFirst(2)) : rest)
    case "env": kind = .environment(name: rest)
    case "yaml": kind = .yaml(rest)
    case "http", "https": kind = .unsupported(scheme: parts[0].lowercased())
    default: kind = rest.hasPrefix("//") ? .unsupported(scheme: String(parts[0])) : .file(path: argument)
    }
  }

  /// A file.
  public static func file(_ path: String) -> ConfigSource {
    ConfigSource(kind: .file(path: path), name: path)
  }

  /// A text that is built in or made by a test; diagnostics quote it under `name`.
  public static func text(_ text: String, name: String) -> ConfigSource {
    ConfigSource(kind: .text(name: name, text), name: name)
  }

  private init(kind: Kind, name: String) {
    self.kind = kind
    self.name = name
  }
}
