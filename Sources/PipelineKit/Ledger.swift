import Synchronization
public import TelemetryData

/// Where items came from or ended, as the ledger books them.
public enum LedgerState: String, Sendable, CaseIterable {
  /// Came in through a receiver.
  case received
  /// Was in a durable queue when the process started.
  case restored
  /// Came into being inside: extra copies of a fan-out, items a connector generated.
  case copied
  /// The backend has acknowledged them.
  case delivered
  /// A durable queue holds them.
  case stored
  /// A rule removed them.
  case filtered
  /// A sampling policy left them out.
  case sampled
  /// Handed back to the sender, who may try again.
  case refused
  /// A backend or a check will never take them, and the sender or the log was told so.
  case rejected
  /// Given up after the sender had been answered; the reason says why.
  case dropped
  /// A component lost them: a defect.
  case leaked

  /// Whether the state adds items to the pipeline, rather than ending their way.
  public var isSource: Bool { self == .received || self == .restored || self == .copied }
}

/// The account of every item: what came in equals what ended somewhere plus what is under way.
///
/// Published as `millrace_ledger_items{signal,state,reason}`. For metrics an item is a data point.
public final class Ledger: Sendable {
  private struct Key: Hashable, Sendable {
    let signal: Signal
    let state: LedgerState
    let reason: String
  }
  private let make: @Sendable (Key) -> SelfMetricCell
  private let cells = Mutex<[Key: SelfMetricCell]>([:])

  public init(metrics: SelfMetrics) {
    make = { key in
      metrics.counter(
        "millrace_ledger_items", help: "Items by where they came from or ended.",
        labels: [("signal", key.signal.rawValue), ("state", key.state.rawValue), ("reason", key.reason)])
    }
  }

  /// The ledger of one node: everything booked in it is booked in `whole` as well.
  ///
  /// The engine learns from it what a node ended itself, and so what it still holds.
  public init(within whole: Ledger) {
    make = { key in
      SelfMetricCell(within: whole.cell(key.state, signal: key.signal, reason: key.reason))
    }
  }

  /// Books `items` of `signal`.
  ///
  /// - Parameter reason: A short constant (a component id, `queue_full`): it becomes a label, so never free text.
  public func record(_ state: LedgerState, _ items: Int, signal: Signal, reason: String = "") {
    guard items > 0 else { return }
    cell(state, signal: signal, reason: reason).add(items)
  }

  /// The counter behind one line of the ledger, for those who book the same line often.
  public func cell(_ state: LedgerState, signal: Signal, reason: String = "") -> SelfMetricCell {
    let key = Key(signal: signal, state: state, reason: reason)
    return cells.withLock { cells in
      if let cell = cells[key] { return cell }
      let cell = make(key)
      cells[key] = cell
      return cell
    }
  }

  /// Items of `signal` booked as ended here, less those booked as come into being.
  public func ended(of signal: Signal) -> Int {
    cells.withLock { $0 }.reduce(0) { sum, line in
      guard line.key.signal == signal else { return sum }
      return sum + (line.key.state.isSource ? -line.value.value : line.value.value)
    }
  }

  /// The account of one signal, given how many items are under way.
  public func balance(of signal: Signal, inFlight: Int) -> Balance {
    let lines = cells.withLock { $0 }
      .filter { $0.key.signal == signal && $0.value.value > 0 }
      .map { Balance.Line(state: $0.key.state, reason: $0.key.reason, items: $0.value.value) }
      .sorted { ($0.state.order, $0.reason) < ($1.state.order, $1.reason) }
    return Balance(signal: signal, lines: lines, inFlight: inFlight)
  }
}

extension LedgerState {
  fileprivate var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// The account of one signal at one moment.
public struct Balance: Sendable {
  public struct Line: Sendable {
    public let state: LedgerState
    public let reason: String
    public let items: Int
  }
  public let signal: Signal
  public let lines: [Line]
  /// Items in channels, batches and requests under way.
  public let inFlight: Int

  /// The items booked under `state`, over all reasons.
  public func items(_ state: LedgerState) -> Int {
    lines.filter { $0.state == state }.reduce(0) { $0 + $1.items }
  }

  /// Items that came in and of which nothing is known any more, those that a component leaked included. Always 0, or
  /// there is a defect.
  ///
  /// While data flows, counters are read one after the other: a batch that changes hands in that instant can show here.
  /// It is gone at the next look; what stays is lost.
  public var unaccounted: Int {
    lines.reduce(0) { sum, line in
      line.state == .leaked ? sum : sum + (line.state.isSource ? line.items : -line.items)
    } - inFlight
  }
}
