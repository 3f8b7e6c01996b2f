import ConfigSchema
import PrometheusData

/// Targets that a source lists together, before relabeling.
struct TargetGroup: Sendable, Hashable {
  /// The labels of each target, `__address__` among them.
  var targets: [LabelSet]
  /// Labels of all of them; those of a target itself win.
  var labels: LabelSet

  init(targets: [LabelSet], labels: LabelSet = LabelSet()) {
    self.targets = targets
    self.labels = labels
  }

  init(addresses: [String], labels: LabelSet) {
    self.init(targets: addresses.map { LabelSet([Label("__address__", $0)]) }, labels: labels)
  }
}

/// Reads lists of `{targets, labels}`, as files and HTTP servers give them.
enum TargetList {
  /// Why a list cannot be read: a clause that names the place.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// The groups of a list.
  ///
  /// - Parameter extra: labels that every group gets besides its own.
  static func groups(
    _ node: ConfigNode?, extra: [Label], allowsOtherKeys: Bool
  ) throws(Problem) -> [TargetGroup] {
    guard let node else { return [] }
    guard node.kind == .list else {
      throw Problem(description: "\(node.origin): expected a list of groups with targets and labels")
    }
    var groups: [TargetGroup] = []
    for element in node.elements {
      guard element.kind == .map else {
        throw Problem(description: "\(element.origin): expected a group with targets and labels")
      }
      if !allowsOtherKeys,
        let other = element.entries.first(where: { $0.key != "targets" && $0.key != "labels" })
      {
        throw Problem(
          description: "\(other.keyOrigin): unknown key \"\(other.key)\", a group holds targets and labels")
      }
      let addresses = try texts(element["targets"])
      var labels = LabelSet(try pairs(element["labels"]))
      for label in extra { labels[label.name] = label.value }
      groups.append(TargetGroup(addresses: addresses, labels: labels))
    }
    return groups
  }

  private static func texts(_ node: ConfigNode?) throws(Problem) -> [String] {
    guard let node, !node.isNull else { return [] }
    guard node.kind == .list else {
      throw Problem(description: "\(node.origin): targets must be a list of addresses")
    }
    var texts: [String] = []
    for element in node.elements {
      guard let text = element.scalar?.text, !element.isNull else {
        throw Problem(description: "\(element.origin): a target must be an address, host:port")
      }
      texts.append(text)
    }
    return texts
  }

  private static func pairs(_ node: ConfigNode?) throws(Problem) -> [Label] {
    guard let node, !node.isNull else { return [] }
    guard node.kind == .map else {
      throw Problem(description: "\(node.origin): labels must be names with their values")
    }
    var labels: [Label] = []
    for entry in node.entries {
      guard let text = entry.value.scalar?.text, !entry.key.isEmpty else {
        throw Problem(
          description: "\(entry.value.origin): the label \"\(entry.key)\" must have a text as its value")
      }
      labels.append(Label(entry.key, entry.value.isNull ? "" : text))
    }
    return labels
  }
}
