import Foundation

/// Certificates made with the `openssl` command in a directory of their own.
final class TLSTestCertificates: Sendable {
  /// Made once for all tests.
  static let shared: TLSTestCertificates? = try? TLSTestCertificates()

  struct Failed: Error, CustomStringConvertible { let description: String }

  let directory: String

  /// What is made: two authorities, and certificates of the first, except `stranger`.
  init() throws {
    directory = NSTemporaryDirectory() + "millrace-tls-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for name in ["ca", "other"] {
      try openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
        "-subj", "/CN=Test \(name)", "-keyout", path("\(name).key"), "-out", path("\(name).pem"))
    }
    try issue("server", serial: 16)
    try issue("renewed", serial: 17)
    try issue("expired", serial: 18, days: -1)
    try issue("elsewhere", names: "DNS:elsewhere.test", serial: 19)
    try issue("client", names: "DNS:client.test", serial: 20)
    try issue("stranger", by: "other", names: "DNS:client.test,DNS:localhost,IP:127.0.0.1", serial: 21)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func path(_ file: String) -> String { "\(directory)/\(file)" }

  func text(_ file: String) throws -> String { try String(contentsOfFile: path(file), encoding: .utf8) }

  /// Makes `name.pem` and `name.key`.
  func issue(
    _ name: String, by authority: String = "ca", names: String = "DNS:localhost,IP:127.0.0.1", serial: Int,
    days: Int = 30
  ) throws {
    try openssl(
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(name)",
      "-keyout", path("\(name).key"), "-out", path("\(name).csr"))
    try "subjectAltName=\(names)".write(toFile: path("\(name).ext"), atomically: true, encoding: .utf8)
    try openssl(
      "x509", "-req", "-in", path("\(name).csr"), "-CA", path("\(authority).pem"), "-CAkey",
      path("\(authority).key"), "-set_serial", "\(serial)", "-days", "\(days)", "-extfile",
      path("\(name).ext"), "-out", path("\(name).pem"))
  }

  /// Puts copies of a certificate and its key at `target`, as renewals do: each file in one step.
  func install(_ name: String, as target: String) throws {
    for kind in ["pem", "key"] {
      let content = try Data(contentsOf: URL(fileURLWithPath: path("\(name).\(kind)")))
      try content.write(to: URL(fileURLWithPath: path("\(target).\(kind)")), options: .atomic)
    }
  }

  /// The serial number that a server shows to a new connection, in hexadecimal.
  func serial(shownBy port: Int, protocol name: String) throws -> String {
    let shown = try openssl(
      "s_client", "-connect", "127.0.0.1:\(port)", "-alpn", name, "-CAfile", path("ca.pem"))
    let file = path("shown-\(UUID().uuidString).pem")
    try shown.write(toFile: file, atomically: true, encoding: .utf8)
    let line = try openssl("x509", "-in", file, "-noout", "-serial")
    return line.split(separator: "=").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
  }

  @discardableResult func openssl(_ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    let output = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failed(description: "openssl \(arguments.joined(separator: " ")) failed")
    }
    return text
  }
}
