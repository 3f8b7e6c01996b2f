package import PipelineKit
internal import Synchronization

/// Memory that is as full as a test says.
package final class FakeMemory: MemorySource {
  private struct State {
    var resident = 0
    var freed: Int?
    var timesGivenBack = 0
  }
  private let state = Mutex(State())
  private let total: Int?

  /// - Parameter total: the capacity in bytes; nil is unknown.
  package init(total: Int? = nil) { self.total = total }

  /// What the next reading finds, in bytes.
  package var resident: Int {
    get { state.withLock { $0.resident } }
    set { state.withLock { $0.resident = newValue } }
  }

  /// What giving memory back will leave, once.
  package func willShrink(to bytes: Int) { state.withLock { $0.freed = bytes } }

  package var timesGivenBack: Int { state.withLock { $0.timesGivenBack } }

  package func capacity() -> MemoryCapacity { MemoryCapacity(bytes: total, origin: "test") }
  package func residentBytes() -> Int? { resident }
  package func giveBack() {
    state.withLock { state in
      state.timesGivenBack += 1
      state.resident = state.freed ?? state.resident
      state.freed = nil
    }
  }
}
