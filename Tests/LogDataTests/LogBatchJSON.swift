import Foundation
import Testing

/// Batches of logs through OTLP-JSON.
enum LogBatchJSON {
  static func content(of text: String) throws -> [(resource: String, scope: String, bodies: [String])] {
    let root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    var found: [(resource: String, scope: String, bodies: [String])] = []
    for resource in root["resourceLogs"] as? [[String: Any]] ?? [] {
      let attributes = (resource["resource"] as? [String: Any])?["attributes"] as? [[String: Any]] ?? []
      let name = (attributes.first?["value"] as? [String: Any])?["stringValue"] as? String ?? ""
      for scope in resource["scopeLogs"] as? [[String: Any]] ?? [] {
        let records = scope["logRecords"] as? [[String: Any]] ?? []
        let bodies = records.map { record in
          let body = record["body"] as? [String: Any] ?? [:]
          return body["stringValue"] as? String ?? body["bytesValue"] as? String ?? ""
        }
        found.append((name, (scope["scope"] as? [String: Any])?["name"] as? String ?? "", bodies))
      }
    }
    return found
  }
}
