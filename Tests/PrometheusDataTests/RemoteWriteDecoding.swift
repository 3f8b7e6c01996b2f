import NativeCodecs
import WireFormat

@testable import PrometheusData

/// A series as a remote-write receiver sees it.
struct DecodedSeries: Hashable {
  var labels: [String] = []
  var samples: [DecodedSample] = []
  var histograms: [DecodedHistogram] = []
  var exemplars: [String] = []
  var type = 0
  var help = ""
  var unit = ""
  var created: Int64 = 0

  /// `name{a="b"}`, in the order of the message.
  var text: String {
    var name = ""
    var pairs: [String] = []
    for index in stride(from: 0, to: labels.count - 1, by: 2) {
      if labels[index] == "__name__" {
        name = labels[index + 1]
      } else {
        pairs.append("\(labels[index])=\"\(labels[index + 1])\"")
      }
    }
    return pairs.isEmpty ? name : "\(name){\(pairs.joined(separator: ","))}"
  }
}

struct DecodedSample: Hashable {
  var value: Double = 0
  var timestamp: Int64 = 0
  var start: Int64 = 0
  var isStale: Bool { StaleMarker.isStale(value) }
}

struct DecodedHistogram: Hashable {
  var count: UInt64 = 0
  var sum: Double = 0
  var schema: Int64 = 0
  var zeroThreshold: Double = 0
  var zeroCount: UInt64 = 0
  var negativeSpans: [[Int64]] = []
  var negativeDeltas: [Int64] = []
  var positiveSpans: [[Int64]] = []
  var positiveDeltas: [Int64] = []
  var resetHint: UInt64 = 0
  var timestamp: Int64 = 0
  var customValues: [Double] = []
  var start: Int64 = 0
}

/// An independent reader of both remote-write messages: the fields as the .proto files have them.
struct RemoteWriteDecoding {
  var series: [DecodedSeries] = []
  var metadata: [String] = []
  var symbols: [String] = []

  init(_ message: RemoteWriteMessage, compressed: [UInt8]) throws {
    let bytes = try DecompressorPool().decompress(compressed.span, .snappy, limit: 1 << 30)
    try self.init(message, bytes)
  }

  init(_ message: RemoteWriteMessage, _ bytes: [UInt8]) throws {
    let isSecond = message == .request
    var pending: [WireRange] = []
    var cursor = WireCursor(bytes.span)
    while let field = try cursor.readField() {
      switch field.tag {
      case .lengthDelimited(isSecond ? 5 : 1): pending.append(field.value)
      case .lengthDelimited(4) where isSecond: symbols.append(Self.text(bytes, field.value))
      case .lengthDelimited(3) where !isSecond: metadata.append(try Self.metadata(bytes, field.value))
      default: throw WireError(.badFieldNumber, at: field.start)
      }
    }
    for range in pending { series.append(try readSeries(bytes, range, isSecond)) }
  }

  private func readSeries(_ bytes: [UInt8], _ range: WireRange, _ isSecond: Bool) throws -> DecodedSeries {
    var series = DecodedSeries()
    var cursor = WireCursor(bytes.span, in: range)
    while let field = try cursor.readField() {
      switch (field.tag, isSecond) {
      case (.lengthDelimited(1), _): series.labels += try labels(bytes, field.value, isSecond)
      case (.lengthDelimited(2), _): series.samples.append(try Self.sample(bytes, field.value))
      case (.lengthDelimited(4), false), (.lengthDelimited(3), true):
        series.histograms.append(try Self.histogram(bytes, field.value))
      case (.lengthDelimited(3), false), (.lengthDelimited(4), true):
        series.exemplars.append(try exemplar(bytes, field.value, isSecond))
      case (.lengthDelimited(5), true):
        var inner = WireCursor(bytes.span, in: field.value)
        while let field = try inner.readField() {
          switch field.fieldNumber {
          case 1: series.type = Int(field.number)
          case 3: series.help = symbols[Int(field.number)]
          case 4: series.unit = symbols[Int(field.number)]
          default: throw WireError(.badFieldNumber, at: field.start)
          }
        }
      case (.varint(6), true): series.created = Int64(bitPattern: field.number)
      default: throw WireError(.badFieldNumber, at: field.start)
      }
    }
    return series
  }

