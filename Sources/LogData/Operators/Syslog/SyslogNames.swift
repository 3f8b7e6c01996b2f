/// The words of syslog, as bytes ready to be copied.
enum SyslogNames {
  /// A key of the attributes: where it stands in ``keys``.
  struct Key {
    let start: Int
    let end: Int

    static let appname = Key(0, 7)
    static let facility = Key(7, 15)
    static let facilityText = Key(7, 20)
    static let hostname = Key(20, 28)
    static let message = Key(28, 35)
    static let messageID = Key(35, 41)
    static let priority = Key(41, 49)
    static let processID = Key(49, 56)
    static let structuredData = Key(56, 71)
    static let version = Key(71, 78)

    private init(_ start: Int, _ end: Int) {
      self.start = start
      self.end = end
    }
  }

  static let keys = Array(
    "appnamefacility_texthostnamemessagemsg_idpriorityproc_idstructured_dataversion".utf8)

  /// The keywords of RFC 5427, and those in use for what it leaves open.
  static let facilities: [[UInt8]] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp",
    "security", "console", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
  ].map { Array($0.utf8) }

  static let severities: [[UInt8]] = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
  ].map { Array($0.utf8) }

  /// OTLP's numbers: FATAL, ERROR3, ERROR2, ERROR, WARN, INFO2, INFO, DEBUG.
  static let severityNumbers: [Int32] = [21, 19, 18, 17, 13, 10, 9, 5]
}
