internal import ConfigSchema
internal import NIOCore
internal import NIOHTTP2
internal import NativeCodecs

extension GRPCConnection {
  /// What is the same for all connections of a server.
  struct Shared: Sendable {
    /// Bytes that may be under way to the server, per connection and per stream.
    static let connectionWindow = 8 << 20
    static let streamWindow = 1 << 20

    let handler: any GRPCRequestHandler
    let hooks: ServerHooks
    let authentication: RequestAuthentication?
    let budget: AdmissionBudget
    let connections: ConnectionSet
    let patience: TimeAmount
    let pool = DecompressorPool()
    let messageLimit: Int
    let includesMetadata: Bool
    let http2: NIOHTTP2Handler.ConnectionConfiguration
    let http2Streams: NIOHTTP2Handler.StreamConfiguration
    let limits: ServerLimits
    let handshakeTimeout: TimeAmount
    let stallTimeout: TimeAmount
    let writeTimeout: TimeAmount
    /// Requests that one connection may have open.
    let streamLimit: Int
    /// Requests that all connections together may have open.
    let openStreams: AdmissionBudget
    let controlFrameRate: Int
    let keepalive: Keepalive

    init(
      config: GRPCServerConfig, handler: any GRPCRequestHandler, hooks: ServerHooks, budget: AdmissionBudget,
      connections: ConnectionSet, patience: TimeAmount
    ) {
      self.handler = handler
      self.hooks = hooks
      authentication = RequestAuthentication(hooks)
      self.budget = budget
      self.connections = connections
      self.patience = patience
      limits = config.limits.shared
      handshakeTimeout = TimeAmount(clamping: config.limits.handshakeTimeout)
      stallTimeout = TimeAmount(clamping: config.limits.stallTimeout)
      writeTimeout = TimeAmount(clamping: config.limits.writeTimeout)
      streamLimit = config.streamLimit
      openStreams = AdmissionBudget(limit: config.limits.maxStreams)
      controlFrameRate = config.limits.maxControlFramesPerSecond
      messageLimit = config.messageLimit
      includesMetadata = config.includeMetadata
      keepalive = Keepalive(config.keepalive)
      var connection = NIOHTTP2Handler.ConnectionConfiguration()
      connection.initialSettings = [
        HTTP2Setting(parameter: .maxConcurrentStreams, value: config.streamLimit),
        HTTP2Setting(parameter: .initialWindowSize, value: Self.streamWindow),
        HTTP2Setting(parameter: .maxHeaderListSize, value: limits.maxHeaderBytes.bytes),
      ]
      // Pings are judged by the enforcement policy; this bounds bursts. The HTTP/2 handler reserves an entry per
      // event and connection, so the counts are low and the times short: what matters is the rate.
      connection.controlFrameRateLimit.maximumCount = controlFrameRate / 5
      connection.controlFrameRateLimit.windowLength = .milliseconds(200)
      // As many header bytes as may be come in frames of any size; five is what the HTTP/2 handler allows anyway.
      connection.maximumSequentialContinuationFrames = 5
      connection.maximumSequentialEmptyDataFrames = 10
      connection.maximumRecentlyResetStreams = 128
      http2 = connection
      var streams = NIOHTTP2Handler.StreamConfiguration()
      streams.streamResetFrameRateLimit.maximumCount = config.limits.maxResetsPerSecond
      streams.streamResetFrameRateLimit.windowLength = .seconds(1)
      streams.streamErrorRateLimit.maximumCount = config.limits.maxResetsPerSecond
      streams.streamErrorRateLimit.windowLength = .seconds(1)
      http2Streams = streams
    }

    /// Counts a refusal.
    func count(_ reason: RefusalReason) { hooks.refused?(reason) }
  }

  /// The keepalive settings with gRPC's defaults filled in; nil means never.
  struct Keepalive: Sendable {
    var pingTime: TimeAmount = .hours(2)
    var pingTimeout: TimeAmount = .seconds(20)
    var maxIdle: TimeAmount?
    var maxAge: TimeAmount?
    var maxAgeGrace: TimeAmount?
    var minPingTime: TimeAmount = .minutes(5)
    var permitsPingWithoutStream = false

    init(_ config: KeepaliveServerConfig?) {
      guard let config else { return }
      let parameters = config.serverParameters
      // As in grpc-go, a second is the shortest time between pings of the server.
      if let time = Self.amount(parameters.time) { pingTime = max(time, .seconds(1)) }
      pingTimeout = Self.amount(parameters.timeout) ?? pingTimeout
      maxIdle = Self.amount(parameters.maxConnectionIdle)
      maxAge = Self.amount(parameters.maxConnectionAge)
      maxAgeGrace = Self.amount(parameters.maxConnectionAgeGrace)
      minPingTime = Self.amount(config.enforcementPolicy.minTime) ?? minPingTime
      permitsPingWithoutStream = config.enforcementPolicy.permitWithoutStream
    }

