/// What loading may read from outside: files and environment variables.
///
/// Everything else in this module is pure, so a test passes dictionaries and gets the same result anywhere.
public struct ConfigEnvironment: Sendable {
  /// Why a file could not be read.
  public enum ReadError: Error, Equatable, CustomStringConvertible {
    case notFound
    case notAllowed
    case isDirectory
    /// Larger than ``ConfigEnvironment/largestFile``.
    case tooLarge
    /// Not UTF-8; the offset of the first wrong byte.
    case notText(offset: Int)
    /// Any other answer of the operating system.
    case system(String)

    /// The end of the sentence "cannot read the file: …".
    public var description: String {
      switch self {
      case .notFound: "there is no such file"
      case .notAllowed: "permission denied"
      case .isDirectory: "it is a directory"
      case .tooLarge: "it is larger than \(ConfigEnvironment.largestFile >> 20) MiB"
      case .notText(let offset): "it is not UTF-8 text, from byte \(offset) on"
      case .system(let reason): reason
      }
    }
  }

  /// The largest file that is read, in bytes.
  public static let largestFile = 16 << 20

  /// The value of an environment variable, or nil when it is not set.
  public let variable: @Sendable (String) -> String?
  /// The text of a file.
  public let file: @Sendable (String) -> Result<String, ReadError>

  public init(
    variable: @escaping @Sendable (String) -> String?,
    file: @escaping @Sendable (String) -> Result<String, ReadError>
  ) {
    self.variable = variable
    self.file = file
  }

  /// An environment held in memory.
  public init(variables: [String: String] = [:], files: [String: String] = [:]) {
    self.init(
      variable: { variables[$0] },
      file: { path in files[path].map { .success($0) } ?? .failure(.notFound) })
  }

  /// The files and variables of this process.
  public static let process = ConfigEnvironment(
    variable: { ProcessReading.variable($0) },
    file: { path in
      ProcessReading.bytes(ofFile: path, limit: largestFile).flatMap { bytes in
        text(bytes).map { .success($0) } ?? .failure(.notText(offset: firstInvalidByte(bytes)))
      }
    })

  private static func text(_ bytes: [UInt8]) -> String? { String(validating: bytes, as: UTF8.self) }

  /// The length of the longest valid prefix.
  private static func firstInvalidByte(_ bytes: [UInt8]) -> Int {
    var good = 0
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    while case .scalarValue(let scalar) = decoder.decode(&iterator) { good += UTF8.width(scalar) }
    return good
  }
}
