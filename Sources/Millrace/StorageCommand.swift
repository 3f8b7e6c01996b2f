import ArgumentParser
import ConfigSchema
import Extensions
import Glibc
import PipelineKit
import TelemetryData

/// `millrace storage`: what waits on disk, and how to send it on without the collector that wrote it.
struct StorageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "storage",
    abstract: "Looks into a directory of file_storage, and sends on what waits there.",
    subcommands: [StorageInspectCommand.self, StorageDrainCommand.self])
}

/// `millrace storage inspect`: changes nothing, and disturbs nobody who uses the directory.
struct StorageInspectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Lists queues and checkpoints with what they hold.",
    discussion: """
      Works beside a running collector and on a copy of its directory, and changes nothing.

      EXAMPLES:
        millrace storage inspect /var/lib/otelcol/file_storage
        millrace storage inspect --json ./storage
      """)

  @Argument(help: "The directory of the file_storage extension.", completion: .directory)
  var directory: String

  @Flag(help: "Report as JSON.")
  var json = false

  func run() async throws {
    let listing: StorageListing
    do { listing = try await StorageListing.read(directory) } catch {
      Terminal.err("\(error)\n")
      throw ExitCode(1)
    }
    Terminal.out(json ? listing.literal.prettyJSON() + "\n" : Self.text(listing))
  }

  static func text(_ listing: StorageListing) -> String {
    var text = "\(listing.directory): \(listing.holder.map { "in use by \($0)" } ?? "not in use")\n"
    if listing.entries.isEmpty {
      text += "no queues and no checkpoints\n"
    } else {
      let header = ["CLIENT", "KIND", "BATCHES", "TRACES", "METRICS", "LOGS", "BYTES", "ON DISK", ""]
      text += TextTable.lines(
        [header]
          + listing.entries.map { entry in
            let load = entry.load
            let items = Signal.allCases.map { signal in load.map { "\($0.items[signal] ?? 0)" } ?? "-" }
            let note = entry.problem ?? entry.checkpoints.map { "\($0) checkpoints" } ?? ""
            return ["\(entry.client.kind.rawValue) \(entry.client)", entry.kind.rawValue]
              + [load.map { "\($0.batches)" } ?? "-"] + items
              + [load.map { "\($0.bytes)" } ?? "-", "\(entry.fileBytes)", note]
          }, rightAligned: [2, 3, 4, 5, 6, 7])
    }
    for file in listing.damaged {
      text += "damaged, set aside: \(file.file) (\(file.bytes) bytes)\n"
    }
    return text
  }
}

/// `millrace storage drain`: sends what waits, and removes what was taken.
struct StorageDrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain",
    abstract: "Sends everything that is queued to an OTLP endpoint.",
    discussion: """
      Batches go in order, and each is removed once the endpoint has taken it; stopping in between loses nothing. No
      collector may be using the directory.

      Exit codes: 0 everything was sent, 1 something is left, was rejected or could not be read, 64 wrong command line.

      EXAMPLES:
        millrace storage drain /var/lib/otelcol/file_storage --to http://backend:4318
        millrace storage drain ./storage --to grpc://backend:4317 --queue otlp_http/backup
        millrace storage drain ./storage --to https://backend --header authorization="Bearer $TOKEN"
        millrace storage drain ./storage --to grpcs://backend:4317 --set tls.ca_file=ca.pem
      """)

  @Argument(help: "The directory of the file_storage extension.", completion: .directory)
  var directory: String

  @Option(
    help: ArgumentHelp(
      "Where to: http://host:port or https://host:port for OTLP/HTTP, grpc://host:port for OTLP/gRPC in plaintext.",
      valueName: "url"))
  var to: String

  @Option(help: ArgumentHelp("A header of every request; may be repeated.", valueName: "key=value"))
  var header: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A setting of the otlp_http or otlp_grpc exporter, such as tls.ca_file=ca.pem; may be repeated.",
      valueName: "key=value"))
  var set: [String] = []

  @Option(help: ArgumentHelp("Only this queue, as 'inspect' names its client.", valueName: "client"))
  var queue: String?

  @Option(
    help: ArgumentHelp("How long to try again while the endpoint takes nothing.", valueName: "seconds"))
  var retryFor: Double = 60

  func validate() throws {
    _ = try destination()
    guard retryFor >= 0, retryFor <= 86_400 else {
      throw ValidationError("--retry-for must be between 0 and 86400 seconds")
    }
  }

  private func destination() throws -> DrainDestination {
    do throws(DrainDestination.Problem) {
      return try DrainDestination(url: to, headers: header, settings: set)
    } catch {
      throw ValidationError(error.text)
    }
  }

  func run() async throws {
    // Writing to a connection that was closed is an error of that write.
    signal(SIGPIPE, SIG_IGN)
    do {
      let listing = try await StorageListing.read(directory)
      let queues = listing.entries.filter { $0.kind == .queue }
      let wanted = queues.filter { queue == nil || $0.isCalled(queue ?? "") }
      if let queue, wanted.isEmpty {
        let near = Spelling.closest(to: queue, among: queues.map(\.client.description))
        let hint = near.map { "; did you mean \"\($0)\"?" } ?? ""
        throw ValidationError("there is no queue of \"\(queue)\" in \(directory)\(hint)")
      }
      let drain = try StorageDrain(
        directory: directory, destination: destination(), patience: .seconds(retryFor))
      if try await !drain.run(wanted) { throw ExitCode(1) }
    } catch let error where !(error is ExitCode || error is ValidationError) {
      Terminal.err("\(error)\n")
      throw ExitCode(1)
    }
  }
}
