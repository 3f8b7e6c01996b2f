/// `Micro` measures all operations and prints a JSON array of them; `Micro POSITION CALLS` does one of them so many times,
/// for tools that count instructions from outside (`Tests/Bench/run` takes valgrind where the processor counts none).
///
/// This is a small runner of our own and not ordo-one/benchmark: its count of allocations needs jemalloc and reads 0 with
/// glibc's, and all that is needed else is a loop and a median.
@main
struct Main {
  static func main() throws {
    let operations = try Operation.all()
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    if arguments.count == 2, operations.indices.contains(arguments[0]) {
      var sink = 0
      for _ in 0..<arguments[1] { sink &+= try operations[arguments[0]].run() }
      print(sink)
      return
    }
    let lines = try operations.map { operation in
      let measured = try Measurement.of(operation)
      return "{\"operation\":\"\(operation.name)\",\"items\":\(operation.items),"
        + "\"goal_ns\":\(number(operation.goal)),\"ns\":\(number(measured.nanoseconds)),"
        + "\"instructions\":\(number(measured.instructions)),\"allocations\":\(number(measured.allocations)),"
        + "\"mb_per_s\":\(number(operation.megabytesPerSecond(measured.nanoseconds)))}"
    }
    print("[\n" + lines.joined(separator: ",\n") + "\n]")
  }

  private static func number(_ value: Double?) -> String {
    value.map { "\(($0 * 1000).rounded() / 1000)" } ?? "null"
  }
}