  private func labels(_ bytes: [UInt8], _ range: WireRange, _ isSecond: Bool) throws -> [String] {
    var cursor = WireCursor(bytes.span, in: range)
    var texts: [String] = []
    if isSecond {
      while let number = cursor.nextVarint() { texts.append(symbols[Int(number)]) }
    } else {
      while let field = try cursor.readField() { texts.append(Self.text(bytes, field.value)) }
      if texts.count != 2 { throw WireError(.wrongLength, at: range.lowerBound) }
    }
    return texts
  }

  private static func text(_ bytes: [UInt8], _ range: WireRange) -> String {
    String(decoding: bytes[range.range], as: UTF8.self)
  }

  private static func metadata(_ bytes: [UInt8], _ range: WireRange) throws -> String {
    var cursor = WireCursor(bytes.span, in: range)
    var (type, name, help, unit) = (UInt64(0), "", "", "")
    while let field = try cursor.readField() {
      switch field.fieldNumber {
      case 1: type = field.number
      case 2: name = text(bytes, field.value)
      case 4: help = text(bytes, field.value)
      case 5: unit = text(bytes, field.value)
      default: throw WireError(.badFieldNumber, at: field.start)
      }
    }
    return "\(name) type=\(type) help=\(help) unit=\(unit)"
  }

  private static func sample(_ bytes: [UInt8], _ range: WireRange) throws -> DecodedSample {
    var sample = DecodedSample()
    var cursor = WireCursor(bytes.span, in: range)
    while let field = try cursor.readField() {
      switch field.fieldNumber {
      case 1: sample.value = Double(bitPattern: field.number)
      case 2: sample.timestamp = Int64(bitPattern: field.number)
      case 3: sample.start = Int64(bitPattern: field.number)
      default: throw WireError(.badFieldNumber, at: field.start)
      }
    }
    return sample
  }

  private func exemplar(_ bytes: [UInt8], _ range: WireRange, _ isSecond: Bool) throws -> String {
    var (labels, value, time) = ([String](), 0.0, Int64(0))
    var cursor = WireCursor(bytes.span, in: range)
    while let field = try cursor.readField() {
      switch field.fieldNumber {
      case 1: labels += try self.labels(bytes, field.value, isSecond)
      case 2: value = Double(bitPattern: field.number)
      case 3: time = Int64(bitPattern: field.number)
      default: throw WireError(.badFieldNumber, at: field.start)
      }
    }
    return "\(labels.joined(separator: " ")) \(value) \(time)"
  }

  private static func histogram(_ bytes: [UInt8], _ range: WireRange) throws -> DecodedHistogram {
    var histogram = DecodedHistogram()
    var cursor = WireCursor(bytes.span, in: range)
    while let field = try cursor.readField() {
      var packed = WireCursor(bytes.span, in: field.value)
      switch field.fieldNumber {
      case 1: histogram.count = field.number
      case 3: histogram.sum = Double(bitPattern: field.number)
      case 4: histogram.schema = ZigZag.decode(field.number)
      case 5: histogram.zeroThreshold = Double(bitPattern: field.number)
      case 6: histogram.zeroCount = field.number
      case 8, 11:
        var span: [Int64] = [0, 0]
        while let part = try packed.readField() {
          span[Int(part.fieldNumber) - 1] =
            part.fieldNumber == 1 ? ZigZag.decode(part.number) : Int64(part.number)
        }
        if field.fieldNumber == 8 {
          histogram.negativeSpans.append(span)
        } else {
          histogram.positiveSpans.append(span)
        }
      case 9:
        while let number = packed.nextVarint() { histogram.negativeDeltas.append(ZigZag.decode(number)) }
      case 12:
        while let number = packed.nextVarint() { histogram.positiveDeltas.append(ZigZag.decode(number)) }
      case 14: histogram.resetHint = field.number
      case 15: histogram.timestamp = Int64(bitPattern: field.number)
      case 16:
        while !packed.isAtEnd { histogram.customValues.append(Double(bitPattern: try packed.readFixed64())) }
      case 17: histogram.start = Int64(bitPattern: field.number)
      default: throw WireError(.badFieldNumber, at: field.start)
      }
    }
    return histogram
  }
}
