/// Names one client's database in a ``StorageDirectory``.
///
/// Build it from what stays the same when a configuration is respelled, so that renames find the old data.
package struct StorageKey: Sendable, Hashable, CustomStringConvertible {
  package let text: String
  /// What file names begin with.
  private let stem: String

  package init(_ text: String) {
    self.text = text
    stem = Self.stem(of: text)
  }

  package var description: String { text }

  /// What a database is for: a queue and checkpoints of one client are two files.
  package enum Purpose: String, Sendable, CaseIterable { case queue, checkpoints }

  /// Longest stem of a file name, in bytes: leaves room for the endings within the usual 255.
  private static let longestStem = 180

  /// The file name: letters, digits, `_`, `-` and `.` stand for themselves, the rest as `%XX`; a long key is cut
  /// and ends in a hash of the whole.
  func fileName(_ purpose: Purpose) -> String { stem + Self.ending(purpose) }

  /// The key and the purpose of a database; nil for a file of another name. Of a long key it knows the beginning.
  package static func reading(fileName: String) -> (key: StorageKey, purpose: Purpose)? {
    for purpose in Purpose.allCases where fileName.hasSuffix(ending(purpose)) {
      let stem = String(fileName.dropLast(ending(purpose).count))
      return (StorageKey(text: text(of: stem), stem: stem), purpose)
    }
    return nil
  }

  private init(text: String, stem: String) {
    self.text = text
    self.stem = stem
  }

  private static func ending(_ purpose: Purpose) -> String { ".\(purpose.rawValue).sqlite" }

  private static func stem(of text: String) -> String {
    var stem = ""
    for byte in text.utf8 {
      let scalar = Unicode.Scalar(byte)
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "_", "-": stem.unicodeScalars.append(scalar)
      case "." where !stem.isEmpty: stem.append(".")
      default: stem += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    if stem.utf8.count > longestStem {
      let hash = text.utf8.reduce(14_695_981_039_346_656_037 as UInt64) {
        ($0 ^ UInt64($1)) &* 1_099_511_628_211
      }
      stem = String(stem.prefix(longestStem - 17)) + "~" + String(hash, radix: 16)
    }
    return stem
  }

  private static func text(of stem: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(stem.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
