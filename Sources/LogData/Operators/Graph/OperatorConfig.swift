package import ConfigSchema

/// One element of the list `operators`: `type` says which settings it has.
package struct OperatorConfig: ConfigVariants {
  package let settings: any OperatorSettings
  /// Where it stands.
  package let place: VariantSelection

  package static let variants: [ConfigVariant<Self>] = kinds.map { variant($0) }

  private static func variant<Settings: OperatorSettings>(_ type: Settings.Type) -> ConfigVariant<Self> {
    ConfigVariant(Settings.type, Settings.summary) { (settings: Settings, place) in
      Self(settings: settings, place: place)
    }
  }

  package var selected: (name: String, group: any ConfigGroup) { (type, settings) }

  /// What `type` is.
  package var type: String { Swift.type(of: settings).type }
}

/// The list `operators` of a receiver, checked as a whole: ids, outputs, and that no entry goes in a circle.
package struct OperatorList: ConfigValue {
  package private(set) var configs: [OperatorConfig] = []
  let plan: OperatorPlan

  /// No operators.
  package init() { plan = OperatorPlan() }

  package var isEmpty: Bool { configs.isEmpty }

  package static var configType: ConfigType { .list(OperatorConfig.configType) }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let configs = [OperatorConfig].decode(node, base: nil, context: &context) else { return nil }
    let errors = context.diagnostics.errorCount
    let plan = OperatorPlan(configs, context: &context)
    return context.diagnostics.errorCount == errors ? Self(configs: configs, plan: plan) : nil
  }

  private init(configs: [OperatorConfig], plan: OperatorPlan) {
    self.configs = configs
    self.plan = plan
  }

  package var literal: ConfigLiteral { configs.literal }
}
