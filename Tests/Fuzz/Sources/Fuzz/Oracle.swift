/// Something that must hold for every input, and did not for one.
struct OracleFailure: Error, CustomStringConvertible {
  let description: String
}

func require(_ holds: Bool, _ expectation: @autoclosure () -> String) throws(OracleFailure) {
  if !holds { throw OracleFailure(description: expectation()) }
}

/// Runs what must not fail, and says what was being done if it does.
func demand<Value: ~Copyable>(_ action: String, _ body: () throws -> Value) throws(OracleFailure) -> Value {
  do {
    return try body()
  } catch let failure as OracleFailure {
    throw failure
  } catch {
    throw OracleFailure(description: "\(action): \(error)")
  }
}
