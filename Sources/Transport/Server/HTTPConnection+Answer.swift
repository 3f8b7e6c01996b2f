internal import NIOCore
internal import TimeFormats

extension HTTPConnection {
  /// Answers the request that waits. Ignored when it is no longer that one, or the connection is gone.
  func answer(_ answer: HTTPAnswer, exchange: UInt64) {
    guard case .waiting = phase, exchange == self.exchange else { return }
    send(answer)
    if current.keepsAlive { becomeIdle() }
    resume()
  }

  /// Writes an answer; ends the connection afterwards unless it is kept.
  func send(_ answer: HTTPAnswer) {
    guard let context else { return }
    if isDraining { current.keepsAlive = false }
    var extra: [(String, String)] = []
    if let cors = shared.cors, current.method != "OPTIONS" || answer.status != 204 {
      extra = cors.headers(origin: current.headers.first("origin"))
    }
    let bytes = shared.writer.bytes(
      answer, extra: extra, date: date(), omitsBody: current.method == "HEAD", closes: !current.keepsAlive,
      saysKeepAlive: current.keepsAlive && current.isHTTP10, allocator: context.channel.allocator)
    write(bytes)
    if !current.keepsAlive { linger() }
  }

  func write(_ bytes: ByteBuffer) {
    guard let context else { return }
    context.write(wrapOutboundOut(bytes), promise: nil)
    needsFlush = true
    if !isInBurst { flushIfNeeded() }
  }

  func flushIfNeeded() {
    guard needsFlush else { return }
    needsFlush = false
    context?.flush()
  }

  /// Waits for the next request, or closes when the server stops.
  func becomeIdle() {
    phase = .idle
    current.headers = HeaderFields()
    timing.requestStart = nil
    if isDraining {
      linger()
    } else {
      setDeadline(after: shared.idleTimeout)
    }
  }

  /// Ends the connection so that the client can still read the last answer.
  ///
  /// Closing a socket that holds unread bytes resets the connection, which may destroy the answer on its way. So
  /// only the sending side is closed, and what comes in is dropped until the client closes or a second has passed.
  func linger() {
    guard let context else { return }
    phase = .lingering
    setDeadline(after: shared.writeTimeout ?? .seconds(30))
    needsFlush = false
    context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { [weak self] _ in
      guard let self, let context = self.context else { return }
      self.timing.isAnswerSent = true
      self.setDeadline(after: .seconds(1))
      context.close(mode: .output, promise: nil)
    }
    context.read()
  }

  /// The Date field, made once per second.
  private func date() -> String {
    let second = SystemErrors.secondsSinceEpoch()
    if second != dateSecond {
      dateSecond = second
      dateText = HTTPDate.text(secondsSinceEpoch: second)
    }
    return dateText
  }

  // MARK: Time limits

  /// The deadlines of a connection.
  struct Timing {
    let timer: WatchTimer
    var phaseDeadline: NIODeadline?
    var writeDeadline: NIODeadline?
    /// When the first byte of the current request came.
    var requestStart: NIODeadline?
    /// Whether the last answer of the connection has gone to the kernel.
    var isAnswerSent = false

    init(loop: any EventLoop) { timer = WatchTimer(loop: loop) }

    func update() {
      switch (phaseDeadline, writeDeadline) {
      case (let phase?, let write?): timer.set(min(phase, write))
      case (let one, let other): timer.set(one ?? other)
      }
    }
  }

  func setDeadline(after time: TimeAmount?) {
    timing.phaseDeadline = time.map { .now() + $0 }
    timing.update()
  }

  func setWriteDeadline(_ time: TimeAmount?) {
    timing.writeDeadline = time.map { .now() + $0 }
    timing.update()
  }

  /// A body may pause for the idle timeout, and the whole request must be there within the read timeout.
  func setBodyDeadline() {
    let now = NIODeadline.now()
    let pause = shared.idleTimeout.map { now + $0 }
    let whole = shared.readTimeout.map { (timing.requestStart ?? now) + $0 }
    timing.phaseDeadline = pause.map { pause in whole.map { min(pause, $0) } ?? pause } ?? whole
    timing.update()
  }

  func deadlinePassed() {
    guard let context else { return }
    let readsNothing = timing.writeDeadline.map { $0 <= .now() } ?? false
    switch phase {
    case .arriving, .receiving:
      if timing.writeDeadline != nil {
        shared.count(readsNothing ? .slowReader : .slowRequest)
        return context.close(promise: nil)
      }
      fail(.slowRequest, 408, "the request took too long to arrive")
    case .waiting:
      // Only the write deadline can pass here: the client does not read the answers before this one.
      shared.count(.slowReader)
      context.close(promise: nil)
    case .idle:
      // A connection that ends after its requests is no refusal, one that never sent any is.
      if readsNothing { shared.count(.slowReader) } else if exchange == 0 { shared.count(.slowRequest) }
      context.close(promise: nil)
    case .discarding:
      shared.count(readsNothing ? .slowReader : .slowRequest)
      context.close(promise: nil)
    case .lingering:
      if !timing.isAnswerSent { shared.count(.slowReader) }
      context.close(promise: nil)
    case .deciding:
      if readsNothing {
        shared.count(.slowReader)
        return context.close(promise: nil)
      }
      refuse(
        shared.retryable(
          "the credentials could not be checked in time", contentType: current.contentType))
      resume()
    case .closed: break
    }
  }
}
