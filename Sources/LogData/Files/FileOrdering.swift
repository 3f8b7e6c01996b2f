internal import ConfigSchema
internal import NativeCodecs
internal import TimeFormats

/// Chooses among the files that were found, as ``OrderingCriteria`` say.
package struct FileOrdering: Sendable {
  /// A file that was found.
  package struct Candidate: Sendable, Hashable {
    package var path: String
    /// Nanoseconds since the Unix epoch.
    package var modified: Int64

    package init(path: String, modified: Int64) {
      self.path = path
      self.modified = modified
    }
  }

  /// A rule with what it needs to read a value.
  private struct Rule: Sendable {
    let type: FileSortType
    /// The group of the regex.
    let group: Int
    let layout: TimeLayout?
    let isAscending: Bool
  }

  private struct Item {
    let candidate: Candidate
    let captures: [Range<Int>?]
  }

  private let regex: Pattern?
  private let groupBy: Pattern?
  private let most: Int
  private let rules: [Rule]

  /// - Parameter criteria: settings that were found right.
  package init(_ criteria: OrderingCriteria) {
    let regex = criteria.regex?.pattern
    self.regex = criteria.sortBy.contains { $0.sortType.needsRegex } ? regex : nil
    groupBy = criteria.groupBy?.pattern
    most = criteria.sortBy.isEmpty || criteria.topN == 0 ? .max : criteria.topN
    rules = criteria.sortBy.map { rule in
      let zone = try? TimeZoneDatabase.zone(rule.location)
      return Rule(
        type: rule.sortType, group: regex?.groupNames.lastIndex(of: rule.regexKey.text) ?? 0,
        layout: rule.sortType == .timestamp
          ? try? TimeLayout(strptime: rule.layout.text, in: zone ?? .utc) : nil,
        isAscending: rule.ascending)
    }
  }

  /// Whether all files are read, in any order.
  package var takesAll: Bool { rules.isEmpty && groupBy == nil }

  /// The files that are read, those of a group together and in their order; the groups are in the order in which they
  /// were found.
  ///
  /// Files whose path does not match, or holds no value that a rule could compare, are not among them.
  ///
  /// - Parameter now: nanoseconds since the Unix epoch, for layouts without a year.
  package func select(_ files: [Candidate], now: Int64) -> [Candidate] {
    if takesAll { return files }
    var names: [String: Int] = [:]
    var groups: [[Candidate]] = []
    for file in files {
      let name = groupBy.map { group(of: file.path, $0) } ?? ""
      guard let name else { continue }
      let position = names[name] ?? groups.count
      if position == groups.count {
        names[name] = position
        groups.append([])
      }
      groups[position].append(file)
    }
    return groups.flatMap { order($0, now: now).prefix(most) }
  }

  private func group(of path: String, _ pattern: Pattern) -> String? {
    guard let captures = pattern.captures(in: path), captures.count > 1 else { return nil }
    return captures[1].map { text(path, $0) } ?? ""
  }

  private func text(_ path: String, _ range: Range<Int>) -> String {
    String(decoding: Array(path.utf8)[range], as: UTF8.self)
  }

  private func order(_ files: [Candidate], now: Int64) -> [Candidate] {
    var items = files.compactMap { file -> Item? in
      guard let regex else { return Item(candidate: file, captures: []) }
      return regex.captures(in: file.path).map { Item(candidate: file, captures: $0) }
    }
    for rule in rules {
      switch rule.type {
      case .mtime: items = sorted(items, rule.isAscending) { $0.candidate.modified }
      case .numeric: items = sorted(items, rule.isAscending) { Int(value(of: $0, rule)) }
      case .alphabetical: items = sorted(items, rule.isAscending) { value(of: $0, rule).utf8Order }
      case .timestamp:
        items = sorted(items, rule.isAscending) {
          let bytes = Array(value(of: $0, rule).utf8)
          return try? rule.layout?.nanoseconds(of: bytes.span, now: now)
        }
      }
    }
    return items.map(\.candidate)
  }

  private func value(of item: Item, _ rule: Rule) -> String {
    guard item.captures.indices.contains(rule.group), let range = item.captures[rule.group] else { return "" }
    return text(item.candidate.path, range)
  }

  /// A stable order; items without a value are left out.
  private func sorted<Value: Comparable>(
    _ items: [Item], _ isAscending: Bool, by value: (Item) -> Value?
  ) -> [Item] {
    let valued = items.enumerated().compactMap { position, item in
      value(item).map { (position: position, item: item, value: $0) }
    }
    return valued.sorted { first, second in
      if first.value == second.value { return first.position < second.position }
      return isAscending ? first.value < second.value : first.value > second.value
    }.map(\.item)
  }
}

/// Text that is ordered by its bytes, as Go orders it.
private struct ByteOrderedText: Comparable {
  let bytes: [UInt8]
  static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

extension String {
  fileprivate var utf8Order: ByteOrderedText { ByteOrderedText(bytes: Array(utf8)) }
}
