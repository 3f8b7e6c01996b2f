internal import WireFormat

/// What of a metric's kind shows in its name.
package enum MetricNameKind: Sendable { case counter, gauge, other }

/// The names of Prometheus metrics made of those of OTLP metrics.
///
/// Source: OpenTelemetry, "Prometheus and OpenMetrics compatibility", OTLP Metric points to Prometheus. The unit comes
/// first, then `ratio` for gauges of unit 1, then `total` for counters; each only where the name does not have it yet.
package struct MetricNaming: Sendable {
  private let strategy: TranslationStrategy
  private let namespace: [UInt8]
  /// Units that were met, so that each is looked up once.
  private var units: [(unit: [UInt8], words: UnitNaming.Words)] = []
  private var tokens: [Range<Int>] = []

  private static let total = Array("total".utf8)
  private static let ratio = Array("ratio".utf8)
  private static let perPrefix = Array("per_".utf8)

  package init(_ strategy: TranslationStrategy, namespace: String = "") {
    self.strategy = strategy
    var prefix: [UInt8] = []
    if strategy.escapes {
      Self.appendTokens(Array(namespace.utf8).span, to: &prefix)
    } else {
      prefix = Array(namespace.utf8)
    }
    self.namespace = prefix
  }

  /// Appends the name of a metric, and nothing when there is none for it.
  ///
  /// - Parameter isOriginal: whether the name comes from Prometheus, and so has all that it should have.
  mutating func append(
    _ name: Span<UInt8>, unit: Span<UInt8>, kind: MetricNameKind, isOriginal: Bool, to output: inout [UInt8]
  ) {
    let start = output.count
    if !namespace.isEmpty {
      output.append(contentsOf: namespace)
      output.append(0x5f)
    }
    let bare = output.count
    if isOriginal && (!strategy.escapes || NameCharacters.isMetricName(name)) {
      output.append(name)
    } else if strategy.escapes {
      appendEscaped(name, to: &output)
    } else {
      output.append(name)
    }
    if output.count == bare || Self.isOnlyUnderscores(output, from: bare) && strategy.escapes && !isOriginal {
      output.removeLast(output.count - start)
      return
    }
    if strategy.addsSuffixes, !isOriginal { addSuffixes(unit, kind, from: bare, to: &output) }
    if strategy.escapes, NameCharacters.isDigit(output[start]) { output.insert(0x5f, at: start) }
  }

  /// The name of a metric; nil when nothing of it can stand in a name.
  package static func name(
    _ name: String, unit: String = "", kind: MetricNameKind = .other, isOriginal: Bool = false,
    strategy: TranslationStrategy = .underscoreEscapingWithSuffixes, namespace: String = ""
  ) -> String? {
    var naming = MetricNaming(strategy, namespace: namespace)
    var output: [UInt8] = []
    let (name, unit) = (Array(name.utf8), Array(unit.utf8))
    naming.append(name.span, unit: unit.span, kind: kind, isOriginal: isOriginal, to: &output)
    return output.isEmpty ? nil : String(decoding: output, as: UTF8.self)
  }

  /// The unit as metadata says it.
  mutating func unitText(_ unit: Span<UInt8>) -> [UInt8] { unit.isEmpty ? [] : words(unit).joined }

  private func appendEscaped(_ name: Span<UInt8>, to output: inout [UInt8]) {
    if strategy.addsSuffixes { return Self.appendTokens(name, to: &output) }
    // Without suffixes only what is invalid is replaced; underscores that are there stay.
    let start = output.count
    var wasReplaced = false
    for index in name.indices {
      let isValid = NameCharacters.isInMetrics(name[index])
      if !isValid, wasReplaced || output.count == start {
        wasReplaced = true
        continue
      }
      output.append(isValid ? name[index] : 0x5f)
      wasReplaced = !isValid
    }
    if wasReplaced, output.count > start { output.removeLast() }
  }

  /// Appends what lies between underscores and invalid characters, with single underscores.
  private static func appendTokens(_ name: Span<UInt8>, to output: inout [UInt8]) {
    let start = output.count
    var isPending = false
    for index in name.indices {
      let byte = name[index]
      if byte == 0x5f || !NameCharacters.isInMetrics(byte) {
        isPending = output.count > start
        continue
      }
      if isPending { output.append(0x5f) }
      isPending = false
      output.append(byte)
    }
  }

  private mutating func addSuffixes(
    _ unit: Span<UInt8>, _ kind: MetricNameKind, from start: Int, to output: inout [UInt8]
  ) {
    let words = unit.isEmpty ? UnitNaming.Words() : words(unit)
    let isRatio = kind == .gauge && unit.count == 1 && unit[0] == UInt8(ascii: "1")
    if words.main.isEmpty, words.per.isEmpty, !isRatio, kind != .counter { return }
    if isRatio { Self.remove(Self.ratio, from: start, in: &output) }
    if kind == .counter { Self.remove(Self.total, from: start, in: &output) }
    if !words.main.isEmpty, !Self.hasToken(words.main, from: start, in: output) {
      Self.appendToken(words.main, to: &output, from: start)
    }
    if !words.per.isEmpty {
      let per = Self.perPrefix + words.per
      if !Self.hasToken(per, from: start, in: output) { Self.appendToken(per, to: &output, from: start) }
    }
    if isRatio { Self.appendToken(Self.ratio, to: &output, from: start) }
    if kind == .counter { Self.appendToken(Self.total, to: &output, from: start) }
  }

  /// Takes a token out of the name, so that it can be put at its end.
  private static func remove(_ token: [UInt8], from start: Int, in output: inout [UInt8]) {
    while let place = place(of: token, from: start, in: output) {
      let end = place + token.count
      if end < output.count {
        output.removeSubrange(place...end)
      } else {
        output.removeSubrange(max(start, place - 1)..<end)
      }
    }
  }

  private static func hasToken(_ token: [UInt8], from start: Int, in output: [UInt8]) -> Bool {
    place(of: token, from: start, in: output) != nil
  }

  /// Where a token, or several with underscores between them, stands in a name as a whole.
  private static func place(of token: [UInt8], from start: Int, in output: [UInt8]) -> Int? {
    var place = start
    while place + token.count <= output.count {
      let end = place + token.count
      if (place == start || output[place - 1] == 0x5f) && (end == output.count || output[end] == 0x5f),
        output[place..<end].elementsEqual(token)
      {
        return place
      }
      place += 1
    }
    return nil
  }

  private static func appendToken(_ token: [UInt8], to output: inout [UInt8], from start: Int) {
    if output.count > start { output.append(0x5f) }
    output.append(contentsOf: token)
  }

  private static func isOnlyUnderscores(_ output: [UInt8], from start: Int) -> Bool {
    output[start...].allSatisfy { $0 == 0x5f }
  }

  private mutating func words(_ unit: Span<UInt8>) -> UnitNaming.Words {
    for entry in units where entry.unit.span.hasSameBytes(as: unit) { return entry.words }
    let words = UnitNaming.words(unit)
    if units.count < 64 { units.append((unit.indices.map { unit[$0] }, words)) }
    return words
  }
}
