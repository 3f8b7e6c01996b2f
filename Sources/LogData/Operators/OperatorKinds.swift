extension OperatorConfig {
  /// Every kind of operator, in the order of the reference.
  static let kinds: [any OperatorSettings.Type] = [
    AddConfig.self, AssignKeysConfig.self, CopyConfig.self, FilterConfig.self, FlattenConfig.self,
    MoveConfig.self, NoopConfig.self, RecombineConfig.self, RemoveConfig.self, RetainConfig.self,
    RouterConfig.self, SanitizeUTF8Config.self, UnquoteConfig.self,
    TimeParserConfig.self, SeverityParserConfig.self, TraceParserConfig.self,
    ScopeNameParserConfig.self,
  ]
}
