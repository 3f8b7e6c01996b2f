internal import ConfigSchema

/// How streams are cut into records: one of these serves all files or connections of a receiver.
package final class LineFraming: Sendable {
  /// What becomes of a record that is longer than the limit.
  package enum Oversize: String, ConfigEnum { case split, truncate }

  package let encoding: TextEncoding
  package let boundary: LineBoundary
  /// The most bytes of text in one record, from 1 to ``largestLimit``; terminators do not count.
  package let limit: Int
  package let oversize: Oversize
  package let trimsLeading: Bool
  package let trimsTrailing: Bool
  /// Nanoseconds without new bytes after which an incomplete record is taken as it is; 0 for never.
  package let flushPeriod: UInt64
  let units: LineUnits
  let hasPattern: Bool
  /// For patterns in text that is not UTF-8.
  let decoders: LineDecoderPool?

  /// Whether records are lines whose ends are bytes of ASCII, which is nearly always so.
  let areByteLines: Bool

  /// The largest limit there is.
  package static let largestLimit = 1 << 30

  package init(
    encoding: TextEncoding = .utf8, boundary: LineBoundary = .lineFeed, limit: Int = 1 << 20,
    oversize: Oversize = .split, trimsLeading: Bool = true, trimsTrailing: Bool = true,
    flushPeriod: UInt64 = 500_000_000
  ) {
    self.encoding = encoding
    self.boundary = boundary
    if case .lineFeed = boundary { hasPattern = false } else { hasPattern = true }
    switch (boundary, encoding) {
    case (.lineFeed, _), (_, .utf8), (_, .utf8Raw), (_, .bytes): decoders = nil
    default: decoders = LineDecoderPool(encoding)
    }
    units = encoding.units
    areByteLines = encoding.units == .bytes && !hasPattern && encoding != .bytes
    let limit = min(limit, Self.largestLimit)
    self.limit = max(limit - limit % encoding.units.width, encoding.units.width)
    self.oversize = oversize
    self.trimsLeading = trimsLeading && encoding != .bytes
    self.trimsTrailing = trimsTrailing && encoding != .bytes
    self.flushPeriod = flushPeriod
  }

  /// How many bytes of an incomplete record a reader must be able to hold: with this many at hand,
  /// ``LineFramer/next(in:at:_:)`` always finds something to take.
  package var longestRest: Int {
    // Whether a match is one shows by the end of its line.
    hasPattern ? limit + max(min(limit, 1 << 16), 16) : limit + 4 * units.width
  }
}
