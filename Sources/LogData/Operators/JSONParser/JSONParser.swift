@_spi(Inside) internal import TelemetryData
internal import WireFormat

/// Parses text as a JSON object: the core of `json_parser`.
package struct JSONParser: LogValueParser {
  /// Whether numbers without fraction and exponent that fit become integers, rather than doubles.
  let keepsIntegers: Bool

  package init(keepsIntegers: Bool = true) { self.keepsIntegers = keepsIntegers }

  package func parse(_ value: LogValue, of entry: inout LogEntry) throws(LogOperatorError) -> LogValue {
    let text = try value.textRange()
    var reader = JSONEntryReader(text, keepsIntegers: keepsIntegers)
    do throws(JSONFault) {
      let map = try reader.readObject(into: &entry) ?? entry.makeMap().chain
      return LogValue(.map, bits: UInt64(map.position))
    } catch {
      throw LogOperatorError(error, as: "object", in: entry.text(text), from: text.lowerBound)
    }
  }
}

extension LogOperatorError {
  /// Says what is wrong with a JSON text that starts at an offset of the arena.
  init(_ fault: JSONFault, as kind: String, in text: Span<UInt8>, from start: Int) {
    let offset = fault.offset - start
    let reason = OTLPJSONError(JSONFault(fault.reason, at: offset), path: "", in: text).explanation
    self.init("not a JSON \(kind): \(reason) at byte \(offset)")
  }
}
