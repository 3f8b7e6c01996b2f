import ConfigSchema
import Dispatch
import Engine
import Synchronization

/// A configuration as it was read at one moment: its plan, and which files it came from.
struct LoadedConfig: Sendable {
  /// Nil when there are errors.
  let plan: Plan?
  let diagnostics: Diagnostics
  /// Every file that was read, includes as well, as it was just before.
  let files: [String: FileStamp]

  /// Reads and plans the configuration; blocks while it reads files.
  static func read(_ sources: [ConfigSource], overrides: [String]) -> LoadedConfig {
    let files = Mutex<[String: FileStamp]>([:])
    let environment = ConfigEnvironment(
      variable: ConfigEnvironment.process.variable,
      file: { path in
        // Before it is read, so that a change in between shows as one.
        let stamp = FileStamp(of: path)
        files.withLock { $0[path] = $0[path] ?? stamp }
        return ConfigEnvironment.process.file(path)
      })
    let (plan, diagnostics) = ConfigArguments.plan(sources, overrides: overrides, environment: environment)
    return LoadedConfig(plan: plan, diagnostics: diagnostics, files: files.withLock { $0 })
  }

  /// The same on a thread that may block.
  static func read(
    _ sources: [ConfigSource], overrides: [String], on queue: DispatchQueue
  ) async -> LoadedConfig {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: read(sources, overrides: overrides)) }
    }
  }
}
