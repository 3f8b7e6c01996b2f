/// The operators of a receiver at work: takes an entry through them, to its end or to the sink.
///
/// Used by one thread at a time. Where an operator has one output nothing is allocated per entry; several outputs get
/// copies, whose memory is used again.
package final class OperatorGraph {
  /// The sink takes entries that came through; it may change and keep what it is given.
  package typealias Sink = (inout LogEntry) -> Void

  private let nodes: [OperatorNode]
  /// The nodes such that each comes before those it sends to: what the first lets go and the second holds goes on too.
  private let order: [OperatorNode]
  private let environment: ExpressionEnvironment
  /// Copies that are not in use.
  private var spare: [LogEntry] = []

  /// Monotonic nanoseconds; the receiver sets it before a batch of entries, for operators that hold entries for a time.
  package var now: UInt64 = 0
  /// Is told what an operator could not do, but for the quiet forms of `on_error`; whoever logs it bounds how often.
  package var onFailure: (_ id: String, _ error: LogOperatorError) -> Void = { _, _ in }

  package init(_ list: OperatorList, _ context: OperatorContext) {
    environment = context.environment
    let nodes = list.configs.enumerated().map { position, config in
      OperatorNode(
        config, id: list.plan.ids[position], outputs: list.plan.outputs[position],
        routes: list.plan.routes[position], context)
    }
    self.nodes = nodes
    order = list.plan.order.map { nodes[$0] }
  }

  /// Whether there are no operators, so that every entry goes straight to the sink.
  package var isEmpty: Bool { nodes.isEmpty }

  /// Takes an entry through the operators.
  ///
  /// What it holds afterwards may be another entry, or anything: `reset()` it before it is used again.
  package func process(_ entry: inout LogEntry, _ sink: Sink) { run(&entry, from: 0, sink) }

  private func run(_ entry: inout LogEntry, from start: Int, _ sink: Sink) {
    var position = start
    while position < nodes.count {
      let node = nodes[position]
      guard let verdict = verdict(of: node, &entry, sink) else { return }
      switch verdict {
      case .pass:
        if node.next >= 0 {
          position = node.next
          continue
        }
        position = divide(&entry, over: node.outputs, sink)
      case .route(let number):
        guard node.routes.indices.contains(number), !node.routes[number].isEmpty else {
          node.counts.filtered += 1
          return
        }
        position = divide(&entry, over: node.routes[number], sink)
      case .drop:
        node.counts.filtered += 1
        return
      case .hold: return
      }
    }
    sink(&entry)
  }

  /// What becomes of an entry; nil when it was dropped for an error.
  private func verdict(of node: OperatorNode, _ entry: inout LogEntry, _ sink: Sink) -> LogVerdict? {
    node.counts.entries += 1
    do throws(LogOperatorError) {
      if let condition = node.condition, try !condition.isTrue(&entry, environment) { return .pass }
      let verdict: LogVerdict
      switch node.made {
      case .plain(let step): verdict = try step.process(&entry)
      case .holding(let step):
        verdict = try step.process(&entry, now: now) { held in forward(&held, from: node, sink) }
      }
      if !node.blocks.isEmpty, verdict == .pass { try run(node.blocks, on: &entry) }
      return verdict
    } catch {
      node.counts.failed += 1
      if !node.onError.isQuiet { onFailure(node.id, error) }
      if node.onError.sends { return .pass }
      node.counts.dropped += 1
      return nil
    }
  }

  /// Runs all of them, also behind one that fails.
  private func run(_ blocks: [any LogOperator], on entry: inout LogEntry) throws(LogOperatorError) {
    var first: LogOperatorError?
    for block in blocks {
      do throws(LogOperatorError) { _ = try block.process(&entry) } catch { first = first ?? error }
    }
    if let first { throw first }
  }

  /// Sends copies to all outputs but the last, which is returned.
  private func divide(_ entry: inout LogEntry, over outputs: [Int], _ sink: Sink) -> Int {
    guard let last = outputs.last else { return nodes.count }
    for output in outputs.dropLast() {
      var copy = spare.popLast() ?? LogEntry()
      copy.replace(with: entry)
      run(&copy, from: output, sink)
      spare.append(copy)
    }
    return last
  }

  private func forward(_ entry: inout LogEntry, from node: OperatorNode, _ sink: Sink) {
    run(&entry, from: node.next >= 0 ? node.next : divide(&entry, over: node.outputs, sink), sink)
  }

  // Entries that are held.

  /// Lets go what has been held for as long as it may be.
  package func expire(now: UInt64, _ sink: Sink) {
    self.now = now
    for node in order {
      if case .holding(let step) = node.made {
        step.expire(now: now) { held in forward(&held, from: node, sink) }
      }
    }
  }

  /// Lets go all that is held.
  package func flush(_ sink: Sink) {
    for node in order {
      if case .holding(let step) = node.made { step.flush { held in forward(&held, from: node, sink) } }
    }
  }

  /// The offset in its stream of the first byte that some operator holds; nil when nothing of the stream is held.
  package func oldestHeld(stream: Int) -> UInt64? {
    var oldest: UInt64?
    forEachHolding { step in
      if let offset = step.oldestHeld(stream: stream) { oldest = min(oldest ?? offset, offset) }
    }
    return oldest
  }

  /// When ``expire(now:_:)`` should be called next, in monotonic nanoseconds; nil when nothing is held.
  package var nextDue: UInt64? {
    var next: UInt64?
    forEachHolding { step in
      if let due = step.nextDue { next = min(next ?? due, due) }
    }
    return next
  }

  /// How many bytes are held, about.
  package var heldBytes: Int {
    var bytes = 0
    forEachHolding { bytes += $0.heldBytes }
    return bytes
  }

  private func forEachHolding(_ body: (any HoldingLogOperator) -> Void) {
    for node in nodes { if case .holding(let step) = node.made { body(step) } }
  }

  // What happened.

  /// What each operator has done since the start.
  package var counts: [OperatorCounts] { nodes.map(\.counts) }

  /// How many entries ended in filters and routers, by rule, since the start.
  package var filtered: UInt64 { nodes.reduce(0) { $0 + $1.counts.filtered } }

  /// How many entries were dropped by `on_error` since the start.
  package var dropped: UInt64 { nodes.reduce(0) { $0 + $1.counts.dropped } }
}

