extension OperatorConfig {
  /// Every kind of operator, in the order of the reference.
  static let kinds: [any OperatorSettings.Type] = [
    NoopConfig.self, TimeParserConfig.self, SeverityParserConfig.self, TraceParserConfig.self,
    ScopeNameParserConfig.self, JSONParserConfig.self, JSONArrayParserConfig.self, CSVParserConfig.self,
    KeyValueParserConfig.self, URIParserConfig.self,
    RegexParserConfig.self, RegexReplaceConfig.self,
  ]
}
