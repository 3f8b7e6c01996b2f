internal import NIOCore

/// The connections of one server on one event loop.
///
/// What is gathered from them needs no lock against the other lanes, and they are slowed down together: a peer that
/// sends faster than the pipeline takes is stopped by TCP.
package final class StreamLane: Sendable {
  private struct State {
    var connections: [ObjectIdentifier: any Channel] = [:]
    var isPaused = false
    var isTimerSet = false
  }

  /// 0 up to the number of lanes.
  package let index: Int
  let loop: any EventLoop
  private let handler: any StreamHandler
  private let gatherTime: TimeAmount
  private let state: NIOLoopBoundBox<State>

  init(index: Int, loop: any EventLoop, handler: any StreamHandler, gatherTime: TimeAmount) {
    self.index = index
    self.loop = loop
    self.handler = handler
    self.gatherTime = gatherTime
    state = .makeBoxSendingValue(State(), eventLoop: loop)
  }

  /// Stops reading, on every connection of the lane and those to come. Any thread; without effect when it is stopped.
  package func pause() { setPaused(true) }

  /// Reads again. Any thread.
  package func resume() { setPaused(false) }

  private func setPaused(_ isPaused: Bool) {
    if loop.inEventLoop { return change(isPaused) }
    loop.execute { self.change(isPaused) }
  }

  private func change(_ isPaused: Bool) {
    guard state.value.isPaused != isPaused else { return }
    state.value.isPaused = isPaused
    for channel in state.value.connections.values {
      try? channel.syncOptions?.setOption(.autoRead, value: !isPaused)
    }
  }

  // Of the connections, on the event loop.

  /// Whether nothing is read at present.
  var isPaused: Bool { state.value.isPaused }

  func add(_ channel: any Channel) {
    state.value.connections[ObjectIdentifier(channel)] = channel
    if state.value.isPaused { try? channel.syncOptions?.setOption(.autoRead, value: false) }
  }

  func remove(_ channel: any Channel) { state.value.connections[ObjectIdentifier(channel)] = nil }

  func open(_ peer: StreamPeer) -> any StreamReader { handler.open(peer, on: self) }

  /// Says that bytes came.
  func bytesCame() {
    guard !state.value.isTimerSet else { return }
    state.value.isTimerSet = true
    loop.scheduleTask(in: gatherTime) {
      self.state.value.isTimerSet = false
      self.handler.gathered(on: self)
    }
  }
}