    private static func amount(_ duration: Duration) -> TimeAmount? {
      duration > .zero ? TimeAmount(clamping: duration) : nil
    }
  }

  /// How far the server is with ending the connection.
  enum GoingAway {
    case no
    /// Asked the client to open no more streams; what is on its way still counts.
    case announced(since: NIODeadline)
    /// Told the client which stream was the last.
    case final
  }

  /// The times of a connection.
  struct Life {
    let timer: WatchTimer
    var lastRead = NIODeadline.now()
    /// Until when the client must have confirmed the server's settings; nil when it has.
    var handshakeEnd: NIODeadline?
    var frames = FrameProgress()
    /// Since when a frame has been begun that is not complete.
    var partialSince: NIODeadline?
    /// Until when a client that reads nothing must read; nil while it does.
    var writeEnd: NIODeadline?
    var pingSent: NIODeadline?
    var idleSince: NIODeadline?
    var ageEnd: NIODeadline?
    var graceEnd: NIODeadline?
    var goingAway = GoingAway.no
    var isClosing = false
    var pingStrikes = PingStrikes()
    var windowUpdates = FrameRate()

    init(loop: any EventLoop) { timer = WatchTimer(loop: loop) }
  }

  /// How long the client may take to confirm that it knows the server goes away.
  private static let goAwayTimeout = TimeAmount.seconds(1)

  func startLife() {
    let now = NIODeadline.now()
    life.lastRead = now
    life.idleSince = now
    life.handshakeEnd = now + shared.handshakeTimeout
    if let age = shared.keepalive.maxAge {
      // Spread over ±10 %, so that clients that came together do not come again together.
      let part = age.nanoseconds / 10
      life.ageEnd = now + age + .nanoseconds(Int64.random(in: -part...part))
    }
    tick()
  }

  /// Looks at every deadline, and sets the timer to the next.
  func tick() {
    guard context != nil, !life.isClosing else { return }
    let now = NIODeadline.now()
    var next = checkStreams(now)
    guard !life.isClosing else { return }
    func consider(_ deadline: NIODeadline?) {
      if let deadline, deadline < next { next = deadline }
    }

    if let end = life.handshakeEnd {
      guard now < end else { return refuse(.slowRequest, .settingsTimeout) }
      consider(end)
    }

    if let since = life.partialSince {
      guard now < since + shared.stallTimeout else { return refuse(.slowRequest, .enhanceYourCalm) }
      consider(since + shared.stallTimeout)
    }

    if let end = life.writeEnd {
      guard now < end else {
        shared.count(.slowReader)
        context?.close(promise: nil)
        return
      }
      consider(end)
    }

    if let sent = life.pingSent, life.lastRead < sent {
      guard now < sent + shared.keepalive.pingTimeout else {
        context?.close(promise: nil)
        return
      }
      consider(sent + shared.keepalive.pingTimeout)
    } else {
      life.pingSent = nil
      if now >= life.lastRead + shared.keepalive.pingTime {
        write(.ping(HTTP2PingData(withInteger: 1), ack: false), to: .rootStream)
        flushSoon()
        life.pingSent = now
        consider(now + shared.keepalive.pingTimeout)
      } else {
        consider(life.lastRead + shared.keepalive.pingTime)
      }
    }

    switch life.goingAway {
    case .no:
      let idleEnd = life.idleSince.flatMap { since in shared.keepalive.maxIdle.map { since + $0 } }
      let isTooOld = life.ageEnd.map { now >= $0 } ?? false
      if isTooOld || idleEnd.map({ now >= $0 }) ?? false {
        if isTooOld { life.graceEnd = shared.keepalive.maxAgeGrace.map { now + $0 } }
        beginGoingAway()
        consider(now + Self.goAwayTimeout)
      } else {
        consider(idleEnd)
        consider(life.ageEnd)
      }
    case .announced(let since):
      if now >= since + Self.goAwayTimeout { finishGoingAway() } else { consider(since + Self.goAwayTimeout) }
    case .final: break
    }
    if let graceEnd = life.graceEnd {
      guard now < graceEnd else {
        context?.close(promise: nil)
        return
      }
      consider(graceEnd)
    }
    life.timer.set(next)
  }

