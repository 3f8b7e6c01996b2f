internal import CLinux
internal import Glibc

/// A program that runs beside this one and whose output is read.
///
/// Its standard input is empty. Not for several threads at a time.
package final class ChildProcess: Sendable {
  /// How a program ended.
  package enum Ending: Sendable, Equatable, CustomStringConvertible {
    case exited(Int)
    case signalled(Int)

    package var description: String {
      switch self {
      case .exited(let status): "it exited with status \(status)"
      case .signalled(let signal): "signal \(signal) ended it"
      }
    }
  }

  private let id: pid_t
  /// What it writes to its standard output, to be read.
  package let output: CInt
  /// What it writes to its standard error, to be read.
  package let errors: CInt

  /// Starts a program.
  ///
  /// - Parameter arguments: the program, looked for along `PATH` unless it is a path, and what it is given.
  package init(_ arguments: [String]) throws(SystemCallError) {
    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    var (process, output, errors): (CInt, CInt, CInt) = (0, -1, -1)
    let code = unsafe millrace_spawn(pointers, &process, &output, &errors)
    unsafe pointers.forEach { unsafe free($0) }
    guard code == 0 else { throw SystemCallError("run \(arguments.first ?? "")", code: code) }
    id = process
    self.output = output
    self.errors = errors
  }

  deinit {
    close(output)
    close(errors)
  }

  /// Asks it to end.
  package func terminate() { _ = Glibc.kill(id, SIGTERM) }

  /// Ends it without asking.
  package func kill() { _ = Glibc.kill(id, SIGKILL) }

  /// Waits for its end; after it the program must not be asked for anything.
  package func wait() -> Ending {
    var status: CInt = 0
    while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
    return Self.ending(status)
  }

  /// Its end, as ``wait()`` gives it; nil when it runs.
  package func ending() -> Ending? {
    var status: CInt = 0
    return unsafe waitpid(id, &status, WNOHANG) == id ? Self.ending(status) : nil
  }

  private static func ending(_ status: CInt) -> Ending {
    let signal = status & 0x7F
    return signal == 0 ? .exited(Int(status >> 8 & 0xFF)) : .signalled(Int(signal))
  }
}

/// Reads descriptors of files, pipes and the like.
package enum Descriptor {
  /// Reads what there is into the start of a buffer; waits when there is nothing.
  ///
  /// - Returns: the number of bytes, 0 at the end; nil when there are none now, at a descriptor that does not wait.
  package static func read(
    _ descriptor: CInt, into buffer: inout [UInt8]
  ) throws(SystemCallError) -> Int? {
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count >= 0 { return count }
      if errno == EAGAIN { return nil }
      if errno != EINTR { throw SystemCallError("read", code: errno) }
    }
  }
}
