internal import TelemetryData
internal import WireFormat

/// What a tag of a span says that OTLP has a field for.
enum JaegerTagMeaning {
  case attribute
  case spanKind, statusCode, statusDescription, error, traceState
  case scopeName, scopeVersion, libraryName, libraryVersion
  case droppedAttributes, droppedEvents, droppedLinks
  case httpStatusCode, httpStatusMessage

  init(_ key: Span<UInt8>) {
    self =
      switch key.count {
      case 5: Self.of(key, JaegerName.error, .error)
      case 9: Self.of(key, JaegerName.spanKind, .spanKind)
      case 14: Self.of(key, JaegerName.traceState, .traceState)
      case 15: Self.of(key, JaegerName.scopeName, .scopeName)
      case 16:
        switch Self.of(key, JaegerName.statusCode, .statusCode) {
        case .statusCode: .statusCode
        default: Self.of(key, "http.status_code", .httpStatusCode)
        }
      case 17: Self.of(key, JaegerName.libraryName, .libraryName)
      case 18: Self.of(key, JaegerName.scopeVersion, .scopeVersion)
      case 19: Self.of(key, "http.status_message", .httpStatusMessage)
      case 20: Self.of(key, JaegerName.libraryVersion, .libraryVersion)
      case 23: Self.of(key, JaegerName.statusDescription, .statusDescription)
      case 24: Self.of(key, JaegerName.droppedLinks, .droppedLinks)
      case 25: Self.of(key, JaegerName.droppedEvents, .droppedEvents)
      case 29: Self.of(key, JaegerName.droppedAttributes, .droppedAttributes)
      default: .attribute
      }
  }

  private static func of(_ key: Span<UInt8>, _ name: String, _ meaning: Self) -> Self {
    key.hasSameBytes(as: name.utf8.span) ? meaning : .attribute
  }
}

/// What the tags of a span say about its fields, and which tags stay attributes.
struct JaegerTagReading {
  /// `SpanKind` of OTLP.
  var kind: UInt64 = 0
  /// `StatusCode` of OTLP.
  var status: UInt64 = 0
  var statusText = WireRange(start: 0, end: 0)
  var traceState = WireRange(start: 0, end: 0)
  var scopeName = WireRange(start: 0, end: 0)
  var scopeVersion = WireRange(start: 0, end: 0)
  var droppedAttributes: UInt64 = 0
  var droppedEvents: UInt64 = 0
  var droppedLinks: UInt64 = 0
  /// For each tag whether it is an attribute.
  private(set) var isKept: [Bool] = []

  private var error: Int?
  private var statusCode: Int?
  private var description: Int?
  private var httpStatusCode: Int?
  private var httpMessage: Int?

  /// Reads the tags of a span whose keys are different.
  ///
  /// - Parameters:
  ///   - isKept: for each tag whether it counts.
  ///   - readsHTTPStatus: whether the status of HTTP says that a span failed where nothing else does.
  init(_ tags: [JaegerTag], isKept: [Bool], in bytes: Span<UInt8>, readsHTTPStatus: Bool = true) {
    self.isKept = isKept
    var names: (library: WireRange?, version: WireRange?) = (nil, nil)
    for (position, tag) in tags.enumerated() where isKept[position] {
      let meaning = JaegerTagMeaning(bytes.extracting(tag.key.range))
      let isText = tag.kind == .string
      switch meaning {
      case .attribute: continue
      case .spanKind where isText:
        kind = Self.kind(bytes.extracting(tag.value.range))
        self.isKept[position] = kind == 0
      case .error: if tag.kind == .bool { error = position }
      case .statusCode: if isText { statusCode = position }
      case .statusDescription: if isText { description = position }
      case .httpStatusCode: if readsHTTPStatus { httpStatusCode = position }
      case .httpStatusMessage: if isText { httpMessage = position }
      case .traceState where isText: take(position, tag.value, to: \.traceState)
      case .scopeName where isText: take(position, tag.value, to: \.scopeName)
      case .scopeVersion where isText: take(position, tag.value, to: \.scopeVersion)
      case .libraryName where isText:
        names.library = tag.value
        self.isKept[position] = false
      case .libraryVersion where isText:
        names.version = tag.value
        self.isKept[position] = false
      case .droppedAttributes: takeCount(position, tag, bytes, to: \.droppedAttributes)
      case .droppedEvents: takeCount(position, tag, bytes, to: \.droppedEvents)
      case .droppedLinks: takeCount(position, tag, bytes, to: \.droppedLinks)
      default: continue
      }
    }
    if scopeName.isEmpty, let name = names.library { scopeName = name }
    if scopeVersion.isEmpty, let version = names.version { scopeVersion = version }
    readStatus(tags, bytes)
  }

