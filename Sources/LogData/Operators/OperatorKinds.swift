extension OperatorConfig {
  /// Every kind of operator, in the order of the reference.
  static let kinds: [any OperatorSettings.Type] = [
    AddConfig.self,
    AssignKeysConfig.self,
    CopyConfig.self,
    CSVParserConfig.self,
    FilterConfig.self,
    FlattenConfig.self,
    JSONArrayParserConfig.self,
    JSONParserConfig.self,
    KeyValueParserConfig.self,
    MoveConfig.self,
    NoopConfig.self,
    RecombineConfig.self,
    RemoveConfig.self,
    RetainConfig.self,
    RouterConfig.self,
    SanitizeUTF8Config.self,
    ScopeNameParserConfig.self,
    SeverityParserConfig.self,
    SyslogParserConfig.self,
    TimeParserConfig.self,
    TraceParserConfig.self,
    UnquoteConfig.self,
    URIParserConfig.self,
  ]
}
