package import ConfigSchema

/// `scrape_config_files`: files with further `scrape_configs`, read together with the configuration.
///
/// Reading them is part of decoding, so that `check` shows their mistakes with their own lines.
package struct ScrapeConfigFiles: Sendable {
  /// The patterns as written.
  package var patterns: [String] = []
  package var scrapeConfigs: [Located<ScrapeConfig>] = []
  /// What the files hold, so that a reload sees a change of them.
  package var texts: [String] = []
}

extension ScrapeConfigFiles: ConfigValue {
  package static var configType: ConfigType { .list(.string) }

  /// What such a file holds.
  private struct FileContent: ConfigGroup {
    var scrapeConfigs: [Located<ScrapeConfig>] = []
    static let fields: [Field<Self>] = [
      Field("scrape_configs", \.scrapeConfigs, "The jobs of the file.")
    ]
  }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let patterns = [String].decode(node, base: nil, context: &context) else { return nil }
    var files = Self(patterns: patterns)
    var isWhole = true
    let places = node.elements.isEmpty ? [node] : node.elements
    for (index, pattern) in patterns.enumerated() {
      let place = places.indices.contains(index) ? places[index].origin : node.origin
      let paths = FileGlob.paths(pattern)
      if paths.isEmpty, !FileGlob.isPattern(pattern) {
        context.report(.error, "unreadable-file", "there is no file \(pattern)", at: place)
        isWhole = false
      }
      for path in paths {
        guard let text = text(of: path, at: place, context: &context),
          let content = content(text, of: path, context: &context)
        else {
          isWhole = false
          continue
        }
        files.texts.append(text)
        files.scrapeConfigs += content.scrapeConfigs
      }
    }
    return isWhole ? files : nil
  }

  private static func text(of path: String, at place: Origin, context: inout ConfigContext) -> String? {
    switch ConfigEnvironment.process.file(path) {
    case .success(let text): return text
    case .failure(let error):
      context.report(.error, "unreadable-file", "cannot read \(path): \(error)", at: place)
      return nil
    }
  }

  private static func content(
    _ text: String, of path: String, context: inout ConfigContext
  ) -> FileContent? {
    let (node, diagnostics) = ConfigDocument.read(text, name: path)
    context.add(diagnostics)
    guard !diagnostics.hasErrors else { return nil }
    guard let node else { return FileContent() }
    return context.decode(FileContent.self, node, at: ConfigPath(path))
  }

  package var literal: ConfigLiteral { patterns.literal }
}
