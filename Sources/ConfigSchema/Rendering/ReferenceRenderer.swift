/// Writes reference pages and JSON Schema from declared fields.
public enum ReferenceRenderer {
  /// A Markdown table of the group's keys, and one table for each nested section.
  ///
  /// - Parameter heading: the Markdown level of the headings of nested sections.
  public static func markdown<Group: ConfigGroup>(
    for type: Group.Type, base: Group = Group(), heading: Int = 3
  ) -> String {
    markdown(of: GroupDescription(type, base: base), heading: heading)
  }

  /// The same for a group whose type is only known at run time.
  public static func markdown(of group: GroupDescription, heading: Int = 3) -> String {
    var page = MarkdownPage(heading: heading)
    page.add(group, path: "", outer: [])
    return page.text
  }

  /// The JSON Schema (draft 2020-12) of the group.
  ///
  /// - Parameter title: the title of the schema, usually the component's name.
  public static func jsonSchema<Group: ConfigGroup>(
    for type: Group.Type, base: Group = Group(), title: String = ""
  ) -> String {
    var schema = SchemaBuilder.schema(of: .group(GroupDescription(type, base: base)), outer: [])
    if !title.isEmpty { schema.insert(.init("title", .string(title)), at: 0) }
    schema.insert(.init("$schema", .string("https://json-schema.org/draft/2020-12/schema")), at: 0)
    return ConfigLiteral.map(schema).prettyJSON() + "\n"
  }

  /// The JSON Schema of any type as data, for composing a schema of the whole file.
  public static func jsonSchema(of type: ConfigType) -> ConfigLiteral {
    .map(SchemaBuilder.schema(of: type, outer: []))
  }
}

/// The tables of one page.
private struct MarkdownPage {
  let heading: Int
  private(set) var text = ""

  init(heading: Int) { self.heading = heading }

  mutating func add(_ group: GroupDescription, path: String, outer: [String]) {
    let fields = group.fields
    if !path.isEmpty { text += "\n\(String(repeating: "#", count: heading)) `\(path)`\n\n" }
    addTable(fields)
    addSections(of: fields, path: path, outer: outer + [group.typeName])
  }

  private mutating func addSections(of fields: [FieldDescription], path: String, outer: [String]) {
    for field in fields where field.status == .supported {
      let (type, suffix) = Self.innermost(field.type)
      let below = (path.isEmpty ? field.name : "\(path).\(field.name)") + suffix
      switch type {
      case .group(let group) where !outer.contains(group.typeName): add(group, path: below, outer: outer)
      case .variants(let variants) where !outer.contains(variants.typeName):
        add(variants, path: below, outer: outer + [variants.typeName])
      default: continue
      }
    }
  }

  /// What all variants have first, then the keys of each.
  private mutating func add(_ variants: VariantsDescription, path: String, outer: [String]) {
    let shared = variants.sharedFields
    let names = Set(shared.map(\.name))
    text += "\n\(String(repeating: "#", count: heading)) `\(path)`\n\n"
    text += "| \(variants.selector) | meaning |\n|---|---|\n"
    for variant in variants.variants { text += "| `\(variant.name)` | \(variant.help) |\n" }
    if !shared.isEmpty {
      text += "\nKeys of every \(variants.selector):\n\n"
      addTable(shared)
      addSections(of: shared, path: path, outer: outer)
    }
    for variant in variants.variants {
      let own = variant.group.fields.filter { !names.contains($0.name) }
      if own.isEmpty { continue }
      let title = "`\(path)` with `\(variants.selector): \(variant.name)`"
      text += "\n\(String(repeating: "#", count: heading)) \(title)\n\n"
      addTable(own)
      addSections(of: own, path: path, outer: outer + [variant.group.typeName])
    }
  }

  private mutating func addTable(_ fields: [FieldDescription]) {
    text += "| key | type | default | meaning |\n|---|---|---|---|\n"
    for field in fields { text += row(field) }
  }

  /// What lists and maps hold in the end, and how its path is written.
  private static func innermost(_ type: ConfigType) -> (ConfigType, String) {
    switch type {
    case .list(let inner):
      let (type, suffix) = innermost(inner)
      return (type, "[]" + suffix)
    case .map(let inner):
      let (type, suffix) = innermost(inner)
      return (type, ".NAME" + suffix)
    default: return (type, "")
    }
  }

  private func row(_ field: FieldDescription) -> String {
    var meaning = field.help
    switch field.status {
    case .supported: break
    case .deprecated(let use): meaning = "Deprecated: use `\(use)`." + (meaning.isEmpty ? "" : " \(meaning)")
    case .accepted: meaning = "Accepted without effect: \(Self.sentence(meaning))"
    case .unsupported: meaning = "Not supported: \(Self.sentence(meaning))"
    }
    if !field.constraints.isEmpty {
      meaning += " (\(field.constraints.map(\.text).joined(separator: ", ")))"
    }
    if !field.aliases.isEmpty {
      meaning += " Also: " + field.aliases.map { "`\($0)`" }.joined(separator: ", ") + "."
    }
    let isSupported = field.status == .supported
    let cells = [
      "`\(field.name)`", isSupported ? field.type.name : "", isSupported ? defaultText(field) : "",
      meaning.replacing("|", with: "\\|").replacing("\n", with: " "),
    ]
    return "| " + cells.joined(separator: " | ") + " |\n"
  }

  private static func sentence(_ text: String) -> String { text.hasSuffix(".") ? text : text + "." }

  private func defaultText(_ field: FieldDescription) -> String {
    if field.isRequired { return "required" }
    if case .group = field.type { return field.defaultValue == .null ? "off" : "" }
    switch field.defaultValue {
    case nil, .null?: return ""
    case .string("")?: return "`\"\"`"
    case .list(let elements)? where elements.count > 8: return "\(elements.count) entries"
    case .string(let text)?: return "`\(text)`"
    case let value?: return "`\(value.plainText)`"
    }
  }
}

/// Builds JSON Schema objects.
private enum SchemaBuilder {
  typealias Object = [ConfigLiteral.Entry]

