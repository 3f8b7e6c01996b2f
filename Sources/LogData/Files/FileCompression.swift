internal import ConfigSchema
internal import NativeCodecs

/// `compression`: whether files are decompressed before they are read.
package enum FileCompression: String, ConfigEnum {
  case none = ""
  case gzip
  /// Those that begin as gzip files do.
  case auto

  /// Whether a file is one to be decompressed.
  ///
  /// - Parameter head: its first bytes, three if there are as many.
  package func decompresses(_ head: Span<UInt8>) -> Bool {
    switch self {
    case .none: false
    case .gzip: true
    case .auto: GzipStream.isGzip(head)
    }
  }
}
