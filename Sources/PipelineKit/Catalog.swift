public import ConfigSchema
public import TelemetryData

/// Every component type of this build, by kind and name.
public struct Catalog: Sendable {
  /// One type: what is known of it, and how to make one.
  public struct Entry: Sendable {
    public let kind: ComponentKind
    public let descriptor: ComponentDescriptor
    /// Its configuration keys, for reference pages and the JSON Schema.
    public let configuration: GroupDescription
    /// Decodes a configuration section at a path, declared at a position; nil when errors were added.
    public let decode: @Sendable (ConfigNode, String, Origin, inout Diagnostics) -> DecodedComponent?

    init<C: Component>(_ type: C.Type, kind: ComponentKind) {
      self.kind = kind
      descriptor = C.descriptor
      configuration = GroupDescription(C.Config.self)
      decode = { node, path, origin, diagnostics in
        var uses: [ExtensionUse] = []
        guard
          let config = ConfigDecoder.decode(
            C.Config.self, from: node, path: path, keyOrigin: origin, diagnostics: &diagnostics,
            extensionUses: &uses)
        else { return nil }
        return DecodedComponent(
          literal: config.literal, written: node.literal, extensionUses: uses, traits: C.traits(of: config),
          problem: { C.problem(of: config, carrying: $0) }, make: { try C(config: config, context: $0) })
      }
    }
  }

  public let entries: [Entry]
  /// What `service.admin` configures; it runs as an extension.
  public let admin: Entry?

  /// Lists the types; processors are inline or buffering, exporters inline or not.
  public init(
    receivers: [any Receiver.Type] = [], processors: [any Component.Type] = [],
    exporters: [any Component.Type] = [], extensions: [any ServiceExtension.Type] = [],
    admin: (any ServiceExtension.Type)? = nil
  ) {
    func entry(_ type: any Component.Type, _ kind: ComponentKind) -> Entry {
      func open<C: Component>(_ type: C.Type) -> Entry { Entry(type, kind: kind) }
      return open(type)
    }
    entries =
      receivers.map { entry($0, .receiver) } + processors.map { entry($0, .processor) }
      + exporters.map { entry($0, .exporter) } + extensions.map { entry($0, .extension) }
    self.admin = admin.map { entry($0, .extension) }
  }

  private init(entries: [Entry], admin: Entry?) {
    self.entries = entries
    self.admin = admin
  }

  /// This catalog with the types of another one behind its own.
  public func adding(_ other: Catalog) -> Catalog {
    Catalog(entries: entries + other.entries, admin: admin ?? other.admin)
  }

  /// The type called `name`, now or formerly.
  public func entry(_ kind: ComponentKind, named name: String) -> Entry? {
    entries.first {
      $0.kind == kind && ($0.descriptor.type == name || $0.descriptor.deprecatedTypes.contains(name))
    }
  }

  /// The types of one kind.
  public func entries(_ kind: ComponentKind) -> [Entry] { entries.filter { $0.kind == kind } }
}

/// A component whose configuration has been read, ready to be made.
public struct DecodedComponent: Sendable {
  /// The resolved configuration, with secrets masked.
  public let literal: ConfigLiteral
  /// The section as written, secrets included: whether two configurations are the same. Never printed.
  public let written: ConfigLiteral
  /// The extensions it names.
  public let extensionUses: [ExtensionUse]
  /// What the plan must know of it.
  public let traits: ComponentTraits
  /// What is wrong for a component that carries these signals; nil when nothing is.
  public let problem: @Sendable ([Signal]) -> String?
  /// Makes the component; no I/O happens.
  public let make: @Sendable (ComponentContext) throws -> any Component
}
