/// One finding about the configuration: what, where, and what to do.
public struct Diagnostic: Sendable, Hashable {
  /// How bad it is: errors stop the start, warnings and notes do not.
  public enum Severity: String, Sendable, Comparable {
    case note, warning, error

    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .note: 0
      case .warning: 1
      case .error: 2
      }
    }
  }

  /// Another place that belongs to the finding, such as the first of two equal keys.
  public struct Related: Sendable, Hashable {
    public let origin: Origin
    public let message: String

    public init(_ origin: Origin, _ message: String) {
      self.origin = origin
      self.message = message
    }
  }

  public let severity: Severity
  /// A stable short identifier such as `unknown-key`, for documentation and for scripts.
  public let code: String
  /// One sentence, lower case, without a final stop.
  public let message: String
  /// Where; nil when the finding is about the command line or about something missing altogether.
  public let location: Origin?
  /// The configuration path, such as `exporters.otlp.sending_queue.queue_siz`; may be empty.
  public let path: String
  /// What to do.
  public let help: String?
  /// Other places that belong to it.
  public let context: [Related]
  /// Whether the quoted line must not show the value, because it is secret.
  public let hidesValue: Bool

  public init(
    _ severity: Severity, code: String, _ message: String, at location: Origin? = nil, path: String = "",
    help: String? = nil, context: [Related] = [], hidesValue: Bool = false
  ) {
    self.severity = severity
    self.code = code
    self.message = URLSecrets.masked(message)
    self.location = location
    self.path = path
    self.help = help.map(URLSecrets.masked)
    self.context = context
    self.hidesValue = hidesValue
  }
}

/// Every finding about a configuration, collected so that all are shown at once.
public struct Diagnostics: Sendable {
  /// The findings in the order they were made.
  public private(set) var all: [Diagnostic] = []
  /// How many errors there are.
  public private(set) var errorCount = 0
  private var known: Set<Diagnostic> = []

  public init() {}

  /// Whether any finding stops the start.
  public var hasErrors: Bool { errorCount > 0 }

  /// Whether nothing was found.
  public var isEmpty: Bool { all.isEmpty }

  /// How many findings have the severity.
  public func count(_ severity: Diagnostic.Severity) -> Int {
    all.reduce(0) { $0 + ($1.severity == severity ? 1 : 0) }
  }

  /// Adds one; the same finding twice is kept once.
  public mutating func append(_ diagnostic: Diagnostic) {
    guard known.insert(diagnostic).inserted else { return }
    all.append(diagnostic)
    if diagnostic.severity == .error { errorCount += 1 }
  }

  /// Adds all of another collection.
  public mutating func append(contentsOf other: Diagnostics) {
    for diagnostic in other.all { append(diagnostic) }
  }

  /// Adds an error.
  public mutating func error(
    _ code: String, _ message: String, at location: Origin? = nil, path: String = "", help: String? = nil,
    context: [Diagnostic.Related] = []
  ) {
    append(
      Diagnostic(.error, code: code, message, at: location, path: path, help: help, context: context))
  }

  /// Adds a warning.
  public mutating func warning(
    _ code: String, _ message: String, at location: Origin? = nil, path: String = "", help: String? = nil,
    context: [Diagnostic.Related] = []
  ) {
    append(
      Diagnostic(.warning, code: code, message, at: location, path: path, help: help, context: context))
  }

  /// Adds a note.
  public mutating func note(
    _ code: String, _ message: String, at location: Origin? = nil, path: String = "", help: String? = nil,
    context: [Diagnostic.Related] = []
  ) {
    append(
      Diagnostic(.note, code: code, message, at: location, path: path, help: help, context: context))
  }

  /// Whether an error was reported at the path or below it.
  func hasError(at path: String) -> Bool {
    all.contains {
      $0.severity == .error
        && ($0.path == path || $0.path.hasPrefix(path + ".") || $0.path.hasPrefix(path + "["))
    }
  }
}
