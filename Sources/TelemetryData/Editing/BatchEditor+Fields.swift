public import WireFormat

/// Changes of the fields that processors set; an empty or zero value removes the field, as proto3 has it.
///
/// - Important: The caller knows the signal of the batch; a field of another signal's item would be written
///   as well.
extension BatchEditor {
  /// Sets a string field by number.
  public mutating func setString(_ number: UInt32, _ value: String, on target: EditTarget) {
    set(number, on: target) { $0.optionalString(number, value) }
  }

  /// Sets a bytes field by number.
  public mutating func setBytes(_ number: UInt32, _ value: [UInt8], on target: EditTarget) {
    set(number, on: target) { $0.optionalBytes(number, value) }
  }

  /// Sets a field of type int32, uint32, enum or bool by number.
  public mutating func setVarint(_ number: UInt32, _ value: UInt64, on target: EditTarget) {
    set(number, on: target) { $0.optionalVarint(number, value) }
  }

  /// Sets a fixed64 field by number.
  public mutating func setFixed64(_ number: UInt32, _ value: UInt64, on target: EditTarget) {
    set(number, on: target) { $0.optionalFixed64(number, value) }
  }

  /// Sets a fixed32 field by number.
  public mutating func setFixed32(_ number: UInt32, _ value: UInt32, on target: EditTarget) {
    set(number, on: target) { $0.optionalFixed32(number, value) }
  }

  /// Sets a field by number to whatever a closure writes for it, tag included; nothing removes it.
  public mutating func set(
    _ number: UInt32, on target: EditTarget, write: (inout WireWriter) -> Void
  ) {
    let start = patch.pieces.count
    write(&patch.pieces)
    if patch.pieces.count == start {
      change(.number(number), on: target, whenPresent: .removed, whenAbsent: .unchanged)
    } else {
      let field = patch.piece(from: start)
      change(.number(number), on: target, whenPresent: .field(field), whenAbsent: .field(field))
    }
  }

  public mutating func setSpanName(_ name: String, at position: Int) {
    setString(5, name, on: .item(position))
  }

  public mutating func setSpanKind(_ kind: Int32, at position: Int) {
    setVarint(6, UInt64(bitPattern: Int64(kind)), on: .item(position))
  }

  /// Replaces the status of a span; nil removes it.
  public mutating func setSpanStatus(_ status: StatusValue?, at position: Int) {
    set(15, on: .item(position)) { writer in
      if let status { writer.message(15) { $0.write(status) } }
    }
  }

  /// Replaces the body of a log record; nil removes it.
  public mutating func setLogBody(_ body: AnyValue?, at position: Int) {
    set(5, on: .item(position)) { writer in
      if let body { writer.anyValueField(5, body) }
    }
  }

  /// Sets severity number (1 to 24, 0 for unspecified) and text of a log record.
  public mutating func setLogSeverity(number: Int32, text: String, at position: Int) {
    setVarint(2, UInt64(bitPattern: Int64(number)), on: .item(position))
    setString(3, text, on: .item(position))
  }

  public mutating func setMetricName(_ name: String, at position: Int) {
    setString(1, name, on: .item(position))
  }

  public mutating func setMetricDescription(_ description: String, at position: Int) {
    setString(2, description, on: .item(position))
  }

  public mutating func setMetricUnit(_ unit: String, at position: Int) {
    setString(3, unit, on: .item(position))
  }

  public mutating func setScopeName(_ name: String, at position: Int) {
    setString(1, name, on: .scope(position))
  }

  public mutating func setScopeVersion(_ version: String, at position: Int) {
    setString(2, version, on: .scope(position))
  }
}
