/// How much memory the process may use, and who says so.
public struct MemoryCapacity: Sendable, Equatable {
  /// Bytes; nil when nobody knows.
  public let bytes: Int?
  /// Where the number comes from, for the log: `cgroup v2 /system.slice/millrace.service`.
  public let origin: String

  public init(bytes: Int?, origin: String) {
    self.bytes = bytes
    self.origin = origin
  }
}

/// What the system knows about the memory of the process. Reads files: never called on event loops or in tasks.
public protocol MemorySource: Sendable {
  /// The limit of the process' control group or the memory of the machine, whichever is less.
  func capacity() -> MemoryCapacity
  /// Bytes of the process in memory; nil when that cannot be read.
  func residentBytes() -> Int?
  /// Gives memory that was freed back to the system.
  func giveBack()
}

/// Knows nothing, for components that run by themselves in tests.
public struct UnknownMemory: MemorySource {
  public init() {}
  public func capacity() -> MemoryCapacity { MemoryCapacity(bytes: nil, origin: "unknown") }
  public func residentBytes() -> Int? { nil }
  public func giveBack() {}
}
