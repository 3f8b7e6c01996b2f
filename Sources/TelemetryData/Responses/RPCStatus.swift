public import WireFormat

/// `google.rpc.Status`: why a request was not taken, in the `grpc-status-details-bin` trailer of gRPC and in
/// the body of an HTTP answer.
public struct RPCStatus: Hashable, Sendable {
  /// More about the error: a message of any type (`google.protobuf.Any`).
  public struct Detail: Hashable, Sendable {
    /// The name of the type behind a prefix: `type.googleapis.com/google.rpc.RetryInfo`.
    public var typeURL: String
    /// The protobuf bytes of the message.
    public var value: [UInt8]

    public init(typeURL: String, value: [UInt8]) {
      self.typeURL = typeURL
      self.value = value
    }
  }

  /// The gRPC status code, such as 14 for `UNAVAILABLE`.
  public var code: Int32
  /// The error in English, for developers.
  public var message: String
  public var details: [Detail]

  public init(code: Int32, message: String, details: [Detail] = []) {
    self.code = code
    self.message = message
    self.details = details
  }

  /// A status that may be retried after a time, which `google.rpc.RetryInfo` tells; without one if that is
  /// nil.
  public init(code: Int32, message: String, retryDelay: Duration?) {
    self.init(code: code, message: message)
    if let retryDelay { details = [Detail(retryDelay: retryDelay)] }
  }

  /// How long the client shall wait before it tries again, if the status says so; never negative.
  public var retryDelay: Duration? {
    for detail in details {
      if let delay = detail.retryDelay { return delay }
    }
    return nil
  }

  /// The protobuf bytes.
  public func encode() -> [UInt8] {
    var writer = WireWriter(capacity: message.utf8.count + 64)
    if code != 0 { writer.intField(1, Int64(code)) }
    if !message.isEmpty { writer.stringField(2, message) }
    for detail in details {
      let mark = writer.beginMessage(3)
      if !detail.typeURL.isEmpty { writer.stringField(1, detail.typeURL) }
      if !detail.value.isEmpty { writer.bytesField(2, detail.value) }
      writer.endMessage(mark)
    }
    return writer.finish()
  }

  /// Reads the protobuf bytes.
  public init(decoding bytes: Span<UInt8>) throws(WireError) {
    self.init(code: 0, message: "")
    var cursor = WireCursor(bytes)
    while let tag = try cursor.nextTag() {
      switch tag {
      case .varint(1): code = Int32(truncatingIfNeeded: try cursor.readVarint())
      case .lengthDelimited(2): message = String(wire: bytes, try cursor.readLengthDelimited())
      case .lengthDelimited(3): details.append(try Detail(decoding: try cursor.readMessage()))
      default: try cursor.skip(tag)
      }
    }
  }
}

extension RPCStatus.Detail {
  /// The type whose only field is the time to wait.
  static let retryInfoURL = "type.googleapis.com/google.rpc.RetryInfo"

  /// Whether it is a `RetryInfo`; what stands in front of the type's name is the sender's choice.
  var isRetryInfo: Bool { typeURL.hasSuffix("/google.rpc.RetryInfo") }

  fileprivate init(decoding source: WireCursor) throws(WireError) {
    var cursor = source
    self.init(typeURL: "", value: [])
    while let tag = try cursor.nextTag() {
      switch tag {
      case .lengthDelimited(1): typeURL = String(wire: cursor.bytes, try cursor.readLengthDelimited())
      case .lengthDelimited(2):
        value = []
        for index in try cursor.readLengthDelimited().range { value.append(cursor.bytes[index]) }
      default: try cursor.skip(tag)
      }
    }
  }

  /// A `google.rpc.RetryInfo`; a negative time counts as none.
  public init(retryDelay: Duration) {
    let (seconds, attoseconds) = max(retryDelay, .zero).components
    var writer = WireWriter(capacity: 32)
    let mark = writer.beginMessage(1)
    if seconds != 0 { writer.intField(1, seconds) }
    let nanoseconds = attoseconds / 1_000_000_000
    if nanoseconds != 0 { writer.intField(2, nanoseconds) }
    writer.endMessage(mark)
    self.init(typeURL: Self.retryInfoURL, value: writer.finish())
  }

  /// The time to wait that a `google.rpc.RetryInfo` holds; nil for other types and for bytes that cannot be
  /// read.
  public var retryDelay: Duration? {
    guard isRetryInfo else { return nil }
    var seconds: Int64 = 0
    var nanoseconds: Int64 = 0
    do throws(WireError) {
      var info = WireCursor(value.span)
      while let tag = try info.nextTag() {
        if tag != .lengthDelimited(1) {
          try info.skip(tag)
          continue
        }
        var duration = try info.readMessage()
        while let tag = try duration.nextTag() {
          switch tag {
          case .varint(1): seconds = Int64(bitPattern: try duration.readVarint())
          case .varint(2): nanoseconds = Int64(bitPattern: try duration.readVarint())
          default: try duration.skip(tag)
          }
        }
      }
    } catch {
      return nil
    }
    // The range of google.protobuf.Duration; more would overflow sums of durations.
    let limit: Int64 = 315_576_000_000
    let isValid = seconds >= 0 && seconds <= limit && nanoseconds >= 0 && nanoseconds < 1_000_000_000
    return isValid ? .seconds(seconds) + .nanoseconds(nanoseconds) : nil
  }
}
