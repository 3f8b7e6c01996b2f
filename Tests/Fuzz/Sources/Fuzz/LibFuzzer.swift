import CFuzzer
import Glibc

/// What libFuzzer, which brings `main`, calls: `Fuzz TARGET [libFuzzer options] [corpus folders or inputs]`.
///
/// `Fuzz TARGET --seeds FOLDER` writes the inputs to start from instead.
enum LibFuzzer {
  static let target = FuzzTarget(rawValue: CommandLine.arguments.dropFirst().first ?? "")

  static func writeSeeds(to folder: String) {
    for (index, seed) in (target?.seeds ?? []).enumerated() {
      guard let file = fopen("\(folder)/seed-\(index)", "w") else { exit(1) }
      fwrite(seed, 1, seed.count, file)
      fclose(file)
    }
    exit(0)
  }
}

/// Takes the target's name off the command line.
@_cdecl("LLVMFuzzerInitialize")
func initialize(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
  if LibFuzzer.target == nil {
    let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")
    print("usage: Fuzz \(names) [libFuzzer options] [corpus]")
    exit(2)
  }
  let words = CommandLine.arguments
  if words.count == 4, words[2] == "--seeds" { LibFuzzer.writeSeeds(to: words[3]) }
  let name = arguments.pointee[0]
  arguments.pointee += 1
  arguments.pointee[0] = name
  count.pointee -= 1
  return 0
}

/// Runs one input; ends the process, which libFuzzer reports with the input, when a property does not hold.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  do {
    try LibFuzzer.target?.run(Array(UnsafeBufferPointer(start: data, count: size)))
  } catch {
    print("FAILED \(LibFuzzer.target?.rawValue ?? ""): \(error)")
    fflush(nil)
    abort()
  }
  return 0
}

/// libFuzzer asks this for new inputs: half of them are changed field by field, the others by its own mutations.
@_cdecl("LLVMFuzzerCustomMutator")
func customMutator(
  _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ capacity: Int, _ seed: CUnsignedInt
) -> Int {
  if seed % 2 == 0 || LibFuzzer.target?.isProtobuf == false { return LLVMFuzzerMutate(data, size, capacity) }
  var mutator = WireMutator(seed: UInt64(seed))
  let mutated = mutator.mutate(Array(UnsafeBufferPointer(start: data, count: size)))
  if mutated.count > capacity || mutated.isEmpty { return LLVMFuzzerMutate(data, size, capacity) }
  _ = UnsafeMutableBufferPointer(start: data, count: capacity).update(fromContentsOf: mutated)
  return mutated.count
}