  static func schema(of type: ConfigType, outer: [String]) -> Object {
    switch type {
    case .string: return [.init("type", .list([.string("string"), .string("number"), .string("boolean")]))]
    case .secret: return [.init("type", .string("string")), .init("writeOnly", .bool(true))]
    case .bool: return scalar("boolean")
    case .integer: return scalar("integer")
    case .number: return scalar("number")
    case .duration:
      return alternatives([
        [
          .init("type", .string("string")),
          .init("pattern", .string("^[-+]?(0|([0-9]*\\.?[0-9]+(ns|us|µs|ms|s|m|h))+)$")),
        ],
        [.init("const", .integer(0))], reference,
      ])
    case .byteCount:
      return alternatives([
        [.init("type", .string("integer")), .init("minimum", .integer(0))],
        [.init("type", .string("string")), .init("pattern", .string("^[0-9.]+ ?([KMGT]i?)?B?$"))],
        reference,
      ])
    case .choice(let words):
      return alternatives([[.init("enum", .list(words.map { .string($0) }))], reference])
    case .list(let element):
      return [
        .init("type", .list([.string("array"), .string("null")])),
        .init("items", .map(schema(of: element, outer: outer))),
      ]
    case .map(let value):
      return [
        .init("type", .list([.string("object"), .string("null")])),
        .init("additionalProperties", .map(schema(of: value, outer: outer))),
      ]
    case .group(let group): return schema(of: group, outer: outer)
    case .variants(let variants): return schema(of: variants, outer: outer)
    case .any: return []
    }
  }

  /// A value that comes from a reference can have any type.
  private static let reference: Object = [
    .init("type", .string("string")), .init("pattern", .string("\\$\\{.+\\}")),
  ]

  private static func scalar(_ name: String) -> Object {
    alternatives([[.init("type", .string(name))], reference])
  }

  private static func alternatives(_ schemas: [Object]) -> Object {
    [.init("anyOf", .list(schemas.map { .map($0) }))]
  }

  /// - Parameter selector: the key that selects the group among variants, and its schema.
  private static func schema(
    of group: GroupDescription, outer: [String], selector: (name: String, schema: Object)? = nil
  ) -> Object {
    // A group inside itself is left open: JSON Schema would need a definition for it.
    guard !outer.contains(group.typeName) else { return [.init("type", .string("object"))] }
    let fields = group.fields.filter { $0.status != .unsupported }
    var properties = selector.map { [ConfigLiteral.Entry($0.name, .map($0.schema))] } ?? []
    properties += fields.flatMap { field in
      ([field.name] + field.aliases).map { name in
        ConfigLiteral.Entry(name, .map(schema(of: field, named: name, outer: outer + [group.typeName])))
      }
    }
    var object: Object = [
      .init("type", selector == nil ? .list([.string("object"), .string("null")]) : .string("object")),
      .init("properties", .map(properties)),
      .init("additionalProperties", .bool(false)),
    ]
    let names = (selector.map { [$0.name] } ?? []) + fields.filter(\.isRequired).map(\.name)
    let required = names.map { ConfigLiteral.string($0) }
    if !required.isEmpty { object.append(.init("required", .list(required))) }
    return object
  }

  /// One schema for each variant, told apart by the key that selects it.
  private static func schema(of variants: VariantsDescription, outer: [String]) -> Object {
    guard !outer.contains(variants.typeName) else { return [.init("type", .string("object"))] }
    return alternatives(
      variants.variants.map { variant in
        let words = ([variant.name] + variant.aliases).map { ConfigLiteral.string($0) }
        let selector: Object = [
          .init("enum", .list(words)), .init("description", .string(variant.help)),
        ]
        return schema(
          of: variant.group, outer: outer + [variants.typeName], selector: (variants.selector, selector))
      })
  }

  private static func schema(of field: FieldDescription, named name: String, outer: [String]) -> Object {
    var object = schema(of: field.type, outer: outer)
    if !field.help.isEmpty { object.append(.init("description", .string(field.help))) }
    if name != field.name || field.status != .supported { object.append(.init("deprecated", .bool(true))) }
    if let value = field.defaultValue, value != .null, field.status == .supported, !field.type.isSecret {
      if case .group = field.type {} else { object.append(.init("default", value)) }
    }
    for constraint in field.constraints { object += keywords(constraint, field.type) }
    return object
  }

  private static func keywords(_ constraint: FieldConstraint, _ type: ConfigType) -> Object {
    let isNumber: Bool
    switch type {
    case .integer, .number: isNumber = true
    default: isNumber = false
    }
    switch constraint {
    case .minimum(let value) where isNumber: return [.init("minimum", value)]
    case .maximum(let value) where isNumber: return [.init("maximum", value)]
    case .nonEmpty:
      switch type {
      case .list: return [.init("minItems", .integer(1))]
      case .map: return [.init("minProperties", .integer(1))]
      default: return [.init("minLength", .integer(1))]
      }
    case .oneOf(let values): return [.init("examples", .list(values))]
    default: return []
    }
  }
}
