package import NativeCodecs

/// What stands behind a ``DatagramServer``.
///
/// Called on the server's own threads. Whoever waits there lets the kernel's buffer fill, and the kernel drop what does
/// not fit.
package protocol DatagramHandler: Sendable {
  /// Takes datagrams that were read together.
  ///
  /// - Parameter reader: which of the server's threads calls: 0 up to ``DatagramServer/Settings/readers``.
  func received(_ datagrams: borrowing DatagramBatch, reader: Int)

  /// Called some milliseconds after datagrams came, once for all of them: what was gathered from them can go on.
  func gathered(reader: Int)

  /// The kernel dropped so many datagrams, since its buffer was full.
  func overflowed(_ count: Int)
}
