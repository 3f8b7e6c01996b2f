internal import TelemetryData
internal import WireFormat

// The labels that all points of a resource and scope have.
extension SeriesWalker {
  @inline(__always)
  @_lifetime(borrow self, copy bytes)
  func buffers(_ bytes: Span<UInt8>) -> TextBuffers {
    TextBuffers(batch: bytes, kept: kept.span, point: pointText.span, bounds: boundText.span)
  }

  /// Keeps a text and says where.
  mutating func keep(_ text: Span<UInt8>) -> TextPlace {
    let start = kept.count
    kept.append(text)
    return TextPlace(.kept, start, kept.count)
  }

  mutating func placeExternalLabels() {
    var labels: [FixedLabel] = []
    for label in settings.externalLabels where !label.value.isEmpty {
      let (name, value) = (Array(label.name.utf8), Array(label.value.utf8))
      guard let namePlace = labelName(name.span, at: nil) else { continue }
      let entry = FixedLabel(name: namePlace, value: keep(value.span), origin: .external)
      insert(entry, into: &labels, [UInt8]().span)
    }
    external = labels
  }

  /// Where the name of a label for a key stands; nil when there is none.
  ///
  /// - Parameter place: where the key stands in the batch; nil when it is not of the batch, and so must be kept.
  mutating func labelName(_ key: Span<UInt8>, at place: WireRange?) -> TextPlace? {
    if key.isEmpty { return nil }
    if !settings.strategy.escapes || NameCharacters.isLabelName(key) {
      return place.map { TextPlace(.batch, $0.lowerBound, $0.upperBound) } ?? keep(key)
    }
    let start = kept.count
    LabelNaming.append(escaped: key, to: &kept)
    return kept.count == start ? nil : TextPlace(.kept, start, kept.count)
  }

  /// Where the value of an attribute stands as text that lasts.
  private mutating func keptText(_ value: borrowing AnyValueView) -> TextPlace {
    if value.kind == .string {
      return TextPlace(.batch, value.payload.lowerBound, value.payload.upperBound)
    }
    let start = kept.count
    AttributeValueText.append(value, to: &kept)
    return TextPlace(.kept, start, kept.count)
  }

  /// Puts a label in its place among others; of two with one name the greater origin wins, and values of resource
  /// attributes are joined.
  private mutating func insert(_ label: FixedLabel, into labels: inout [FixedLabel], _ bytes: Span<UInt8>) {
    if label.value.isEmpty && label.origin != .metricName { return }
    var slot = 0
    do {
      let buffers = buffers(bytes)
      let name = buffers.text(label.name)
      if label.origin != .metricName, name.hasSameBytes(as: buffers.text(words.metricName)) { return }
      while slot < labels.count, buffers.text(labels[slot].name).precedes(name) { slot += 1 }
      if slot == labels.count || !buffers.text(labels[slot].name).hasSameBytes(as: name) {
        labels.insert(label, at: slot)
        return
      }
    }
    if label.origin == .resource, labels[slot].origin == .resource {
      join(label, with: &labels[slot], bytes)
    } else if label.origin.rawValue >= labels[slot].origin.rawValue {
      labels[slot] = label
    }
  }

  /// Joins the values of two attributes whose keys became one name, in the order of the keys.
  private mutating func join(_ label: FixedLabel, with other: inout FixedLabel, _ bytes: Span<UInt8>) {
    let isFirst = buffers(bytes).text(label.key).precedes(buffers(bytes).text(other.key))
    let (first, second) = isFirst ? (label, other) : (other, label)
    var joined: [UInt8] = []
    joined.append(buffers(bytes).text(first.value))
    joined.append(UInt8(ascii: ";"))
    joined.append(buffers(bytes).text(second.value))
    other.value = keep(joined.span)
    other.key = second.key
  }