  private mutating func take(_ position: Int, _ value: WireRange, to field: WritableKeyPath<Self, WireRange>)
  {
    self[keyPath: field] = value
    isKept[position] = false
  }

  /// Takes a count: a number, or the digits of one where tags are texts.
  private mutating func takeCount(
    _ position: Int, _ tag: JaegerTag, _ bytes: Span<UInt8>, to field: WritableKeyPath<Self, UInt64>
  ) {
    switch tag.kind {
    case .int where tag.bits <= UInt64(UInt32.max): self[keyPath: field] = tag.bits
    case .string:
      guard tag.value.count <= 10, let count = UInt32(BytesView(bytes.extracting(tag.value.range)).string)
      else { return }
      self[keyPath: field] = UInt64(count)
    default: return
    }
    isKept[position] = false
  }

  /// An `error` that is true outranks `otel.status_code`, and that the status of HTTP; as in the Collector.
  private mutating func readStatus(_ tags: [JaegerTag], _ bytes: Span<UInt8>) {
    let isError = error.map { tags[$0].bits != 0 } ?? false
    if isError, let error {
      status = 2
      isKept[error] = false
      if !takeDescription(tags), let httpMessage { statusText = tags[httpMessage].value }
    }
    if let statusCode {
      isKept[statusCode] = false
      if isError { return }
      status = Self.status(bytes.extracting(tags[statusCode].value.range))
      _ = takeDescription(tags)
    } else if !isError, let httpStatusCode {
      status = httpStatus(tags[httpStatusCode], bytes)
      if status != 0, let httpMessage { statusText = tags[httpMessage].value }
    }
  }

  private mutating func takeDescription(_ tags: [JaegerTag]) -> Bool {
    guard let description else { return false }
    statusText = tags[description].value
    isKept[description] = false
    return true
  }

  private func httpStatus(_ tag: JaegerTag, _ bytes: Span<UInt8>) -> UInt64 {
    var code: Int64
    switch tag.kind {
    case .int: code = Int64(bitPattern: tag.bits)
    case .string:
      guard let number = Int64(BytesView(bytes.extracting(tag.value.range)).string) else { return 0 }
      code = number
    default: return 0
    }
    if code >= 100, code < 400 { return 0 }
    // To a server, a client's mistake is no error of its own.
    if code >= 400, code < 500, kind == 2 { return 0 }
    return 2
  }

  private static func kind(_ text: Span<UInt8>) -> UInt64 {
    for kind in 1...5 as ClosedRange<UInt64> {
      if let name = JaegerName.kind(kind), text.hasSameBytes(as: name.utf8.span) { return kind }
    }
    return 0
  }

  private static func status(_ text: Span<UInt8>) -> UInt64 {
    switch BytesView(text).string.uppercased() {
    case "OK", "STATUS_CODE_OK": 1
    case "ERROR", "STATUS_CODE_ERROR": 2
    default: 0
    }
  }

  /// Says that the span failed.
  mutating func setError() { status = 2 }

  /// Says why.
  mutating func setStatusText(_ text: WireRange) { statusText = text }
}

/// Finds keys that occur more than once: Jaeger allows that, OTLP does not. The last one counts.
struct RepeatedKeys {
  /// Up to so many keys are compared with each other; more are looked up.
  private static let few = 32

  /// For each tag whether no later one has its key.
  static func areLast(_ tags: ArraySlice<JaegerTag>, in bytes: Span<UInt8>) -> [Bool] {
    var isLast = [Bool](repeating: true, count: tags.count)
    let first = tags.startIndex
    if tags.count <= few {
      for position in tags.indices {
        let key = tags[position].key
        var other = position + 1
        while other < tags.endIndex {
          if tags[other].key.count == key.count,
            bytes.extracting(key.range).hasSameBytes(as: bytes.extracting(tags[other].key.range))
          {
            isLast[position - first] = false
            break
          }
          other += 1
        }
      }
      return isLast
    }
    var seen: Set<[UInt8]> = []
    for position in tags.indices.reversed() {
      let key = BytesView(bytes.extracting(tags[position].key.range)).array
      isLast[position - first] = seen.insert(key).inserted
    }
    return isLast
  }
}