  /// Ends requests whose time is over; the next time that this may happen.
  private func checkStreams(_ now: NIODeadline) -> NIODeadline {
    var next = NIODeadline.distantFuture
    var late: [(HTTP2StreamID, GRPCFailure, Bool)] = []
    var hasUnread = false
    for (id, stream) in streams {
      if let deadline = stream.deadline {
        if deadline <= now {
          late.append(
            (id, GRPCFailure(.deadlineExceeded, "the request's deadline passed"), stream.isClientDone))
          continue
        }
        next = min(next, deadline)
      }
      switch stream.phase {
      case .receiving, .deciding:
        let stalled = stream.lastProgress + shared.stallTimeout
        if stalled <= now {
          late.append(
            (
              id,
              GRPCFailure(.deadlineExceeded, "the message took too long to arrive", reason: .slowRequest),
              false
            ))
        } else {
          next = min(next, stalled)
        }
      case .handed: break
      case .answered:
        let unread = stream.lastProgress + shared.writeTimeout
        if unread <= now { hasUnread = true } else { next = min(next, unread) }
      }
    }
    for (id, failure, isClientDone) in late { fail(failure, on: id, isClientDone: isClientDone) }
    if hasUnread { refuse(.slowReader, .enhanceYourCalm) }
    return next
  }

  /// Starts or ends the time for which a client may leave its answers unread.
  func setWriteDeadline(isNeeded: Bool) {
    life.writeEnd = isNeeded ? .now() + shared.writeTimeout : nil
    if let end = life.writeEnd { life.timer.bringForward(to: end) }
  }

  /// Refuses messages that arrive too slowly while others find no room.
  func makeRoom() {
    let now = NIODeadline.now()
    let slow = streams.filter { $0.value.isSlow(at: now, patience: shared.patience) }
    for (id, stream) in slow {
      fail(GRPCStream.overloaded(shared), on: id, isClientDone: stream.isClientDone)
    }
  }

  func becameIdle() {
    life.idleSince = now
    if let idle = shared.keepalive.maxIdle { life.timer.bringForward(to: now + idle) }
    if case .final = life.goingAway { closeSoon() }
  }

  // MARK: Going away

  /// Tells the client to open no more streams, in two steps, so that no request on its way is lost.
  func beginGoingAway() {
    guard case .no = life.goingAway, context != nil else { return }
    let now = NIODeadline.now()
    life.goingAway = .announced(since: now)
    write(.goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil), to: .rootStream)
    write(.ping(HTTP2PingData(withInteger: 2), ack: false), to: .rootStream)
    flushSoon()
    life.timer.bringForward(to: now + Self.goAwayTimeout)
  }

  private func finishGoingAway() {
    life.goingAway = .final
    write(.goAway(lastStreamID: lastStreamID, errorCode: .noError, opaqueData: nil), to: .rootStream)
    flushSoon()
    if streams.isEmpty { closeSoon() }
  }

  func pingAnswered() {
    life.pingSent = nil
    if case .announced = life.goingAway { finishGoingAway() }
  }

  // MARK: Pings of the client

  func pingReceived() {
    let policy = shared.keepalive
    let shortest =
      streams.isEmpty && !policy.permitsPingWithoutStream ? TimeAmount.hours(2) : policy.minPingTime
    guard life.pingStrikes.isTooMany(at: .now(), shortest: shortest), !life.isClosing else { return }
    refuse(.controlFrames, .enhanceYourCalm, "too_many_pings")
  }
}

/// Counts pings that came too early, as grpc-go does: more than two without an answer between them are too many.
struct PingStrikes {
  private var last: NIODeadline?
  private var strikes = 0
  private var wasReset = false

  /// Says that the server sent an answer, which entitles the client to a ping.
  mutating func reset() { wasReset = true }

  /// Counts a ping.
  mutating func isTooMany(at now: NIODeadline, shortest: TimeAmount) -> Bool {
    defer { last = now }
    if wasReset {
      wasReset = false
      strikes = 0
      return false
    }
    if let last, last + shortest > now { strikes += 1 }
    return strikes > 2
  }
}

/// Counts frames that the HTTP/2 handler does not count, against a rate and what requests entitle the client to.
struct FrameRate {
  /// A client may confirm each answer twice, for the connection and for the stream, and more than once.
  private static let framesPerRequest = 4
  private var start = NIODeadline.distantPast
  private var count = 0

  /// Says that a request was opened.
  mutating func entitle() { count = max(0, count - Self.framesPerRequest) }

  /// Counts a frame.
  /// - Parameter rate: frames per second.
  mutating func isTooMany(at now: NIODeadline, rate: Int) -> Bool {
    if now >= start + .seconds(1) {
      start = now
      count = 0
    }
    count += 1
    return count > rate
  }
}
