internal import WireFormat

/// The arrays of ``OTLPMessageTable`` borrowed for one walk.
struct OTLPTableView: ~Escapable {
  let fields: Span<OTLPField>
  let slots: Span<UInt8>
  let starts: Span<UInt8>
  let names: Span<UInt8>
  let attributeTexts: Span<UInt16>

  @_lifetime(borrow table)
  init(_ table: borrowing OTLPMessageTable) {
    fields = table.fields.span
    slots = table.slots.span
    starts = table.starts.span
    names = table.names.span
    attributeTexts = table.attributeTexts.span
  }

  /// The index of the field that a tag means in a message, or ``OTLPMessageTable/none``.
  ///
  /// A known number with the wrong wire type is an unknown field, as for every protobuf decoder.
  @inline(__always)
  func index(_ message: Int, _ tag: WireTag) -> UInt8 {
    let number = tag.fieldNumber
    if number >= OTLPMessageTable.numberLimit { return OTLPMessageTable.none }
    let index = slots[message &<< 5 | Int(truncatingIfNeeded: number)]
    if index == OTLPMessageTable.none { return index }
    let wireType = UInt8(truncatingIfNeeded: tag.rawValue & 7)
    if wireType == fields[Int(index)].wireType { return index }
    let isPacked = wireType == 2 && fields[Int(index)].presence == .repeated
    return isPacked ? index : OTLPMessageTable.none
  }
}
