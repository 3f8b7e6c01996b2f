/// What is taken of a histogram that a target exposes both ways, in protobuf.
package typealias HistogramChoice = ProtobufReader.Histograms

extension ScrapeState {
  /// Takes the body of an answer in one of the formats.
  ///
  /// - Throws: when it, or a limit, makes the scrape fail; ``counts`` then tells how far it came.
  package mutating func read(
    _ body: Span<UInt8>, _ format: ExpositionFormat, histograms: HistogramChoice
  ) throws(ScrapeError) {
    switch format {
    case .text:
      var reader = TextReader(body)
      try read(&reader, format: format)
    case .openMetrics:
      var reader = OpenMetricsReader(body)
      try read(&reader, format: format)
    case .protobuf:
      var reader = ProtobufReader(body, histograms: histograms)
      try read(&reader, format: format)
    }
  }
}
