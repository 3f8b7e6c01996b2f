@testable import LogData

extension LogEntry {
  /// The attributes as JSON.
  var attributesJSON: String { json(value(at: FieldPath(.attributes)) ?? .null) }
}
