internal import LogData
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
  /// What is looked for in the directories of files that are gone.
  var searches: [Search] = []
  /// Watched directories: the paths that lead to each.
  var directories: [Int32: [String]] = [:]
  /// Watched files.
  var watches: [Int32: TailedFile] = [:]
  /// Whether some directory tells nothing of changes.
  var isBlind = false
  var looks = 0
  /// Whether the first look is still to come, or under way.
  var isBeginning = true
  var lastLook: MonotonicInstant
  var nextLook: MonotonicInstant
  /// Files that are too old to be read, by path, and the paths of those that are watched.
  var old: [String: OldFile] = [:]
  var oldWatches: [Int32: String] = [:]
  /// Paths that could not be looked at or opened, and were told of.
  var complaints: Set<String> = []
  /// Those of them that the last look met.
  var troubled: Set<String> = []
  /// Whether the places where earlier lives stopped are known.
  var hasPast = false

  // Which of them are open.
  /// How many files may be open.
  let mostHandles: Int
  let opening: Opening
  /// When it is looked for quiet files again.
  var nextClosing: MonotonicInstant
  let closingLog: RateLimitedLog
  let waitingLog: RateLimitedLog

  // What is to be read.
  var ready: ReadyQueue
  var active: [TailedFile] = []
  var nextPoll: MonotonicInstant
  var buffer: [UInt8]

  // What has been read.
  var records: RecordWriter
  var touched: [TailedFile] = []
  /// Files of which operators hold records back.
  var held: [TailedFile] = []
  var window: DeliveryWindow

  let refusalLog: RateLimitedLog
  let rejectionLog: RateLimitedLog
  /// Which devices tell nothing of changes that are made elsewhere.
  var remote = RemoteDevices()
  // What is stored of it.
  let checkpoints: (any CheckpointSink)?
  var isStoring: Bool { checkpoints != nil }
  var unsaved: [TailedFile] = []
  var forgotten: [UInt64] = []
  /// Keys of what was stored and makes no sense.
  var damaged: [String] = []
  var saving: [TailedFile] = []
  var isSaving = false
  var nextSave: MonotonicInstant
  let storageLog: RateLimitedLog

  // Its end.
  private let isAwaited: () -> Bool
  private(set) var isStopping = false
  private var isAbandoned = false
  /// Whether what is incomplete at the end of files is taken as it is.
  private(set) var endsFiles = false

  /// Opens a file, and counts it while it is open.
  typealias Opening = (String, SelfMetricCell) throws(FileError) -> (file: OpenFile, status: FileStatus)

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
  /// How often it is asked whether memory is there again.
  static let gatePause = Duration.milliseconds(100)
  /// How many bytes before a position tell that they still stand there.
  static let trailSize = 1024

  /// - Parameters:
  ///   - mostHandles: how many files may be open.
  ///   - estate: what a predecessor has left.
  ///   - stored: what an earlier life has stored.
  ///   - checkpoints: where it is stored how far files have been read; nil for nowhere.
  ///   - isAwaited: whether a successor waits.
  init(
    _ settings: TailSettings, context: ComponentContext, consumer: any Consumer, mailbox: TailMailbox,
    notices: FileNotices?, mostHandles: Int = .max, opening: @escaping Opening = OpenFile.open,
    estate: TailEstate? = nil, stored: [String: [UInt8]] = [:], checkpoints: (any CheckpointSink)? = nil,
    isAwaited: @escaping () -> Bool = { false }
  ) {
    self.settings = settings
    self.context = context
    self.consumer = consumer
    self.mailbox = mailbox
    self.notices = notices
    self.checkpoints = checkpoints
    self.isAwaited = isAwaited
    self.mostHandles = mostHandles
    self.opening = opening
    closingLog = RateLimitedLog(context.logger, clock: context.clock, interval: .seconds(300))
    waitingLog = RateLimitedLog(context.logger, clock: context.clock, interval: .seconds(300))
    meters = TailMeters(context)
    lastLook = context.clock.now
    nextLook = context.clock.now
    nextPoll = context.clock.now
    nextClosing = context.clock.now
    nextSave = context.clock.now
    buffer = [UInt8](repeating: 0, count: Self.readSize + Self.trailSize)
    ready = ReadyQueue(most: settings.config.maxConcurrentFiles)
    records = RecordWriter(settings, context)
    window = DeliveryWindow(settings.retry)
    refusalLog = RateLimitedLog(context.logger, clock: context.clock)
    rejectionLog = RateLimitedLog(context.logger, clock: context.clock)
    storageLog = RateLimitedLog(context.logger, clock: context.clock)
    restore(stored)
    if let estate { inherit(estate) }
  }

  /// Whether it has been stopped and has nothing more to do.
  var isDone: Bool { isAbandoned || isStopping && (isAwaited() || !window.isUnderWay) }

  /// Does what can be done now.
  /// - Returns: when to come back at the latest; nil for only when woken.
  func turn() -> MonotonicInstant? {
    takeMessages()
    if isStopping { return nil }
    takeNotices()
    let now = context.clock.now
    if now >= nextLook { lookAtAll() }
    offerAgain()
    let isPolling = now >= nextPoll
    if isPolling { poll(now) }
    expireHeld()
    readReady()
    // What they may be copies of has been read as far as it goes.
    if isPolling {
      judgeCandidates()
      searchBeside()
    }
    save(now)
    if !ready.isEmpty && mayRead { return now }
    return nextTime()
  }

  private func nextTime() -> MonotonicInstant {
    var next = nextLook
    if let due = records.nextDue { next = min(next, MonotonicInstant(nanoseconds: Int64(clamping: due))) }
    if !ready.isEmpty, window.hasRoom { next = min(next, context.clock.now + Self.gatePause) }
    if !active.isEmpty || !candidates.isEmpty || !searches.isEmpty { next = min(next, nextPoll) }
    if let offer = window.nextOffer { next = min(next, offer) }
    if isUnsaved { next = min(next, nextSave) }
    return next
  }

  private func takeMessages() {
    for message in mailbox.take() {
      switch message {
      case .outcome(let number, let outcome): resolve(number, outcome)
      case .saved(let problem): saved(problem)
      case .stop: stop()
      case .abandon: isAbandoned = true
      case .alarm: break
      }
    }
  }

  /// Takes nothing new. What is held back is read again by who comes next; where nobody can know of it, it goes on now.
  private func stop() {
    isStopping = true
    if isStoring || isAwaited() {
      closeBatch()
      for file in held { giveBack(file) }
      return
    }
    endsFiles = true
    for file in active where file.framer.flushDeadline != nil { flush(file) }
    records.flush()
    closeBatch()
  }

  /// Looks after what waits for time to pass.
  private func poll(_ now: MonotonicInstant) {
    nextPoll = now + settings.config.pollInterval
    for file in active { enqueue(file) }
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
