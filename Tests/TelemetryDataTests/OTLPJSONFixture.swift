import Foundation
import TelemetryData
import Testing

/// An export request and its JSON form as independent encoders wrote them (see
/// `JSONFixtures/make_fixtures.py`).
struct OTLPJSONFixture: CustomTestStringConvertible, Sendable {
  var name: String
  var signal: Signal
  var protobuf: [UInt8]
  var json: [UInt8]

  var testDescription: String { name }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("JSONFixtures")

  static let all: [OTLPJSONFixture] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".pb") }.sorted().compactMap { file in
      let name = String(file.dropLast(3))
      guard let signal = Signal(rawValue: name.split(separator: "-").last.map(String.init) ?? ""),
        let protobuf = try? Data(contentsOf: folder.appendingPathComponent(name + ".pb")),
        let json = try? Data(contentsOf: folder.appendingPathComponent(name + ".json"))
      else { return nil }
      return OTLPJSONFixture(name: name, signal: signal, protobuf: [UInt8](protobuf), json: [UInt8](json))
    }
  }()

  /// The fixtures whose messages are written as every encoder does.
  static let ordered = all.filter { !$0.name.hasPrefix("scrambled") }
}

/// A JSON text in a form that is the same for all texts of the same value.
func canonical(_ json: [UInt8]) throws -> String {
  let value = try JSONSerialization.jsonObject(with: Data(json), options: [.fragmentsAllowed])
  let data = try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .prettyPrinted])
  return String(decoding: data, as: UTF8.self)
}

extension Batch {
  /// The batch's JSON form.
  func json() throws -> [UInt8] {
    var json: [UInt8] = []
    try writeJSON(into: &json)
    return json
  }
}
