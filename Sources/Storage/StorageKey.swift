/// Names one client's database in a ``StorageDirectory``.
///
/// Build it from what stays the same when a configuration is respelled, so that renames find the old data.
package struct StorageKey: Sendable, Hashable, CustomStringConvertible {
  package let text: String
  package init(_ text: String) { self.text = text }

  package var description: String { text }

  /// What a database is for: a queue and checkpoints of one client are two files.
  enum Purpose: String, CaseIterable { case queue, checkpoints }

  /// Longest stem of a file name, in bytes: leaves room for the endings within the usual 255.
  private static let longestStem = 180

  /// The file name: letters, digits, `_`, `-` and `.` stand for themselves, the rest as `%XX`; a long key is cut
  /// and ends in a hash of the whole.
  func fileName(_ purpose: Purpose) -> String {
    var stem = ""
    for byte in text.utf8 {
      let scalar = Unicode.Scalar(byte)
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "_", "-": stem.unicodeScalars.append(scalar)
      case "." where !stem.isEmpty: stem.append(".")
      default: stem += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    if stem.utf8.count > Self.longestStem {
      let hash = text.utf8.reduce(14_695_981_039_346_656_037 as UInt64) {
        ($0 ^ UInt64($1)) &* 1_099_511_628_211
      }
      stem = String(stem.prefix(Self.longestStem - 17)) + "~" + String(hash, radix: 16)
    }
    return "\(stem).\(purpose.rawValue).sqlite"
  }
}
