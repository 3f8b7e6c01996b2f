import ConfigSchema
package import PipelineKit
import Synchronization
package import Transport

/// `headers_setter`: headers of outgoing requests, fixed or taken over from the requests that brought the data.
package final class HeadersSetterExtension: ServiceExtension, ClientAuthenticator {
  package typealias Config = HeadersSetterConfig

  package static let descriptor = ComponentDescriptor(
    type: "headers_setter", signals: [],
    summary: "Sets headers of outgoing requests, also from the metadata of incoming ones.")

  package static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits(roles: [ClientAuthenticationRole.name])
    traits.wantedMetadata = config.headers.map(\.fromContext).filter { !$0.isEmpty }
    return traits
  }

  private let config: Config
  private let context: ComponentContext
  private let additional: (any ClientAuthenticator)?
  private let files = Mutex<[WatchedFile]>([])
  /// The values from files, by the index of their action.
  private let fileValues = Mutex<[Int: String]>([:])

  package init(config: Config, context: ComponentContext) throws {
    self.config = config
    self.context = context
    additional = try config.additionalAuth.map {
      try context.extensions.find($0, as: (any ClientAuthenticator).self)
    }
  }

  package func start() async throws {
    for (index, action) in config.headers.enumerated() where !action.valueFile.isEmpty {
      let file = WatchedFile("headers[\(index)].value_file", path: action.valueFile, context: context) {
        [weak self] text in
        let value = try CredentialText.single(text)
        try CredentialText.requireHeaderValue(value)
        self?.fileValues.withLock { $0[index] = value }
      }
      try await file.start()
      files.withLock { $0.append(file) }
    }
  }

  package func stop() async {
    for file in files.withLock({ $0 }) { file.stop() }
  }

  package func changes(for metadata: [String: [String]]) async throws -> [HeaderChange] {
    var changes = try await additional?.changes(for: metadata) ?? []
    for (index, action) in config.headers.enumerated() {
      if case .delete = action.action {
        changes.append(HeaderChange(action.key, nil))
      } else if let value = value(of: action, index, metadata) {
        changes.append(HeaderChange(action.key, value, action.action.condition))
      }
    }
    return changes
  }

  package func wereRefused(_ changes: [HeaderChange]) async -> Bool {
    await additional?.wereRefused(changes) ?? false
  }

  /// The value to set; nil leaves the header as it is.
  private func value(of action: Config.Action, _ index: Int, _ metadata: [String: [String]]) -> String? {
    if let value = action.value { return value.reveal() }
    if !action.valueFile.isEmpty { return fileValues.withLock { $0[index] } }
    let values = metadata[action.fromContext.lowercased()] ?? []
    // Several values are one list for HTTP (RFC 9110 §5.3).
    return values.isEmpty ? action.defaultValue?.reveal() : values.joined(separator: ", ")
  }
}

extension HeadersSetterConfig.Kind {
  fileprivate var condition: HeaderChange.Condition {
    switch self {
    case .insert: .whenAbsent
    case .update: .whenPresent
    case .upsert, .delete: .always
    }
  }
}
