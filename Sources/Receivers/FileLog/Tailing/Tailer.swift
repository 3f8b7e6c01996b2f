internal import Logging
internal import PipelineKit
internal import TelemetryData

/// Finds files, follows them through rotations, and hands on what is written to them.
///
/// Belongs to one thread. ``turn()`` does all that can be done without waiting; what it waits for comes through the mailbox,
/// the kernel's notices, and the clock.
final class Tailer {
  let settings: TailSettings
  let context: ComponentContext
  let consumer: any Consumer
  let mailbox: TailMailbox
  let meters: TailMeters
  let notices: FileNotices?

  // Which files there are.
  var book = FileBook()
  /// Files that look like copies of what is followed, until it is known what they are.
  var candidates: [FileID: CopyCandidate] = [:]
  /// Watched directories: the paths that lead to each.
  var directories: [Int32: [String]] = [:]
  /// Watched files.
  var watches: [Int32: TailedFile] = [:]
  /// Whether some directory tells nothing of changes.
  var isBlind = false
  var looks = 0
  /// Whether the first look is still to come, or under way.
  var isBeginning = true
  var nextLook: MonotonicInstant
  /// Paths that could not be looked at or opened, and were told of.
  var complaints: Set<String> = []
  /// Whether the places where earlier lives stopped are known.
  var hasPast = false

  // What is to be read.
  var ready = ReadyQueue()
  var active: [TailedFile] = []
  var nextPoll: MonotonicInstant
  var buffer: [UInt8]

  // What has been read.
  var batch: LineBatch
  var touched: [TailedFile] = []
  var window: DeliveryWindow

  let rejectionLog: RateLimitedLog
  var isStopping = false

  /// The size at which a batch is handed on.
  static let batchSize = 1 << 20
  /// How much of a file is read before it is the next one's turn.
  static let readSize = 256 << 10
  /// How many files are read before notices are looked at again.
  static let visitsPerTurn = 64
  /// How often everything is looked at, whatever the kernel tells.
  static let lookInterval = Duration.seconds(30)
  /// How long a file is read at intervals after it has grown.
  static let activity = Duration.seconds(1)
  /// How long a deleted file is kept open after it has grown.
  static let deletedPatience = Duration.seconds(10)
  /// How long a file whose path leads elsewhere is kept open after it has grown.
  static let unlistedPatience = Duration.seconds(300)
  /// How many bytes before a position tell that they still stand there.
  static let trailSize = 1024

  init(
    _ settings: TailSettings, context: ComponentContext, consumer: any Consumer, mailbox: TailMailbox,
    notices: FileNotices?
  ) {
    self.settings = settings
    self.context = context
    self.consumer = consumer
    self.mailbox = mailbox
    self.notices = notices
    meters = TailMeters(context)
    nextLook = context.clock.now
    nextPoll = context.clock.now
    buffer = [UInt8](repeating: 0, count: Self.readSize + Self.trailSize)
    batch = LineBatch(capacity: 4096)
    window = DeliveryWindow(settings.retry)
    rejectionLog = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// Whether it has been stopped and nothing is under way any more.
  var isDone: Bool { isStopping && !window.isUnderWay }

  /// Does what can be done now.
  /// - Returns: when to come back at the latest; nil for only when woken.
  func turn() -> MonotonicInstant? {
    takeMessages()
    if isStopping { return nil }
    takeNotices()
    let now = context.clock.now
    if now >= nextLook { lookAtAll() }
    offerAgain()
    if now >= nextPoll { poll(now) }
    readReady()
    if !ready.isEmpty && window.hasRoom { return now }
    return nextTime()
  }

  private func nextTime() -> MonotonicInstant {
    var next = nextLook
    if !active.isEmpty || !candidates.isEmpty { next = min(next, nextPoll) }
    if let offer = window.nextOffer { next = min(next, offer) }
    return next
  }

  private func takeMessages() {
    for message in mailbox.take() {
      switch message {
      case .outcome(let number, let outcome): resolve(number, outcome)
      case .stop: stop()
      case .alarm: break
      }
    }
  }

  private func stop() {
    isStopping = true
    closeBatch()
  }

  /// Looks after what waits for time to pass.
  private func poll(_ now: MonotonicInstant) {
    nextPoll = now + settings.config.pollInterval
    for file in active { enqueue(file) }
    if !candidates.isEmpty { judgeCandidates() }
  }

  func enqueue(_ file: TailedFile) {
    if file.isReady { return }
    file.isReady = true
    ready.append(file)
  }

  /// Has a file read now, and at intervals for a while.
  func activate(_ file: TailedFile) {
    if !file.isActive {
      file.isActive = true
      active.append(file)
      file.lastGrowth = context.clock.now
    }
    enqueue(file)
  }
}

/// Files in the order in which they are to be read.
struct ReadyQueue {
  private var files: [TailedFile] = []
  private var first = 0

  var isEmpty: Bool { first == files.count }
  var count: Int { files.count - first }

  mutating func append(_ file: TailedFile) { files.append(file) }

  mutating func popFirst() -> TailedFile? {
    guard first < files.count else { return nil }
    let file = files[first]
    first += 1
    if first == files.count || first >= 1024 {
      files.removeFirst(first)
      first = 0
    }
    return file
  }
}
