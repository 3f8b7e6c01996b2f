internal import Glibc
internal import Synchronization

/// Lets other threads wake the one that reads files.
final class WakePipe: Sendable {
  private let readEnd: Int32
  private let writeEnd: Int32
  /// Whether a byte lies in the pipe, or is about to.
  private let isWoken = Atomic<Bool>(false)

  /// - Throws: when the process can open nothing more.
  init() throws(FileError) {
    var ends: [Int32] = [-1, -1]
    if unsafe pipe(&ends) != 0 { throw FileError.last }
    (readEnd, writeEnd) = (ends[0], ends[1])
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// Lets ``wait(_:)`` return, now or when it is called next.
  func wake() {
    guard !isWoken.exchange(true, ordering: .acquiringAndReleasing) else { return }
    var byte: UInt8 = 1
    _ = unsafe write(writeEnd, &byte, 1)
  }

  /// Waits until it is woken or there is something to read from `other`.
  func wait(_ other: Int32?) {
    var waiting = [pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)]
    if let other { waiting.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0)) }
    _ = unsafe poll(&waiting, nfds_t(waiting.count), -1)
    var bytes: [UInt8] = [0, 0, 0, 0]
    while unsafe read(readEnd, &bytes, bytes.count) > 0 {}
    // After the pipe is empty: whoever finds the mark set until here need not write, since this thread is awake.
    _ = isWoken.exchange(false, ordering: .sequentiallyConsistent)
  }
}

/// A thread of its own for work that blocks.
enum OwnThread {
  /// What the thread is to do, on its way there.
  private final class Work {
    private let name: String
    private let body: @Sendable () -> Void

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }

    func run() {
      // For those who look at the threads of the process; the C library's call for it is hidden from Swift.
      let descriptor = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
      if descriptor >= 0 {
        var name = Array(name.utf8.prefix(15))
        _ = unsafe write(descriptor, &name, name.count)
        close(descriptor)
      }
      body()
    }
  }

  /// Starts a thread; false when the system gives none.
  static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    let work = unsafe Unmanaged.passRetained(Work(name, body))
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { raw in
        guard let raw = unsafe raw else { return nil }
        unsafe Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().run()
        return nil
      }, work.toOpaque())
    guard result == 0 else {
      unsafe work.release()
      return false
    }
    pthread_detach(thread)
    return true
  }
}
