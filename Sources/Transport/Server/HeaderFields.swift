internal import NIOHTTP1

/// The headers of a request, as they arrived.
struct HeaderFields: Sendable {
  let fields: HTTPHeaders

  /// The first value of a header, found by name in any case.
  func first(_ name: String) -> String? { fields.first(name: name) }

  /// The values of a header in the order they came, found by name in any case.
  func all(_ name: String) -> [String] { fields[name] }

  /// All headers by lower-case name, values in order.
  var grouped: [String: [String]] {
    var groups: [String: [String]] = [:]
    for (name, value) in fields { groups[name.lowercased(), default: []].append(value) }
    return groups
  }
}
