/// One declared key of a ``ConfigGroup``.
public struct Field<Root: ConfigGroup>: Sendable {
  /// The key; empty for an inlined group.
  let name: String
  /// Other accepted spellings.
  let aliases: [String]
  let help: String
  /// What the field writes to; nil when it writes nowhere.
  let keyPath: (any PartialKeyPath<Root> & Sendable)?
  let action: Action<Root>
  /// The type of the property, when it is a section.
  let section: (any ConfigGroup.Type)?
  /// What the reference says, given the values to show as defaults.
  let descriptions: @Sendable (Root) -> [FieldDescription]

  /// Declares a key.
  ///
  /// - Parameters:
  ///   - name: the key as the Collector spells it.
  ///   - keyPath: the property; its value in a fresh `Root()` is the default.
  ///   - help: one or two sentences for the reference.
  ///   - check: what must hold for the value; also checked when the key is absent.
  ///   - aliases: older spellings, which work with a note.
  ///   - required: whether leaving the key out is an error.
  public init<Value: ConfigValue>(
    _ name: String, _ keyPath: any WritableKeyPath<Root, Value> & Sendable, _ help: String,
    check: FieldCheck<Value>? = nil, aliases: [String] = [], required: Bool = false
  ) {
    self.init(
      name: name, aliases: aliases, help: help, keyPath: keyPath, required: required,
      status: .supported, constraints: check?.constraints ?? [],
      decode: { node, base, context in Value.decode(node, base: base, context: &context) },
      problem: { value in check?.problem(value) })
  }

  /// Declares an optional key: absent means nil. A section written without content means all its defaults.
  ///
  /// - Parameter initial: what a section that is present starts from; its own defaults when left out.
  public init<Value: ConfigValue>(
    _ name: String, _ keyPath: any WritableKeyPath<Root, Value?> & Sendable, _ help: String,
    check: FieldCheck<Value>? = nil, initial: Value? = nil, aliases: [String] = [], required: Bool = false
  ) {
    self.init(
      name: name, aliases: aliases, help: help, keyPath: keyPath, required: required,
      status: .supported, constraints: check?.constraints ?? [],
      type: initial.map(Field.type(of:)) ?? Value.configType,
      decode: { node, base, context in
        let start: Value? = base ?? initial
        return Value?.decode(node, base: .some(start), context: &context)
      },
      problem: { value in value.flatMap { check?.problem($0) } })
  }

  /// Inlines the keys of another group.
  public static func group<Value: ConfigGroup>(
    _ keyPath: any WritableKeyPath<Root, Value> & Sendable
  ) -> Field {
    Field(
      name: "", aliases: [], help: "", keyPath: keyPath,
      action: .inline(
        names: { GroupDecoding.names(of: Value.self) },
        apply: { root, node, context in
          GroupDecoding.apply(node, to: &root[keyPath: keyPath], context: &context)
        },
        check: { root, node, context in
          GroupDecoding.check(root[keyPath: keyPath], node, context: &context)
        }),
      section: Value.self,
      descriptions: { root in Value.fields.flatMap { $0.descriptions(root[keyPath: keyPath]) } })
  }

  /// A key the Collector knows and we do not: refused with a message.
  ///
  /// - Parameter reason: why, and what to do instead.
  public static func unsupported(_ name: String, _ reason: String) -> Field {
    Field(
      name: name, help: reason, status: .unsupported,
      action: .report(.error, code: "unsupported-key", "\"\(name)\" is not supported", help: reason))
  }

  /// A key the Collector knows that has no effect here: accepted with a note.
  ///
  /// - Parameter reason: why it has no effect.
  public static func accepted(_ name: String, _ reason: String) -> Field {
    Field(
      name: name, help: reason, status: .accepted,
      action: .report(.note, code: "no-effect", "\"\(name)\" has no effect: \(reason)", help: nil))
  }

  /// An older key that still works, with a warning that names the new one.
  ///
  /// When both are written, the new one wins.
  public static func deprecated<Value: ConfigValue>(
    _ name: String, use: String, _ keyPath: any WritableKeyPath<Root, Value> & Sendable, _ help: String = "",
    check: FieldCheck<Value>? = nil
  ) -> Field {
    Field(
      name: name, aliases: [], help: help, keyPath: keyPath, required: false,
      status: .deprecated(use: use), constraints: check?.constraints ?? [],
      decode: { node, base, context in Value.decode(node, base: base, context: &context) },
      problem: { value in check?.problem(value) })
  }
}

