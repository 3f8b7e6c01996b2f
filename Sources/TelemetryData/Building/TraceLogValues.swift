/// A resource, for writing (OTLP `Resource` and the `schema_url` beside it).
public struct ResourceValue: Sendable, Hashable {
  public var attributes: Attributes = []
  public var droppedAttributesCount: UInt32 = 0
  public var entityRefs: [EntityRefValue] = []
  public var schemaURL: String = ""

  public init(
    attributes: Attributes = [], droppedAttributesCount: UInt32 = 0, entityRefs: [EntityRefValue] = [],
    schemaURL: String = ""
  ) {
    self.attributes = attributes
    self.droppedAttributesCount = droppedAttributesCount
    self.entityRefs = entityRefs
    self.schemaURL = schemaURL
  }
}

/// A reference from a resource to an entity it describes, for writing (OTLP `EntityRef`).
public struct EntityRefValue: Sendable, Hashable {
  public var schemaURL: String = ""
  public var type: String = ""
  public var idKeys: [String] = []
  public var descriptionKeys: [String] = []

  public init(
    schemaURL: String = "", type: String = "", idKeys: [String] = [], descriptionKeys: [String] = []
  ) {
    self.schemaURL = schemaURL
    self.type = type
    self.idKeys = idKeys
    self.descriptionKeys = descriptionKeys
  }
}

/// An instrumentation scope, for writing (OTLP `InstrumentationScope` and the `schema_url` beside it).
public struct ScopeValue: Sendable, Hashable {
  public var name: String = ""
  public var version: String = ""
  public var attributes: Attributes = []
  public var droppedAttributesCount: UInt32 = 0
  public var schemaURL: String = ""

  public init(
    name: String = "", version: String = "", attributes: Attributes = [], droppedAttributesCount: UInt32 = 0,
    schemaURL: String = ""
  ) {
    self.name = name
    self.version = version
    self.attributes = attributes
    self.droppedAttributesCount = droppedAttributesCount
    self.schemaURL = schemaURL
  }
}

/// A span, for writing.
public struct SpanValue: Sendable, Hashable {
  /// 16 bytes.
  public var traceID: [UInt8] = []
  /// 8 bytes.
  public var spanID: [UInt8] = []
  /// The W3C `tracestate` header.
  public var traceState: String = ""
  /// 8 bytes, or none for a root span.
  public var parentSpanID: [UInt8] = []
  public var flags: UInt32 = 0
  public var name: String = ""
  /// `SpanKind`: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
  public var kind: Int32 = 0
  /// Nanoseconds since the Unix epoch.
  public var startTime: UInt64 = 0
  /// Nanoseconds since the Unix epoch.
  public var endTime: UInt64 = 0
  public var attributes: Attributes = []
  public var droppedAttributesCount: UInt32 = 0
  public var events: [SpanEventValue] = []
  public var droppedEventsCount: UInt32 = 0
  public var links: [SpanLinkValue] = []
  public var droppedLinksCount: UInt32 = 0
  public var status: StatusValue? = nil

  public init(
    traceID: [UInt8] = [], spanID: [UInt8] = [], traceState: String = "", parentSpanID: [UInt8] = [],
    flags: UInt32 = 0, name: String = "", kind: Int32 = 0, startTime: UInt64 = 0, endTime: UInt64 = 0,
    attributes: Attributes = [], droppedAttributesCount: UInt32 = 0, events: [SpanEventValue] = [],
    droppedEventsCount: UInt32 = 0, links: [SpanLinkValue] = [], droppedLinksCount: UInt32 = 0,
    status: StatusValue? = nil
  ) {
    self.traceID = traceID
    self.spanID = spanID
    self.traceState = traceState
    self.parentSpanID = parentSpanID
    self.flags = flags
    self.name = name
    self.kind = kind
    self.startTime = startTime
    self.endTime = endTime
    self.attributes = attributes
    self.droppedAttributesCount = droppedAttributesCount
    self.events = events
    self.droppedEventsCount = droppedEventsCount
    self.links = links
    self.droppedLinksCount = droppedLinksCount
    self.status = status
  }
}

/// An event of a span, for writing.
public struct SpanEventValue: Sendable, Hashable {
  /// Nanoseconds since the Unix epoch.
  public var time: UInt64 = 0
  public var name: String = ""
  public var attributes: Attributes = []
  public var droppedAttributesCount: UInt32 = 0

  public init(
    time: UInt64 = 0, name: String = "", attributes: Attributes = [], droppedAttributesCount: UInt32 = 0
  ) {
    self.time = time
    self.name = name
    self.attributes = attributes
    self.droppedAttributesCount = droppedAttributesCount
  }
}

/// A link of a span to another, for writing.
public struct SpanLinkValue: Sendable, Hashable {
  public var traceID: [UInt8] = []
  public var spanID: [UInt8] = []
  public var traceState: String = ""
  public var attributes: Attributes = []
  public var droppedAttributesCount: UInt32 = 0
  public var flags: UInt32 = 0

  public init(
    traceID: [UInt8] = [], spanID: [UInt8] = [], traceState: String = "", attributes: Attributes = [],
    droppedAttributesCount: UInt32 = 0, flags: UInt32 = 0
  ) {
    self.traceID = traceID
    self.spanID = spanID
    self.traceState = traceState
    self.attributes = attributes
    self.droppedAttributesCount = droppedAttributesCount
    self.flags = flags
  }
}

/// The status of a span, for writing.
public struct StatusValue: Sendable, Hashable {
  public var message: String = ""
  /// 0 unset, 1 ok, 2 error.
  public var code: Int32 = 0

  public init(message: String = "", code: Int32 = 0) {
    self.message = message
    self.code = code
  }
}

/// A log record, for writing.
public struct LogRecordValue: Sendable, Hashable {
  /// Nanoseconds since the Unix epoch.
  public var time: UInt64 = 0
  /// Nanoseconds since the Unix epoch.
  public var observedTime: UInt64 = 0
  /// 1 to 24, or 0 for unspecified.
  public var severityNumber: Int32 = 0
  public var severityText: String = ""
  public var body: AnyValue? = nil
  public var attributes: Attributes = []
  public var droppedAttributesCount: UInt32 = 0
  public var flags: UInt32 = 0
  public var traceID: [UInt8] = []
  public var spanID: [UInt8] = []
  public var eventName: String = ""

  public init(
    time: UInt64 = 0, observedTime: UInt64 = 0, severityNumber: Int32 = 0, severityText: String = "",
    body: AnyValue? = nil, attributes: Attributes = [], droppedAttributesCount: UInt32 = 0, flags: UInt32 = 0,
    traceID: [UInt8] = [], spanID: [UInt8] = [], eventName: String = ""
  ) {
    self.time = time
    self.observedTime = observedTime
    self.severityNumber = severityNumber
    self.severityText = severityText
    self.body = body
    self.attributes = attributes
    self.droppedAttributesCount = droppedAttributesCount
    self.flags = flags
    self.traceID = traceID
    self.spanID = spanID
    self.eventName = eventName
  }
}
