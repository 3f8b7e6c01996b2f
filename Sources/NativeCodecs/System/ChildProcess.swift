internal import CLinux
internal import Glibc
internal import Synchronization

/// A program that runs beside this one and whose output is read.
///
/// Its standard input is empty. It does not outlive this object, nor does it stay behind as a zombie. Not
/// for several threads at a time.
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
  private let known = Mutex<Ending?>(nil)
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
    if ending() == nil {
      kill()
      _ = wait()
    }
    close(output)
    close(errors)
  }

  /// Asks it to end.
  package func terminate() { signal(SIGTERM) }

  /// Ends it without asking.
  package func kill() { signal(SIGKILL) }

  /// Nothing once its end is known: the number may belong to another process then.
  private func signal(_ number: CInt) {
    known.withLock { if $0 == nil { _ = Glibc.kill(id, number) } }
  }

  /// Waits for its end.
  package func wait() -> Ending { known.withLock { look(&$0, 0) ?? .exited(0) } }

  /// Its end, as ``wait()`` gives it; nil when it runs.
  package func ending() -> Ending? { known.withLock { look(&$0, WNOHANG) } }

  private func look(_ known: inout Ending?, _ options: CInt) -> Ending? {
    var status: CInt = 0
    while known == nil {
      let found = unsafe waitpid(id, &status, options)
      if found == 0 { break }
      if found == id { known = Self.ending(status) }
      // Without children to wait for, somebody else has taken note of the end.
      if found < 0, errno != EINTR { known = .exited(0) }
    }
    return known
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
