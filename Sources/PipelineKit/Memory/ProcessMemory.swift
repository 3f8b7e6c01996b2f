import Dispatch
import Synchronization

/// The memory of the whole process: how much there is, how much is used, and what of it is telemetry in flight.
///
/// What is used is estimated as
///
///     resident memory at the last reading + max(0, bytes in flight now − bytes in flight at that reading)
///
/// Resident memory contains the bytes in flight, together with everything that no account knows. It is read at an
/// interval only; what was admitted since then counts at once, so that a burst between two readings is seen. Bytes that
/// went since then do not count as free: freed memory is not necessarily given back.
public final class ProcessMemory: Sendable {
  /// Requests being received or unanswered, over all servers.
  public let requests: ByteBudget
  /// What the process may use.
  public let capacity: MemoryCapacity
  private let source: any MemorySource
  private let queue = DispatchQueue(label: "millrace.memory")
  private let queued = Atomic<Int>(0)
  private let residentAtReading = Atomic<Int>(0)
  private let inFlightAtReading = Atomic<Int>(0)
  private let ceiling: Atomic<Int>
  private let state = Mutex(State())

  private struct State {
    var watches: [WeakWatch] = []
    var lastGivenBack: MonotonicInstant?
    /// Resident memory at the first reading, less what was in flight: what the process takes by itself.
    var baseline: Int?
  }

  private struct WeakWatch {
    weak let watch: MemoryWatch?
  }

  /// What servers and queues may hold where the configuration does not say otherwise, in bytes.
  public static let defaultLimit = 256 << 20
  /// Bytes in flight that are a backlog: what lies free then is better given back, as little of it will be needed.
  private static let backlog = 32 << 20
  /// How often is looked when nobody asks for more.
  private static let idleInterval = Duration.seconds(1)

  /// - Parameter source: asked once for the capacity, here.
  public init(source: any MemorySource = UnknownMemory()) {
    self.source = source
    capacity = source.capacity()
    requests = ByteBudget(limit: Self.defaultLimit)
    ceiling = Atomic(Self.defaultLimit)
    configure(requests: nil, queue: nil, queues: 1)
  }

  // MARK: Limits

  /// Sets the limits.
  ///
  /// - Parameters:
  ///   - requests: bytes of requests over all servers; nil takes 256 MiB, or a quarter of what there is if that is less.
  ///   - queue: bytes that one memory queue which counts requests or items may take together with what stands around it
  ///     while it is full; nil takes 256 MiB, or a quarter of what there is, or its share of half of what there is,
  ///     whichever is least.
  ///   - queues: how many such queues there are.
  public func configure(requests: Int?, queue: Int?, queues: Int) {
    let available = capacity.bytes ?? .max
    self.requests.setLimit(requests ?? min(Self.defaultLimit, available / 4))
    let share = min(available / 4, available / 2 / max(1, queues))
    let limit = queue ?? min(Self.defaultLimit, max(share, 4 << 20))
    ceiling.store(limit, ordering: .relaxed)
  }

  /// Bytes that a memory queue which counts requests or items may take together with what stands around it.
  public var queueLimit: Int { ceiling.load(ordering: .relaxed) }

  /// Bytes that such a queue holds itself: an eighth, or 20 MiB if that is less, is left to the requests that are read
  /// and refused, to batches being made and sent, and to holes between them.
  public var queueCeiling: Int { queueLimit - min(queueLimit / 8, 20 << 20) }

  // MARK: Account

  /// Books bytes that entered, or with a negative number left, the channels and queues of the engine.
  public func queued(_ bytes: Int) { queued.wrappingAdd(bytes, ordering: .relaxed) }

  /// Bytes of telemetry in requests, channels and queues.
  public var inFlight: Int { queued.load(ordering: .relaxed) + requests.held }

  /// Bytes in use, as estimated.
  public var used: Int {
    let growth = inFlight - inFlightAtReading.load(ordering: .relaxed)
    return residentAtReading.load(ordering: .relaxed) + max(0, growth)
  }

  // MARK: Watching

  /// A watch of these limits; the processors of all pipelines that name one component share it.
  public func watch(_ id: ComponentID, _ limits: MemoryWatch.Limits) -> MemoryWatch {
    state.withLock { state in
      state.watches.removeAll { $0.watch == nil }
      if let same = state.watches.lazy.compactMap(\.watch).first(where: { $0.id == id && $0.limits == limits }
      ) {
        return same
      }
      let watch = MemoryWatch(id, limits, memory: self)
      state.watches.append(WeakWatch(watch: watch))
      return watch
    }
  }

  private var watches: [MemoryWatch] { state.withLock { $0.watches.compactMap(\.watch) } }

  /// Reads at the shortest interval that a watch asks for, until cancelled.
  public func run(clock: any PipelineClock) async {
    while !Task.isCancelled {
      await check(at: clock.now)
      let interval = watches.map(\.limits.interval).min() ?? Self.idleInterval
      do { try await clock.sleep(for: interval) } catch { return }
    }
  }

  /// Reads once, off the cooperative pool, and tells the watches.
  public func check(at now: MonotonicInstant) async {
    await withCheckedContinuation { continuation in
      queue.async {
        self.read(at: now)
        continuation.resume()
      }
    }
  }

  private func read(at now: MonotonicInstant) {
    takeReading()
    let watches = watches
    // Freed memory that the allocator keeps looks like memory in use, and nothing would ever change that while
    // everything is refused.
    if shouldGiveBack(at: now, isShort: watches.contains(where: \.isOverSoftLimit)) {
      source.giveBack()
      takeReading()
    }
    for watch in watches { watch.wasRead() }
  }

  private func takeReading() {
    // In this order: what comes in between counts twice rather than not at all.
    let inFlight = inFlight
    guard let resident = source.residentBytes() else { return }
    inFlightAtReading.store(inFlight, ordering: .relaxed)
    residentAtReading.store(resident, ordering: .relaxed)
  }

  /// Whether enough lies free in the allocator: a little and often while memory is short or there is a backlog, more and
  /// seldom otherwise, as fetching memory again costs time.
  private func shouldGiveBack(at now: MonotonicInstant, isShort: Bool) -> Bool {
    let (resident, inFlight) = (
      residentAtReading.load(ordering: .relaxed), inFlightAtReading.load(ordering: .relaxed)
    )
    return state.withLock { state in
      let baseline = state.baseline ?? max(0, resident - inFlight)
      state.baseline = baseline
      let free = resident - inFlight - baseline
      let isPressing = isShort || inFlight > Self.backlog
      guard isShort || free > (isPressing ? 8 << 20 : 32 << 20) else { return false }
      if let last = state.lastGivenBack, now - last < .seconds(isPressing ? 1 : 10) { return false }
      state.lastGivenBack = now
      return true
    }
  }
}
