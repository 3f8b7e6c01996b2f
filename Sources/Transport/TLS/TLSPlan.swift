internal import ConfigSchema
internal import Logging
internal import NIOCore
internal import NIOSSL

extension TLSConfiguration {
  /// Applies versions, cipher suites and curves.
  /// - Parameter patience: how long a peer may take to confirm the end of a connection.
  mutating func apply(_ settings: TLSSettings, patience: TimeAmount) {
    minimumTLSVersion = settings.minVersion.version
    maximumTLSVersion = settings.maxVersion?.version
    let listed = settings.cipherSuites.filter { !TLSCipherSuites.tls13.contains($0) }
    if settings.namesOnlyTLS13Suites { minimumTLSVersion = .tlsv13 }
    cipherSuites = (listed.isEmpty ? TLSCipherSuites.secure : listed).joined(separator: ":")
    if !settings.curvePreferences.isEmpty { curves = settings.curvePreferences.map(\.curve) }
    shutdownTimeout = patience
  }
}

extension ServerTLSConfig {
  /// The contexts of a server, which follow the files.
  func contexts(applicationProtocols: [String], logger: Logger) -> TLSRenewal<NIOSSLContext> {
    let authorities = TLSFiles.Source(
      fileKey: "client_ca_file", clientCAFile, textKey: "client_ca_file", Secret(""))
    let files = TLSFiles(settings, authorities: authorities)
    let settings = settings
    return TLSRenewal(files: files, interval: reloadInterval, logger: logger) {
      content throws(TLSFileError) in
      // The defaults of clients and servers differ only in whom they verify.
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.certificateVerification = .none
      configuration.apply(settings, patience: .seconds(1))
      configuration.applicationProtocols = applicationProtocols
      try files.fill(&configuration, with: content)
      if let trusted = try files.trusted(content) {
        configuration.trustRoots = .certificates(trusted)
        configuration.certificateVerification = .noHostnameVerification
        configuration.sendCANameList = true
      }
      let context = try files.context(configuration)
      configuration.warnOfExpiry(logger)
      return context
    }
  }
}

extension TLSConfiguration {
  /// Says when the certificate that is shown is out of date: it is used all the same, as clients may not mind.
  func warnOfExpiry(_ logger: Logger?) {
    guard case .certificate(let certificate)? = certificateChain.first else { return }
    guard let problem = TLSFailureText.dateProblem(of: certificate) else { return }
    logger?.warning("the certificate of this server is out of date", metadata: ["reason": "\(problem)"])
  }
}

extension ClientTLSConfig {
  var files: TLSFiles {
    TLSFiles(
      settings,
      authorities: TLSFiles.Source(fileKey: "ca_file", caFile, textKey: "ca_pem", Secret(caPEM)))
  }

  /// How often the files are looked at; nil for never again.
  var reloadInterval: Duration? { settings.reloadInterval > .zero ? settings.reloadInterval : nil }

  /// The configuration of connections, without the protocols to offer.
  func configuration(_ files: TLSFiles, _ content: TLSFiles.Content) throws(TLSFileError) -> TLSConfiguration
  {
    var configuration = TLSConfiguration.makeClientConfiguration()
    // A client closes when it has all its answers: nothing can be lost any more.
    configuration.apply(settings, patience: .milliseconds(100))
    try files.fill(&configuration, with: content)
    if insecureSkipVerify {
      configuration.certificateVerification = .none
    } else if let trusted = try files.trusted(content) {
      if includeSystemCACertsPool {
        configuration.additionalTrustRoots = [.certificates(trusted)]
      } else {
        configuration.trustRoots = .certificates(trusted)
      }
    }
    return configuration
  }

  /// The contexts of a client, which follow the files.
  func contexts(applicationProtocols: [String], logger: Logger?) -> TLSRenewal<NIOSSLContext> {
    let files = files
    return TLSRenewal(files: files, interval: reloadInterval, logger: logger) {
      content throws(TLSFileError) in
      var configuration = try configuration(files, content)
      configuration.applicationProtocols = applicationProtocols
      return try files.context(configuration)
    }
  }
}

/// Tells IP addresses from names.
enum IPLiteral {
  static func isAddress(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }
}
