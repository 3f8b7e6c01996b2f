import Synchronization

/// The text one part of the configuration was read from, kept so that diagnostics can quote it.
///
/// One instance is shared by every node parsed from the same input.
public final class ConfigSourceText: Sendable {
  /// Where a text came from: decides how positions in it are written.
  public enum Kind: Sendable {
    /// A file: positions are `name:line:column` and lines are quoted.
    case file
    /// Text given on the command line, such as `--set a.b=c`, or `--set a.b` when that is a secret or a `yaml:` URI.
    case commandLine
    /// The value of an environment variable: never quoted, it may hold a password.
    case environment
    /// Made by the program, such as a default: there is nothing to quote.
    case program
  }

  /// The name to print: a path, `--set a.b=c` (`--set a.b` where that holds a secret), or `env:NAME`.
  public var name: String { hidden.withLock { $0.isEmpty } ? fullName : nameWithSecrets }
  private let fullName: String
  private let nameWithSecrets: String
  /// What the text is.
  public let kind: Kind
  /// The lines of the text, without their ends. They end where YAML's lines do, so that positions agree.
  public let lines: [String]
  /// The parts of lines, by line, that hold secrets.
  private let hidden = Mutex<[Int: [Range<Int>]]>([:])

  /// Keeps `text` split into lines.
  ///
  /// - Parameter nameWithSecrets: the name to print once a secret was found in the text; absent: the same.
  public init(name: String, kind: Kind, text: String, nameWithSecrets: String? = nil) {
    fullName = name
    self.nameWithSecrets = nameWithSecrets ?? name
    self.kind = kind
    lines = Self.lines(of: text)
  }

  /// Splits at the line breaks of YAML 1.1 (§5.4): LF, CR LF, CR, NEL, LS and PS. A `Character` may hold two of them.
  static func lines(of text: String) -> [String] {
    var lines: [String] = []
    let scalars = text.unicodeScalars
    var start = scalars.startIndex
    var index = start
    while index < scalars.endIndex {
      let scalar = scalars[index]
      let end = index
      scalars.formIndex(after: &index)
      switch scalar {
      case "\n", "\u{85}", "\u{2028}", "\u{2029}": break
      case "\r": if index < scalars.endIndex, scalars[index] == "\n" { scalars.formIndex(after: &index) }
      default: continue
      }
      lines.append(String(scalars[start..<end]))
      start = index
    }
    lines.append(String(scalars[start...]))
    return lines
  }

  /// The text of a line, counted from 1, or nil beyond the end.
  public func line(_ number: Int) -> String? {
    lines.indices.contains(number - 1) ? lines[number - 1] : nil
  }

  /// Remembers that a secret stands at a place, so that no finding on the same line shows it.
  func hide(_ origin: Origin) {
    let range = (origin.column - 1)..<(origin.column - 1 + origin.length)
    hidden.withLock { $0[origin.line, default: []].append(range) }
  }

  /// The columns of a line, counted from 0, that hold secrets: the last first, and each part once.
  func hiddenColumns(ofLine number: Int) -> [Range<Int>] {
    let ranges = hidden.withLock { $0[number] ?? [] }
    return Set(ranges).sorted { $0.lowerBound > $1.lowerBound }
  }
}

/// Where a key or a value was written.
///
/// Lines and columns count from 1; columns and lengths count Unicode scalars, as YAML does.
public struct Origin: Sendable, Hashable, CustomStringConvertible {
  /// The text the position is in.
  public let source: ConfigSourceText
  /// The line, from 1.
  public let line: Int
  /// The column of the first scalar, from 1.
  public let column: Int
  /// How many Unicode scalars to underline; at least 1.
  public let length: Int

  /// A position in `source`.
  public init(source: ConfigSourceText, line: Int, column: Int, length: Int = 1) {
    self.source = source
    self.line = line
    self.column = column
    self.length = max(1, length)
  }

  /// A position for values that no file holds, such as defaults.
  public static func program(_ name: String) -> Origin {
    Origin(source: ConfigSourceText(name: name, kind: .program, text: ""), line: 1, column: 1)
  }

  /// The name of the file or option.
  public var file: String { source.name }

  /// `file:line`, or the option alone when it was given on the command line.
  public var fileAndLine: String { source.kind == .file ? "\(file):\(line)" : file }

  /// `file:line:column`, or the option alone when it was given on the command line.
  public var description: String { source.kind == .file ? "\(file):\(line):\(column)" : file }

  public static func == (left: Origin, right: Origin) -> Bool {
    left.source.name == right.source.name && left.line == right.line && left.column == right.column
      && left.length == right.length
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(source.name)
    hasher.combine(line)
    hasher.combine(column)
    hasher.combine(length)
  }
}
