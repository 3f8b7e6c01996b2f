import Glibc

/// Text to standard output or standard error, without the buffering of streams.
package enum DescriptorOutput {
  /// Writes all of `text`; what the descriptor does not take is lost, for there is nobody left to tell.
  package static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if written > 0 { bytes = bytes.dropFirst(written) } else if errno != EINTR { return }
    }
  }
}
