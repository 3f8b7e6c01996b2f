/// Joins the labels of a sample with those of its target, as Prometheus does.
enum LabelMerge {
  /// The labels of a sample of a target, before relabeling.
  ///
  /// Where both have a label, `honor_labels` decides: with it the sample's stands, without it the target's does and the
  /// sample's is kept as `exported_…`, with the prefix once more while that name is taken.
  static func merge(_ sample: LabelSet, _ settings: ScrapeSettings, emptyLabels: [String]) -> LabelSet {
    var merged = sample
    if settings.honorsLabels {
      // A label that the target exposes with nothing in it keeps the one of the target away.
      for label in settings.labels where sample[label.name] == nil && !emptyLabels.contains(label.name) {
        merged[label.name] = label.value
      }
      return merged
    }
    var displaced: [Label] = []
    for label in settings.labels {
      if let value = sample[label.name] { displaced.append(Label(label.name, value)) }
      merged[label.name] = label.value
    }
    if displaced.isEmpty { return merged }
    // Shorter names first, so that a label called `exported_job` is not taken for a displaced `job`.
    displaced.sort { ($0.name.utf8.count, $0.name) < ($1.name.utf8.count, $1.name) }
    for label in displaced {
      var name = "exported_" + label.name
      while merged[name] != nil { name = "exported_" + name }
      merged[name] = label.value
    }
    return merged
  }

  /// The labels of the target that the raw bytes of a sample set to nothing.
  ///
  /// A set of labels cannot say it, since to Prometheus an empty label is none.
  static func emptied(in series: Span<UInt8>, of labels: LabelSet) -> [String] {
    labels.compactMap { label in
      let pattern = Array("\(label.name)=\"\"".utf8)
      let quoted = Array("\"\(label.name)\"=\"\"".utf8)
      return contains(series, pattern) || contains(series, quoted) ? label.name : nil
    }
  }

  private static func contains(_ series: Span<UInt8>, _ pattern: [UInt8]) -> Bool {
    var start = 1
    while start + pattern.count <= series.count {
      let before = series[start - 1]
      if before == UInt8(ascii: "{") || before == UInt8(ascii: ",") || before == UInt8(ascii: " ") {
        var position = 0
        while position < pattern.count, series[start + position] == pattern[position] { position += 1 }
        if position == pattern.count { return true }
      }
      start += 1
    }
    return false
  }

  /// Why the labels of a series are too many or too long; nil when they are not.
  static func excess(of labels: LabelSet, _ settings: ScrapeSettings) -> String? {
    if settings.labelLimit > 0, labels.count > settings.labelLimit {
      return "\(name(labels)) has \(labels.count) labels, more than \(settings.labelLimit) (label_limit)"
    }
    let (names, values) = (settings.labelNameLengthLimit, settings.labelValueLengthLimit)
    if names == 0, values == 0 { return nil }
    for label in labels {
      if names > 0, label.name.utf8.count > names {
        return "\(name(labels)) has a label name of \(label.name.utf8.count) bytes, more than \(names) "
          + "(label_name_length_limit)"
      }
      if values > 0, label.value.utf8.count > values {
        return "\(name(labels)) has a value of \(label.value.utf8.count) bytes in the label "
          + "\(label.name.prefix(64)), more than \(values) (label_value_length_limit)"
      }
    }
    return nil
  }

  /// Why names cannot be those of Prometheus 2; nil when they can.
  static func problem(ofLegacyNames labels: LabelSet) -> String? {
    for label in labels {
      if label.name == "__name__" {
        if !isLegacy(label.value, allowingColon: true) {
          return "\"\(label.value.prefix(64))\" is not a metric name of the legacy scheme"
        }
      } else if !isLegacy(label.name, allowingColon: false) {
        return "\"\(label.name.prefix(64))\" is not a label name of the legacy scheme"
      }
    }
    return nil
  }

  private static func isLegacy(_ name: String, allowingColon: Bool) -> Bool {
    var isFirst = true
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
        break
      case UInt8(ascii: ":") where allowingColon: break
      case UInt8(ascii: "0")...UInt8(ascii: "9") where !isFirst: break
      default: return false
      }
      isFirst = false
    }
    return !isFirst
  }

  private static func name(_ labels: LabelSet) -> String {
    labels["__name__"].map { "a series of \($0.prefix(64))" } ?? "a series"
  }
}
