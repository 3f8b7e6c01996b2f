internal import ConfigSchema
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
  var files: [FileID: TailedFile] = [:]
  var paths: [String: TailedFile] = [:]
  /// Watched directories: the paths that lead to each.
  var directories: [Int32: [String]] = [:]
  /// Watched files.
  var watches: [Int32: TailedFile] = [:]
  var looks = 0
  var nextLook: MonotonicInstant
  /// Paths that could not be looked at or opened, and were told of.
  var complaints: Set<String> = []

  // What is to be read.
  var ready: [TailedFile] = []
  var active: [TailedFile] = []
  var nextPoll: MonotonicInstant
  var buffer: [UInt8]

  // What has been read.
  var batch: LineBatch
  var touched: [TailedFile] = []
  var window: DeliveryWindow

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
  }

  /// Whether it has been stopped and nothing is under way any more.
  var isDone: Bool { isStopping && (window.isEmpty || window.isRefused) }

  /// Does what can be done now.
  /// - Returns: when to come back at the latest; nil for only when woken.
  func turn() -> MonotonicInstant? {
    takeMessages()
    if isStopping { return nil }
    takeNotices()
    let now = context.clock.now
    if now >= nextLook { lookAtAll() }
    offerAgain()
    if now >= nextPoll { pollActive(now) }
    readReady()
    if !ready.isEmpty && window.hasRoom { return now }
    return nextTime()
  }

  private func nextTime() -> MonotonicInstant {
    var next = nextLook
    if !active.isEmpty, window.hasRoom { next = min(next, nextPoll) }
    if let offer = window.nextOffer { next = min(next, offer) }
    return next
  }

  private func takeMessages() {
    for message in mailbox.take() {
      switch message {
      case .outcome(let number, let outcome): resolve(number, outcome)
      case .stop: isStopping = true
      case .alarm: break
      }
    }
  }
}

/// What the settings mean to a ``Tailer``.
struct TailSettings: Sendable {
  let finder: FileFinder
  let framing: LineFraming
  let config: FileLogConfig
  var retry: FileLogRetry { config.retry }

  /// - Throws: for patterns that a check of the settings would have refused.
  init(_ config: FileLogConfig) throws(GlobPattern.Problem) {
    self.config = config
    var include: [GlobPattern] = []
    for text in config.include { include.append(try GlobPattern(text)) }
    var exclude: [GlobPattern] = []
    for text in config.exclude { exclude.append(try GlobPattern(text)) }
    finder = FileFinder(include: include, exclude: exclude)
    framing = LineFraming(
      limit: config.maxLogSize.bytes, oversize: config.maxLogSizeBehavior == .split ? .split : .truncate,
      trimsLeading: !config.preserveLeadingWhitespaces, trimsTrailing: !config.preserveTrailingWhitespaces,
      flushPeriod: UInt64(clamping: config.forceFlushPeriod.wholeNanoseconds))
  }
}
