internal import LogData
internal import Logging
internal import PipelineKit

/// Looking for what is left of a file in its directory, under names that are not among those to be read.
///
/// A rotation may take a file out of sight: `app.log` becomes `app.log.1` while nothing runs, or is copied there and
/// truncated between two reads. What was not read of it is still read.
extension Tailer {
  /// Something that is looked for.
  struct Search {
    let file: TailedFile
    let begun: MonotonicInstant
    var attempts = 0
  }

  /// How long after it was lost a file is looked for, at each attempt; compressing a copy takes its time.
  private static let attempts: [Duration] = [.zero, .milliseconds(500), .seconds(2), .seconds(10)]
  /// How many nanoseconds earlier a copy may have been finished than the file was last seen as it was.
  private static let tolerance: UInt64 = 10_000_000_000

  /// Looks for what is left of a file, now and a few times later.
  func search(for file: TailedFile) {
    searches.append(Search(file: file, begun: context.clock.now))
    searchBeside()
  }

  /// Looks for everything that an earlier life has read and that was not found.
  func searchAbsent() {
    for file in book.absent.values where !file.isDeleted {
      searches.append(Search(file: file, begun: context.clock.now))
    }
    searchBeside()
  }

  /// Makes the attempts that are due.
  func searchBeside() {
    if searches.isEmpty { return }
    let now = context.clock.now
    var listings: [String: Listing] = [:]
    for index in searches.indices {
      let search = searches[index]
      guard book.isAbsent(search.file), now - search.begun >= Self.attempts[search.attempts] else { continue }
      searches[index].attempts += 1
      let directory = FileFinder.directory(of: search.file.path)
      let listing = listings[directory] ?? Listing(directory)
      listings[directory] = listing
      find(search.file, in: directory, listing)
    }
    searches.removeAll { $0.attempts == Self.attempts.count || !book.isAbsent($0.file) }
  }

  /// What is in a directory, to be asked for many files.
  private struct Listing {
    /// In the order of their names.
    private let entries: [DirectoryEntry]
    private let positions: [UInt64: [Int]]

    init(_ directory: String) {
      let all = (try? DirectoryEntry.all(in: directory.isEmpty ? "." : directory)) ?? []
      let entries = all.filter { $0.isText && $0.kind != .directory && $0.kind != .other }
        .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      self.entries = entries
      positions = Dictionary(grouping: entries.indices) { entries[$0].inode }
    }

    /// What has a file's number, and what begins like its name.
    func entries(for file: TailedFile) -> [DirectoryEntry] {
      let stem = Tailer.stem(of: file.path).utf8
      var (low, high) = (0, entries.count)
      while low < high {
        let middle = (low + high) / 2
        if entries[middle].name.utf8.lexicographicallyPrecedes(stem) {
          low = middle + 1
        } else {
          high = middle
        }
      }
      let named = entries[low...].prefix { $0.name.utf8.starts(with: stem) }
      return positions[file.id.inode, default: []].map { entries[$0] } + named
    }
  }

  /// Goes on in the file that holds the rest of another, if there is one.
  private func find(_ file: TailedFile, in directory: String, _ listing: Listing) {
    for entry in listing.entries(for: file) {
      let path = FileFinder.path(directory, entry.name)
      let isItself = entry.inode == file.id.inode
      guard isItself || Self.isNamedAfter(file.path, path), !settings.finder.matches(path),
        let status = try? FileStatus.of(path), status.kind == .regular, book.file(status.id) == nil,
        candidates[status.id] == nil,
        isItself || UInt64(clamping: status.changed) &+ Self.tolerance >= file.intactAt,
        let (handle, opened) = try? openHandle(path), opened.id == status.id,
        let content = try? FileContent(handle, .auto), !content.ends(at: file.framer.offset, opened.size),
        isItself ? isAlike(file, content, opened, path) : goesOn(file, in: content, opened, path)
      else { continue }
      context.logger.info(
        "the rest of a file lies beside it", metadata: ["file": "\(file.path)", "rest": "\(path)"])
      return attach(file, to: content, opened, path: path)
    }
  }

  private func isAlike(
    _ file: TailedFile, _ content: FileContent, _ status: FileStatus, _ path: String
  ) -> Bool {
    // One that was empty has only its number and its name.
    if file.head.count == 0 { return file.framer.offset == 0 && Self.isNamedAfter(file.path, path) }
    let likeness = try? file.likeness(
      to: content, size: content.count(in: status.size), fingerprintSize: settings.fingerprintSize)
    return likeness ?? .none != .none
  }
}
