import Glibc
import NativeCodecs
import Testing

@Suite struct ChildProcessTests {
  /// Whether a process exists, be it as a zombie.
  private func exists(_ process: pid_t) -> Bool { kill(process, 0) == 0 }

  /// The first line that a program writes.
  private func line(of program: ChildProcess) throws -> String {
    var (text, buffer) = ("", [UInt8](repeating: 0, count: 100))
    while !text.contains("\n"), let count = try Descriptor.read(program.output, into: &buffer), count > 0 {
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
    return String(text.prefix { $0 != "\n" })
  }

  @Test func `how it ended is known, and stays known`() throws {
    let program = try ChildProcess(["sh", "-c", "exit 7"])
    #expect(program.wait() == .exited(7))
    #expect(program.ending() == .exited(7))
    #expect(program.wait() == .exited(7))
  }

  @Test func `a program that was asked to end ends by the signal`() throws {
    let program = try ChildProcess(["sleep", "1000"])
    #expect(program.ending() == nil)
    program.terminate()
    #expect(program.wait() == .signalled(Int(SIGTERM)))
    program.terminate()
    program.kill()
    #expect(program.ending() == .signalled(Int(SIGTERM)))
  }

  @Test func `a program that nobody waited for goes with its object`() throws {
    var program: ChildProcess? = try ChildProcess(["sh", "-c", "echo $$; exec sleep 1000"])
    let text = try program.map { try line(of: $0) }
    let process = try #require(text.flatMap { pid_t($0) })
    #expect(exists(process))
    program = nil
    #expect(!exists(process))
  }

  @Test func `a program that is not there is an error`() {
    let error = #expect(throws: SystemCallError.self) { try ChildProcess(["/no/such/program"]) }
    #expect(error == SystemCallError("run /no/such/program", code: ENOENT))
  }
}
