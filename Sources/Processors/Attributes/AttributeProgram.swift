internal import ConfigSchema
internal import NativeCodecs
internal import PipelineKit
internal import TelemetryData
internal import WireFormat

/// The actions of one processor, compiled.
///
/// Actions that only set and remove by key are one ``AttributeActions``, applied in one walk. Others need the values
/// that earlier ones have made: they work on an ``AttributeSheet``. Either way a message is written once.
struct AttributeProgram: Sendable {
  /// Where a value comes from.
  enum Source: Sendable {
    case value(AnyValue)
    case attribute([UInt8])
    case context(ContextValue)
  }

  enum Step: Sendable {
    case insert([UInt8], Source)
    case update([UInt8], Source)
    case upsert([UInt8], Source)
    case delete(key: [UInt8], pattern: CapturePattern?)
    case hash(key: [UInt8], pattern: CapturePattern?)
    case extract([UInt8], CapturePattern)
    case convert([UInt8], ConvertedType)
  }

  let steps: [Step]
  /// All steps at once; nil when one of them depends on values.
  let constant: AttributeActions?

  init(_ actions: [AttributeActionConfig]) {
    self.init(steps: actions.compactMap(Self.step))
  }

  private init(steps: [Step]) {
    self.steps = steps
    constant = Self.constant(steps)
  }

  /// This program and then another.
  func followed(by other: AttributeProgram) -> AttributeProgram {
    AttributeProgram(steps: steps + other.steps)
  }

  /// The program with what it takes from the request filled in; actions without a value are left out.
  func resolved(_ metadata: RequestMetadata?) -> AttributeProgram {
    guard usesContext else { return self }
    return AttributeProgram(
      steps: steps.compactMap { step in
        switch step {
        case .insert(let key, .context(let name)):
          name.value(in: metadata).map { .insert(key, .value(.string($0))) }
        case .update(let key, .context(let name)):
          name.value(in: metadata).map { .update(key, .value(.string($0))) }
        case .upsert(let key, .context(let name)):
          name.value(in: metadata).map { .upsert(key, .value(.string($0))) }
        default: step
        }
      })
  }

  /// Whether something is taken from the request.
  private var usesContext: Bool { !wantedMetadata.isEmpty }

  /// The keys of request metadata that the program works with.
  var wantedMetadata: [String] {
    steps.compactMap { step in
      switch step {
      case .insert(_, .context(let name)), .update(_, .context(let name)), .upsert(_, .context(let name)):
        name.wantedMetadata
      default: nil
      }
    }
  }

  private static func step(_ config: AttributeActionConfig) -> Step? {
    let key = [UInt8](config.key.utf8)
    let source: Source =
      if let value = config.value {
        .value(value.value)
      } else if !config.fromAttribute.isEmpty {
        .attribute([UInt8](config.fromAttribute.utf8))
      } else {
        .context(ContextValue(config.fromContext))
      }
    var keys: CapturePattern? { config.pattern.map { CapturePattern($0.pattern, asking: .existence) } }
    switch config.action {
    case .insert: return .insert(key, source)
    case .update: return .update(key, source)
    case .upsert: return .upsert(key, source)
    case .delete: return .delete(key: key, pattern: keys)
    case .hash: return .hash(key: key, pattern: keys)
    case .extract: return config.pattern.map { .extract(key, CapturePattern($0.pattern)) }
    case .convert: return config.convertedType.map { .convert(key, $0) }
    case nil: return nil
    }
  }

  private static func constant(_ steps: [Step]) -> AttributeActions? {
    var actions = AttributeActions()
    for step in steps {
      switch step {
      case .insert(let key, .value(let value)): actions.insert(String(decoding: key, as: UTF8.self), value)
      case .update(let key, .value(let value)): actions.update(String(decoding: key, as: UTF8.self), value)
      case .upsert(let key, .value(let value)): actions.upsert(String(decoding: key, as: UTF8.self), value)
      case .delete(let key, nil): actions.delete(String(decoding: key, as: UTF8.self))
      default: return nil
      }
    }
    return actions
  }

  /// Carries the steps out one after the other.
  func run(on sheet: inout AttributeSheet) {
    for step in steps { Self.run(step, on: &sheet) }
  }

  private static func run(_ step: Step, on sheet: inout AttributeSheet) {
    switch step {
    case .insert(let key, let source):
      if sheet.position(of: key.span) == nil { append(key, source, to: &sheet) }
    case .update(let key, let source):
      if let position = sheet.position(of: key.span) { set(position, source, of: &sheet) }
    case .upsert(let key, let source):
      if let position = sheet.position(of: key.span) {
        set(position, source, of: &sheet)
      } else {
        append(key, source, to: &sheet)
      }
    case .delete(let key, let pattern):
      if !key.isEmpty { sheet.removeAll(key.span) }
      for position in matching(pattern, sheet) { sheet.remove(at: position) }
    case .hash(let key, let pattern):
      // An attribute that both the key and the pattern name is hashed twice, as by the Collector.
      if !key.isEmpty, let position = sheet.position(of: key.span) { hash(position, of: &sheet) }
      for position in matching(pattern, sheet) { hash(position, of: &sheet) }
    case .extract(let key, let pattern): extract(key, pattern, from: &sheet)
    case .convert(let key, let type):
      if let position = sheet.position(of: key.span) { convert(position, type, of: &sheet) }
    }
  }

  private static func append(_ key: [UInt8], _ source: Source, to sheet: inout AttributeSheet) {
    switch source {
    case .value(let value): sheet.append(key.span, value)
    case .attribute(let other):
      if let position = sheet.position(of: other.span) { sheet.append(key.span, valueOf: position) }
    case .context: break
    }
  }

  private static func set(_ position: Int, _ source: Source, of sheet: inout AttributeSheet) {
    switch source {
    case .value(let value): sheet.set(value, at: position)
    case .attribute(let other):
      if let other = sheet.position(of: other.span) { sheet.copyValue(from: other, to: position) }
    case .context: break
    }
  }

  private static func matching(_ pattern: CapturePattern?, _ sheet: borrowing AttributeSheet) -> [Int] {
    guard let pattern else { return [] }
    var positions: [Int] = []
    for position in sheet.positions where pattern.matches(sheet.key(at: position).span) {
      positions.append(position)
    }
    return positions
  }

  private static func extract(
    _ key: [UInt8], _ pattern: CapturePattern, from sheet: inout AttributeSheet
  ) {
    guard let position = sheet.position(of: key.span), sheet.value(at: position).kind == .string else {
      return
    }
    let text = sheet.value(at: position).bytes.array
    var match = PatternMatch()
    guard pattern.find(in: text.span, into: &match) else { return }
    for (group, name) in pattern.groupNames.enumerated().dropFirst() {
      // A group that took no part gives an empty text.
      let value = AnyValue.string(match[group].map { String(decoding: text[$0], as: UTF8.self) } ?? "")
      if let target = sheet.position(of: name.utf8.span) {
        sheet.set(value, at: target)
      } else {
        sheet.append(name.utf8.span, value)
      }
    }
  }
}
