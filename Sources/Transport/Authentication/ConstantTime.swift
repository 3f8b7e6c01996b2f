/// Compares credentials in a time that says nothing about the secret ones.
///
/// An ordinary comparison ends at the first difference: who can measure that finds a secret out byte by byte. These look
/// at every byte of what the client sent, whatever they find on the way.
package enum ConstantTime {
  /// Whether two texts are the same, in a time that depends on the length of `candidate` alone.
  @inline(never)
  package static func equal(_ candidate: [UInt8], _ secret: [UInt8]) -> Bool {
    var difference = UInt(bitPattern: candidate.count ^ secret.count)
    for index in candidate.indices {
      // Beyond the secret's end its last byte stands in: the lengths have told already.
      let other = secret.isEmpty ? 0 : secret[min(index, secret.count - 1)]
      difference |= UInt(candidate[index] ^ other)
    }
    return difference == 0
  }

  /// Whether a text is one of several secrets: all are looked at, wherever it is found.
  @inline(never)
  package static func contains(_ candidate: [UInt8], in secrets: [[UInt8]]) -> Bool {
    var found = 0
    for secret in secrets { found |= equal(candidate, secret) ? 1 : 0 }
    return found != 0
  }
}
