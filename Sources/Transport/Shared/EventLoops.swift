internal import NIOCore
internal import NIOPosix

/// The threads on which every server and client of the process does its input and output.
///
/// One group for all: a request that arrives on a loop and leaves on the same one crosses no thread.
enum EventLoops {
  /// Created at first use; lives as long as the process. One thread per core, at most eight: a collector
  /// that needs more is bound by its pipelines, and each thread costs stack and read buffers.
  static let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, min(8, System.coreCount)))
}
