import ConfigSchema
import Logging
import NativeCodecs
import PipelineKit
import PrometheusData
import Synchronization
import Transport

/// `file_sd_configs`: groups of targets in JSON and YAML files, followed while they change.
///
/// A file that cannot be read keeps what it held before, and is complained about once; one that is gone takes its
/// targets along.
final class FileTargets: Sendable {
  /// How often files are looked at.
  static let lookInterval = Duration.seconds(1)

  private struct Known {
    var version: CredentialFile.Version?
    var readAt: MonotonicInstant
    var groups: [TargetGroup] = []
    var complaint: String?
  }

  private let config: FileDiscoveryConfig
  private let context: ComponentContext
  private let files = Mutex<[String: Known]>([:])

  init(_ config: FileDiscoveryConfig, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  func run(_ found: @Sendable ([TargetGroup]) -> Void) async {
    while !Task.isCancelled {
      guard let groups = try? await BlockingWork.run({ self.look() }) else { return }
      found(groups)
      guard (try? await context.clock.sleep(for: Self.lookInterval)) != nil else { return }
    }
  }

  /// All groups of all files, those read again that have changed or are due.
  func look() -> [TargetGroup] {
    let paths = config.files.flatMap { FileGlob.paths($0) }
    let now = context.clock.now
    var previous = files.withLock { $0 }
    var present: [String: Known] = [:]
    var groups: [TargetGroup] = []
    for path in paths where present[path] == nil {
      var known = previous.removeValue(forKey: path) ?? Known(readAt: now)
      let version = CredentialFile.version(of: path)
      if version != known.version || now - known.readAt >= config.refreshInterval.duration {
        read(path, into: &known)
        known.version = version
        known.readAt = now
      }
      groups += known.groups
      present[path] = known
    }
    files.withLock { $0 = present }
    return groups
  }

  private func read(_ path: String, into known: inout Known) {
    do {
      known.groups = try Self.groups(of: path)
      if known.complaint != nil {
        context.logger.info("a file of targets is read again", metadata: ["file": "\(path)"])
      }
      known.complaint = nil
    } catch {
      let text = "\(error)"
      if known.complaint != text {
        context.logger.error(
          "a file of targets cannot be used, what it held before stays",
          metadata: ["file": "\(path)", "error": "\(text)"])
      }
      known.complaint = text
    }
  }

  /// The groups of one file; throws what is wrong with it, with its place.
  static func groups(of path: String) throws(TargetList.Problem) -> [TargetGroup] {
    let text: String
    switch ConfigEnvironment.process.file(path) {
    case .success(let content): text = content
    case .failure(let error): throw TargetList.Problem(description: "cannot read \(path): \(error)")
    }
    let isJSON = path.lowercased().hasSuffix(".json")
    let (node, diagnostics) =
      isJSON ? ConfigDocument.readJSON(text, name: path) : ConfigDocument.read(text, name: path)
    if let problem = diagnostics.all.first(where: { $0.severity == .error }) {
      let place = problem.location.map { "\($0): " } ?? ""
      throw TargetList.Problem(description: "\(place)\(problem.message)")
    }
    return try TargetList.groups(node, extra: [Label("__meta_filepath", path)], allowsOtherKeys: isJSON)
  }
}
