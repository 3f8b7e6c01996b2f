/// A label of a Prometheus series: a name and a value, both UTF-8.
///
/// Compared byte by byte, as Prometheus does, not by Unicode's canonical equivalence as `String` would.
package struct Label: Sendable, Hashable, Comparable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  package static func == (a: Label, b: Label) -> Bool {
    isSame(a.name, b.name) && isSame(a.value, b.value)
  }

  package static func < (a: Label, b: Label) -> Bool {
    isSame(a.name, b.name) ? precedes(a.value, b.value) : precedes(a.name, b.name)
  }

  package func hash(into hasher: inout Hasher) {
    for byte in name.utf8 { hasher.combine(byte) }
    hasher.combine(UInt8(0xff))
    for byte in value.utf8 { hasher.combine(byte) }
    hasher.combine(UInt8(0xff))
  }

  static func isSame(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
  static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}

/// The labels of a series or target, sorted by name, each name once, and no value empty: to Prometheus an empty label is
/// a label that is not there.
///
/// For the cold paths (new series, targets, relabeling); known series never come here.
package struct LabelSet: Sendable, Hashable, RandomAccessCollection {
  private var labels: [Label] = []

  package init() {}

  /// The last of several labels of one name wins.
  package init(_ labels: some Sequence<Label>) {
    for label in labels { self[label.name] = label.value }
  }

  package var startIndex: Int { labels.startIndex }
  package var endIndex: Int { labels.endIndex }
  package subscript(position: Int) -> Label { labels[position] }

  /// The value of a label; setting it to nil or to nothing removes the label.
  package subscript(name: String) -> String? {
    get {
      let index = position(of: name)
      return index < labels.count && Label.isSame(labels[index].name, name) ? labels[index].value : nil
    }
    set {
      let index = position(of: name)
      let exists = index < labels.count && Label.isSame(labels[index].name, name)
      switch (newValue, exists) {
      case (nil, true), ("", true): labels.remove(at: index)
      case (nil, false), ("", false): break
      case (let value?, true): labels[index].value = value
      case (let value?, false): labels.insert(Label(name, value), at: index)
      }
    }
  }

  /// Keeps the labels whose names satisfy a condition.
  package mutating func keep(where isKept: (String) -> Bool) {
    labels.removeAll { !isKept($0.name) }
  }

  private func position(of name: String) -> Int {
    var low = 0
    var high = labels.count
    while low < high {
      let middle = (low + high) / 2
      if Label.precedes(labels[middle].name, name) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