/// What decoding a field does.
enum Action<Root: ConfigGroup>: Sendable {
  /// Decodes one key.
  case value(ValueAction<Root>)
  /// Decodes keys of the surrounding section into a nested group.
  case inline(
    names: @Sendable () -> [String],
    apply: @Sendable (inout Root, ConfigNode, inout ConfigContext) -> Void,
    check: @Sendable (Root, ConfigNode, inout ConfigContext) -> Void)
  /// Says something when the key is present.
  case report(Diagnostic.Severity, code: String, String, help: String?)
}

/// How one key is decoded and checked.
struct ValueAction<Root: ConfigGroup>: Sendable {
  let isRequired: Bool
  /// The key to use instead, when this one is deprecated.
  let replacement: String?
  let isSecret: Bool
  let acceptsNull: Bool
  /// Reads the value into the property; false when it could not be read.
  let decode: @Sendable (inout Root, ConfigNode, inout ConfigContext) -> Bool
  /// What is wrong with the present value.
  let problem: @Sendable (Root) -> CheckProblem?
}

extension Field {
  private init(
    name: String, aliases: [String], help: String, keyPath: (any PartialKeyPath<Root> & Sendable)?,
    action: Action<Root>, section: (any ConfigGroup.Type)? = nil,
    descriptions: @escaping @Sendable (Root) -> [FieldDescription]
  ) {
    self.name = name
    self.aliases = aliases
    self.help = help
    self.keyPath = keyPath
    self.action = action
    self.section = section
    self.descriptions = descriptions
  }

  private init(name: String, help: String, status: FieldDescription.Status, action: Action<Root>) {
    self.init(
      name: name, aliases: [], help: help, keyPath: nil, action: action,
      descriptions: { _ in
        [
          FieldDescription(
            name: name, aliases: [], help: help, type: .any, defaultValue: nil, isRequired: false,
            constraints: [], status: status)
        ]
      })
  }

  private init<Value: ConfigValue>(
    name: String, aliases: [String], help: String,
    keyPath: any WritableKeyPath<Root, Value> & Sendable, required: Bool, status: FieldDescription.Status,
    constraints: [FieldConstraint], type: ConfigType? = nil,
    decode: @escaping @Sendable (ConfigNode, Value, inout ConfigContext) -> Value?,
    problem: @escaping @Sendable (Value) -> CheckProblem?
  ) {
    var replacement: String?
    if case .deprecated(let use) = status { replacement = use }
    self.init(
      name: name, aliases: aliases, help: help, keyPath: keyPath,
      action: .value(
        ValueAction(
          isRequired: required, replacement: replacement,
          isSecret: (type ?? Value.configType).isSecret,
          acceptsNull: Field.acceptsNull(Value.self, isRequired: required),
          decode: { root, node, context in
            guard let value = decode(node, root[keyPath: keyPath], &context) else { return false }
            root[keyPath: keyPath] = value
            return true
          },
          problem: { problem($0[keyPath: keyPath]) })),
      section: Value.self as? any ConfigGroup.Type,
      descriptions: { root in
        let value = root[keyPath: keyPath]
        return [
          FieldDescription(
            name: name, aliases: aliases, help: help, type: type ?? Field.type(of: value),
            defaultValue: value.literal, isRequired: required, constraints: constraints, status: status)
        ]
      })
  }

  /// Whether a key with nothing behind it is a value. An optional that is required takes no nothing but its content's.
  private static func acceptsNull<Value: ConfigValue>(_ type: Value.Type, isRequired: Bool) -> Bool {
    guard isRequired, let optional = type as? any OptionalValue.Type else { return type.acceptsNull }
    return optional.contentAcceptsNull
  }

  /// The type of a value; for a section, with the defaults the value holds.
  private static func type<Value: ConfigValue>(of value: Value) -> ConfigType {
    if let group = value as? any ConfigGroup { return describe(group) }
    return Value.configType
  }

  private static func describe<Group: ConfigGroup>(_ group: Group) -> ConfigType {
    .group(GroupDescription(Group.self, base: group))
  }
}

/// An optional whose content is a value.
private protocol OptionalValue {
  static var contentAcceptsNull: Bool { get }
}

extension Optional: OptionalValue where Wrapped: ConfigValue {
  static var contentAcceptsNull: Bool { Wrapped.acceptsNull }
}
