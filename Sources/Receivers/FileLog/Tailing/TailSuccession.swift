internal import NativeCodecs
internal import PipelineKit
internal import Synchronization

/// What a receiver leaves to the one that takes its place at a reload: open files and how far they were read, batches
/// whose outcomes are still to come, and the kernel's notices that have not been read.
///
/// All of it belongs to one reading thread: that of the predecessor until it has ended, then that of the successor.
final class TailEstate: @unchecked Sendable {
  let book: FileBook
  let candidates: [FileID: CopyCandidate]
  let searches: [Tailer.Search]
  let window: DeliveryWindow
  let notices: FileNotices?
  let watches: [Int32: TailedFile]
  let directories: [Int32: [String]]
  let mailbox: TailMailbox
  let event: WakeEvent

  init(_ tailer: Tailer, _ event: WakeEvent) {
    book = tailer.book
    candidates = tailer.candidates
    searches = tailer.searches
    window = tailer.window
    notices = tailer.notices
    watches = tailer.watches
    directories = tailer.directories
    mailbox = tailer.mailbox
    self.event = event
  }
}

/// The place of a receiver in its collector, which one instance has at a time.
final class TailPlace: Sendable {
  private struct Key: Hashable, Sendable {
    let id: ComponentID
    /// Tells collectors of one process apart.
    let collector: ObjectIdentifier
  }

  private struct Slot: Sendable {
    enum State: Sendable {
      case taken(TailPlace)
      case left(TailEstate?)
    }
    var state: State
    /// Kept, so that no other collector's metrics can be in its place.
    let metrics: SelfMetrics
    /// Changes with every owner.
    var number: Int
  }

  private static let slots = Mutex<[Key: Slot]>([:])
  /// How long what nobody has taken over is kept.
  static let patience = Duration.seconds(60)

  private let key: Key
  private let isWanted = Atomic<Bool>(false)
  private let onWanted: @Sendable () -> Void

  private init(_ key: Key, _ onWanted: @escaping @Sendable () -> Void) {
    self.key = key
    self.onWanted = onWanted
  }

  /// Takes a place, with what its last instance has left there.
  ///
  /// - Parameter onWanted: called on any thread when a successor begins to wait for the place.
  /// - Throws: when another instance has it; that one then knows that somebody waits.
  static func enter(
    _ context: ComponentContext, onWanted: @escaping @Sendable () -> Void
  ) throws(StartError) -> (place: TailPlace, estate: TailEstate?) {
    let key = Key(id: context.id, collector: ObjectIdentifier(context.metrics))
    let place = TailPlace(key, onWanted)
    var estate: TailEstate?
    let owner: TailPlace? = slots.withLock { slots in
      switch slots[key]?.state {
      case .taken(let owner): return owner
      case .left(let left): estate = left
      case nil: break
      }
      slots[key] = Slot(state: .taken(place), metrics: context.metrics, number: (slots[key]?.number ?? 0) + 1)
      return nil
    }
    guard let owner else { return (place, estate) }
    owner.isWanted.store(true, ordering: .releasing)
    owner.onWanted()
    throw StartError("another instance still reads its files", isInUse: true)
  }

  /// Whether a successor waits.
  var isAwaited: Bool { isWanted.load(ordering: .acquiring) }

  /// Gives the place up.
  func leave(_ estate: TailEstate?, _ clock: any PipelineClock) {
    let key = key
    let number: Int? = Self.slots.withLock { slots in
      guard case .taken(let owner) = slots[key]?.state, owner === self else { return nil }
      slots[key]?.state = .left(estate)
      return slots[key]?.number
    }
    clock.schedule(at: clock.now + Self.patience) {
      Self.slots.withLock { slots in
        if slots[key]?.number == number, case .left = slots[key]?.state { slots[key] = nil }
      }
    }
  }
}
