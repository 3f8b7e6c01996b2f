/// How the collector names itself to others.
public enum Product {
  /// The version of the release, as `--version` prints it.
  public static let version = "0.1.0"
  /// The `User-Agent` of every request that exporters and receivers send.
  public static let userAgent = "Millrace/\(version)"
}
