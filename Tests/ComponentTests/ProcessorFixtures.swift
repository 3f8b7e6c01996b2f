import ConfigSchema
import PipelineKit
import PipelineTestKit
import Testing

extension Component {
  /// An instance with settings as YAML, which must be without mistakes.
  static func testing(_ yaml: String, context: ComponentContext? = nil) throws -> Self {
    let kind: ComponentKind = self is any Exporter.Type ? .exporter : .processor
    return try Self(
      config: try settings(yaml), context: context ?? .testing(kind, descriptor.type))
  }

  /// Settings from YAML, which must be without mistakes.
  static func settings(_ yaml: String) throws -> Config {
    let (loaded, _) = ConfigLoader.load(sources: [.text(yaml, name: "test.yaml")])
    var diagnostics = Diagnostics()
    let config = ConfigDecoder.decode(
      Config.self, from: try #require(loaded), path: "", diagnostics: &diagnostics)
    return try #require(config, "\(diagnostics.render())")
  }
}
