internal import ConfigSchema
internal import NIOSSL

/// A key of a `tls` block names something that cannot be used.
package struct TLSFileError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Such as `cert_file`.
  package let key: String
  /// Nil for text in the configuration itself.
  package let path: String?
  /// In words.
  package let reason: String

  package var description: String { described(in: "tls") }

  /// In words, for a block that is called something else.
  package func described(in block: String) -> String {
    "\(block).\(key)\(path.map { " \($0)" } ?? ""): \(reason)"
  }
}

/// Where the certificates and the key of a `tls` block come from.
struct TLSFiles: Sendable {
  /// One of them.
  enum Source: Sendable {
    case file(key: String, path: String)
    case text(key: String, Secret)

    /// The key that is set, if any.
    init?(fileKey: String, _ path: String, textKey: String, _ text: Secret) {
      if !path.isEmpty {
        self = .file(key: fileKey, path: path)
      } else if !text.isEmpty {
        self = .text(key: textKey, text)
      } else {
        return nil
      }
    }

    /// Certificates and keys are a few KiB; a bundle of every CA is a few hundred.
    private static let largestFile = 4 << 20

    func read() throws(TLSFileError) -> [UInt8] {
      switch self {
      case .text(_, let text): return Array(text.reveal().utf8)
      case .file(let key, let path):
        do {
          return try FileBytes.read(path, limit: Self.largestFile)
        } catch {
          throw TLSFileError(key: key, path: path, reason: error.reason)
        }
      }
    }

    func error(_ reason: String) -> TLSFileError {
      switch self {
      case .file(let key, let path): TLSFileError(key: key, path: path, reason: reason)
      case .text(let key, _): TLSFileError(key: key, path: nil, reason: reason)
      }
    }
  }

  /// The bytes of all of them at one time.
  struct Content: Sendable, Equatable {
    var certificate: [UInt8]?
    var key: [UInt8]?
    var authorities: [UInt8]?
  }

  var certificate: Source?
  var key: Source?
  var authorities: Source?

  init(_ settings: TLSSettings, authorities: Source?) {
    certificate = Source(
      fileKey: "cert_file", settings.certFile, textKey: "cert_pem", Secret(settings.certPEM))
    key = Source(fileKey: "key_file", settings.keyFile, textKey: "key_pem", settings.keyPEM)
    self.authorities = authorities
  }

  /// Whether there is nothing to read.
  var isEmpty: Bool { certificate == nil && key == nil && authorities == nil }

  /// Reads them all. Blocks.
  func read() throws(TLSFileError) -> Content {
    var content = Content()
    content.certificate = try certificate?.read()
    content.key = try key?.read()
    content.authorities = try authorities?.read()
    return content
  }

  /// Fills in what a TLS configuration shows: certificate chain and key.
  func fill(_ configuration: inout TLSConfiguration, with content: Content) throws(TLSFileError) {
    if let source = certificate, let bytes = content.certificate {
      configuration.certificateChain = try Self.certificates(bytes, source).map { .certificate($0) }
    }
    if let source = key, let bytes = content.key {
      configuration.privateKey = .privateKey(try Self.privateKey(bytes, source))
    }
  }

  /// The CA certificates; nil when none are configured.
  func trusted(_ content: Content) throws(TLSFileError) -> [NIOSSLCertificate]? {
    guard let source = authorities, let bytes = content.authorities else { return nil }
    return try Self.certificates(bytes, source)
  }

  private static func certificates(
    _ bytes: [UInt8], _ source: Source
  ) throws(TLSFileError) -> [NIOSSLCertificate] {
    do {
      let certificates = try NIOSSLCertificate.fromPEMBytes(bytes)
      if !certificates.isEmpty { return certificates }
    } catch {}
    throw source.error("it is not a certificate in PEM format (-----BEGIN CERTIFICATE-----)")
  }

  private static func privateKey(
    _ bytes: [UInt8], _ source: Source
  ) throws(TLSFileError) -> NIOSSLPrivateKey {
    do {
      return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
    } catch {
      let isEncrypted = String(decoding: bytes, as: UTF8.self).contains("ENCRYPTED")
      throw source.error(
        isEncrypted
          ? "the key is encrypted: decrypt it, such as with openssl pkey"
          : "it is not a private key in PEM format (-----BEGIN PRIVATE KEY-----)")
    }
  }

  /// Makes the context, which also shows whether key and certificate belong together.
  func context(_ configuration: TLSConfiguration) throws(TLSFileError) -> NIOSSLContext {
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch NIOSSLError.failedToLoadPrivateKey {
      if let key { throw key.error("the key does not belong to the certificate") }
      throw TLSFileError(key: "key_file", path: nil, reason: "it cannot be used")
    } catch NIOSSLError.failedToLoadCertificate {
      if let source = certificate ?? authorities { throw source.error("the certificate cannot be used") }
      throw TLSFileError(key: "ca_file", path: nil, reason: "the certificate cannot be used")
    } catch {
      if configuration.trustRoots == nil || configuration.trustRoots == .default {
        throw TLSFileError(
          key: "ca_file", path: nil,
          reason: "it is not set, and the system's CA certificates cannot be read: install them or set it")
      }
      throw TLSFileError(key: "cert_file", path: nil, reason: "\(error)")
    }
  }
}