/// What an operator has done.
package struct OperatorCounts: Sendable, Equatable {
  /// The id of the operator.
  package let id: String
  /// What `type` is.
  package let type: String
  /// Entries that came to it.
  package internal(set) var entries: UInt64 = 0
  /// Entries that ended here by rule, as in `filter`.
  package internal(set) var filtered: UInt64 = 0
  /// Entries that it could not deal with.
  package internal(set) var failed: UInt64 = 0
  /// Those of them that `on_error` dropped.
  package internal(set) var dropped: UInt64 = 0
}

/// One operator with its place in the graph.
final class OperatorNode {
  let id: String
  let made: MadeOperator
  let blocks: [any LogOperator]
  let condition: Expression?
  let onError: OnError
  let outputs: [Int]
  /// The only output, or -1.
  let next: Int
  let routes: [[Int]]
  fileprivate var counts: OperatorCounts

  init(_ config: OperatorConfig, id: String, outputs: [Int], routes: [[Int]], _ context: OperatorContext) {
    self.id = id
    made = config.settings.makeOperator(context)
    blocks = config.settings.makeBlocks(context)
    condition = config.settings.common.condition?.expression
    onError = config.settings.common.onError
    self.outputs = outputs
    next = outputs.count == 1 ? outputs[0] : -1
    self.routes = routes
    counts = OperatorCounts(id: id, type: config.type)
  }
}
