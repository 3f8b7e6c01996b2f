import Synchronization

/// Two limits on the memory of the process, asked at every delivery and every request.
public final class MemoryWatch: Sendable {
  /// What is watched for.
  public struct Limits: Sendable, Equatable {
    /// Bytes above which nothing more is taken.
    public var soft: Int
    /// Bytes that the process should never reach.
    public var hard: Int
    /// How often resident memory is read.
    public var interval: Duration

    public init(soft: Int, hard: Int, interval: Duration) {
      self.soft = soft
      self.hard = hard
      self.interval = interval
    }
  }

  /// How far memory use has come.
  public enum Level: Sendable { case normal, soft, hard }

  public let limits: Limits
  let id: ComponentID
  private let memory: ProcessMemory
  private let state = Mutex(State())

  private struct State {
    /// Nil before the first reading.
    var level: Level?
    var observer: Observer?
  }

  /// Told of the level before, the level now, and the bytes in use.
  public typealias Observer = @Sendable (_ before: Level?, _ now: Level, _ used: Int) -> Void

  init(_ id: ComponentID, _ limits: Limits, memory: ProcessMemory) {
    self.id = id
    self.limits = limits
    self.memory = memory
  }

  /// Whether nothing more should be taken at this moment.
  public var isOverSoftLimit: Bool { memory.used > limits.soft }

  /// Bytes in use, as estimated.
  public var used: Int { memory.used }

  /// Calls `observer` at the first reading, and whenever one finds another level. The first to ask is the one that is
  /// told: processors that share a watch say things once.
  public func observe(_ observer: @escaping Observer) {
    state.withLock { $0.observer = $0.observer ?? observer }
  }

  func wasRead() {
    let used = memory.used
    let now: Level = used > limits.hard ? .hard : used > limits.soft ? .soft : .normal
    let (before, observer) = state.withLock { state in
      defer { state.level = now }
      return (state.level, state.observer)
    }
    if before != now { observer?(before, now, used) }
  }
}