  mutating func begin(_ resource: borrowing ResourceView, _ bytes: Span<UInt8>) {
    kept.removeLast(kept.count - endOfOwn)
    newestTime = 0
    var labels = resourceFixed
    labels.removeAll(keepingCapacity: true)
    labels.append(contentsOf: external)
    placeIdentity(resource, bytes, into: &labels)
    if settings.resourceLabels != .none {
      var attributes = resource.attributes.makeIterator()
      while let attribute = attributes.next() {
        let key = attribute.key.span
        guard settings.resourceLabels.includes(key), let name = labelName(key, at: attribute.keyRange)
        else { continue }
        let keyPlace = TextPlace(.batch, attribute.keyRange.lowerBound, attribute.keyRange.upperBound)
        let label = FixedLabel(
          name: name, value: keptText(attribute.value), origin: .resource, key: keyPlace)
        insert(label, into: &labels, bytes)
      }
    }
    resourceFixed = labels
    endOfResource = kept.count
  }

  /// Adds `job` and `instance`.
  mutating func placeIdentity(
    _ resource: borrowing ResourceView, _ bytes: Span<UInt8>, into labels: inout [FixedLabel]
  ) {
    var service = (namespace: TextPlace.none, name: TextPlace.none, instance: TextPlace.none)
    var attributes = resource.attributes.makeIterator()
    while let attribute = attributes.next() {
      switch ServiceAttribute(attribute.key.span) {
      case .namespace: service.namespace = keptText(attribute.value)
      case .name: service.name = keptText(attribute.value)
      case .instance: service.instance = keptText(attribute.value)
      case nil: break
      }
    }
    if !service.name.isEmpty {
      var job = service.name
      if !service.namespace.isEmpty {
        var joined: [UInt8] = []
        joined.append(buffers(bytes).text(service.namespace))
        joined.append(UInt8(ascii: "/"))
        joined.append(buffers(bytes).text(service.name))
        job = keep(joined.span)
      }
      insert(FixedLabel(name: words.job, value: job, origin: .identity), into: &labels, bytes)
    }
    insert(
      FixedLabel(name: words.instance, value: service.instance, origin: .identity), into: &labels, bytes)
  }

  mutating func begin(_ scope: borrowing ScopeView, _ bytes: Span<UInt8>) {
    kept.removeLast(kept.count - endOfResource)
    var labels = fixed
    labels.removeAll(keepingCapacity: true)
    labels.append(contentsOf: resourceFixed)
    if settings.addsScopeLabels {
      for (name, field) in [
        (words.scopeName, scope.message.payload(1)), (words.scopeVersion, scope.message.payload(2)),
      ] {
        let value = TextPlace(.batch, field.lowerBound, field.upperBound)
        insert(FixedLabel(name: name, value: value, origin: .scope), into: &labels, bytes)
      }
      let schema = keep(scope.schemaURL.span)
      insert(FixedLabel(name: words.scopeSchema, value: schema, origin: .scope), into: &labels, bytes)
      placeScopeAttributes(scope, bytes, into: &labels)
    }
    placeMetricName(into: &labels, bytes)
    fixed = labels
    endOfScope = kept.count
  }

  /// Adds the place where the metric's name goes.
  mutating func placeMetricName(into labels: inout [FixedLabel], _ bytes: Span<UInt8>) {
    insert(FixedLabel(name: words.metricName, value: .none, origin: .metricName), into: &labels, bytes)
  }

  private mutating func placeScopeAttributes(
    _ scope: borrowing ScopeView, _ bytes: Span<UInt8>, into labels: inout [FixedLabel]
  ) {
    var attributes = scope.attributes.makeIterator()
    while let attribute = attributes.next() {
      var key = Array("otel_scope_".utf8)
      key.append(attribute.key.span)
      guard !attribute.key.isEmpty, let name = labelName(key.span, at: nil) else { continue }
      let isTaken = [words.scopeName, words.scopeVersion, words.scopeSchema].contains {
        buffers(bytes).text($0).hasSameBytes(as: buffers(bytes).text(name))
      }
      if isTaken { continue }
      let label = FixedLabel(name: name, value: keptText(attribute.value), origin: .scope)
      insert(label, into: &labels, bytes)
    }
  }
}
