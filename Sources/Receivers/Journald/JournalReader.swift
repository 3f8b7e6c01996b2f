internal import LogData
internal import Logging
internal import NativeCodecs
internal import PipelineKit
internal import Synchronization
internal import TelemetryData

/// Runs journalctl, again and again when it ends, and makes records of what it writes. Works on a thread of its own.
final class JournalReader {
  /// Bytes of an entry that are read at most; a longer one is passed over.
  private static let longestEntry = 16 << 20
  private static let gatherMilliseconds = 5
  /// Waits before journalctl is run again.
  private static let (shortestPause, longestPause) = (1000, 30_000)

  private let config: JournaldConfig
  private let context: ComponentContext
  private let lane: LogLane
  private let origin: LogOrigin
  private let pace: ReadingPace
  private let cursors: JournalCursors
  private let unreadable: RateLimitedLog
  private let complaints: RateLimitedLog
  private var entries: JournalEntryReader
  private var pause = JournalReader.shortestPause

  init(
    _ config: JournaldConfig, lane: LogLane, pace: ReadingPace, cursors: JournalCursors,
    context: ComponentContext
  ) {
    self.config = config
    self.context = context
    self.lane = lane
    self.pace = pace
    self.cursors = cursors
    origin = LogOrigin(config.input)
    entries = JournalEntryReader(config)
    unreadable = RateLimitedLog(context.logger, clock: context.clock)
    complaints = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// Works until the pace says stop.
  ///
  /// - Parameter first: the program that runs already.
  func run(_ first: ChildProcess) {
    var program: ChildProcess? = first
    while true {
      if let running = program {
        let hasWorked = read(running)
        running.terminate()
        let ending = reap(running)
        lane.flush()
        if pace.isStopping { break }
        if hasWorked { pause = Self.shortestPause }
        context.logger.warning(
          "journalctl has ended; it is run again",
          metadata: ["ending": "\(ending)", "pause": "\(pause)ms"])
      }
      program = nil
      wait(pause)
      pause = min(pause * 2, Self.longestPause)
      guard !pace.isStopping else { break }
      do {
        program = try ChildProcess(config.arguments(after: cursors.latest))
      } catch {
        context.logger.error("journalctl cannot be run; trying again", metadata: ["reason": "\(error)"])
      }
    }
    lane.finish()
  }

  /// Takes what the program writes until it ends, or it is time to stop; whether there was an entry.
  private func read(_ program: ChildProcess) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    var framer = LineFramer(
      LineFraming(
        encoding: .utf8Raw, limit: Self.longestEntry, oversize: .truncate, trimsLeading: false,
        trimsTrailing: false, flushPeriod: 0))
    var rest: [UInt8] = []
    var complaint = ""
    var (isGathering, hasWorked, hasErrors) = (false, false, true)
    while !pace.isStopping {
      let watched = (pace.isPaused ? [] : [program.output]) + (hasErrors ? [program.errors] : [])
      let ready = pace.wait(for: watched, milliseconds: isGathering ? Self.gatherMilliseconds : nil)
      if hasErrors, ready.last == true {
        hasErrors = takeComplaint(program, &buffer, &complaint)
        if ready.count == 1 || !ready[0] { continue }
      }
      guard !pace.isPaused, ready.first == true else {
        if isGathering { flush() }
        isGathering = false
        continue
      }
      guard let count = try? Descriptor.read(program.output, into: &buffer) else { continue }
      if count == 0 { break }
      rest.append(copying: buffer.span.extracting(first: count))
      hasWorked = take(&rest, &framer) || hasWorked
      isGathering = true
    }
    if hasErrors, WakeEvent.waitForInput([program.errors], milliseconds: 0)[0] {
      _ = takeComplaint(program, &buffer, &complaint)
    }
    flush()
    if !complaint.isEmpty, !hasWorked { cursors.doubt(complaint) }
    return hasWorked
  }

  /// Makes records of the whole lines in a buffer, and leaves the rest there.
  private func take(_ rest: inout [UInt8], _ framer: inout LineFramer) -> Bool {
    var cursor = 0
    var last: String?
    let position = lane.read { state in
      while let line = framer.next(in: rest.span, at: &cursor, .flowing) {
        if line.text.isEmpty { continue }
        let text = rest.span.extracting(line.text)
        state.add(from: origin) { entry in
          do throws(LogOperatorError) {
            if line.isTruncated { throw LogOperatorError("it has more than \(Self.longestEntry) bytes") }
            last = try entries.read(text, into: &entry)
            return true
          } catch {
            unreadable.log(
              .error, "an entry of the journal cannot be read", metadata: ["reason": "\(error)"])
            return false
          }
        }
      }
      return state.position
    }
    rest.removeFirst(cursor)
    if rest.isEmpty, rest.capacity > 1 << 20 { rest = [] }
    if let last { cursors.read(last, position) }
    return last != nil
  }

  private func flush() { lane.flush() }

  /// Logs what the program complains of; false when nothing more will come.
  private func takeComplaint(
    _ program: ChildProcess, _ buffer: inout [UInt8], _ complaint: inout String
  ) -> Bool {
    guard let count = try? Descriptor.read(program.errors, into: &buffer) else { return true }
    if count == 0 { return false }
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    complaint = String(text.split(whereSeparator: \.isNewline).last ?? "")
    complaints.log(.warning, "journalctl complains", metadata: ["message": "\(complaint)"])
    return true
  }

  /// The end of a program that was asked to end, and is made to when it does not.
  private func reap(_ program: ChildProcess) -> ChildProcess.Ending {
    for _ in 0..<20 {
      if let ending = program.ending() { return ending }
      _ = WakeEvent.waitForInput([], milliseconds: 50)
    }
    program.kill()
    return program.wait()
  }

  private func wait(_ milliseconds: Int) {
    let end = context.clock.now + .milliseconds(milliseconds)
    while !pace.isStopping {
      let left = (end - context.clock.now).wholeNanoseconds / 1_000_000
      if left <= 0 { return }
      _ = pace.wait(for: [], milliseconds: Int(left) + 1)
    }
  }
}
