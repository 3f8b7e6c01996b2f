internal import LogData
internal import Logging
internal import PipelineKit

/// How many files are open.
///
/// All of them, as far as the process may: what is open is read to its end, whatever is done to its name. Where there are
/// more, those that have been quiet longest are closed until they are written to; what does not fit even so waits.
extension Tailer {
  /// Opens a file, if need be in the place of quiet ones.
  func openHandle(_ path: String) throws(FileError) -> (file: OpenFile, status: FileStatus) {
    do throws(FileError) {
      if meters.openFiles.value >= mostHandles, !closeQuiet() { throw FileError.outOfHandles }
      do throws(FileError) {
        return try opening(path, meters.openFiles)
      } catch {
        guard error.isOutOfHandles, closeQuiet() else { throw error }
        return try opening(path, meters.openFiles)
      }
    } catch {
      if error.isOutOfHandles {
        waitingLog.log(
          .warning, "no more files can be opened, some wait until others are quiet",
          metadata: ["open": "\(meters.openFiles.value)", "error": "\(error)"])
        lookSoon()
      }
      throw error
    }
  }

  /// Closes some files in which nothing has happened for long; false when there is none.
  private func closeQuiet() -> Bool {
    let now = context.clock.now
    if now < nextClosing { return false }
    let quiet = book.files.values.filter { isQuiet($0) }.sorted { $0.lastGrowth < $1.lastGrowth }
    if quiet.isEmpty {
      nextClosing = now + settings.config.pollInterval
      return false
    }
    closingLog.log(
      .warning, "more files are read than may be open, quiet ones are closed until they are written to",
      metadata: ["files": "\(book.files.count)", "open": "\(meters.openFiles.value)"])
    for file in quiet.prefix(max(1, min(mostHandles, quiet.count) / 8)) {
      file.content = nil
      file.origin = nil
      file.isActive = false
    }
    active.removeAll { !$0.isActive }
    return true
  }

  /// Whether a file can be closed and nothing that is written to it will be missed.
  private func isQuiet(_ file: TailedFile) -> Bool {
    guard file.content != nil, file.isAtEnd, !file.isTouched, !file.isHeld,
      file.framer.flushDeadline == nil, file.accepted?.offset == file.framer.offset
    else { return false }
    if !isBlind { return !file.isActive && file.watch != nil }
    // Where the kernel does not tell, every look compares sizes, as far as there are paths.
    let quiet = context.clock.now - file.lastGrowth
    return file.isListed ? quiet >= Self.activity : quiet >= Self.deletedPatience && !file.isReady
  }

  /// What is in a file that was closed; nil when the file is gone.
  func reopened(_ file: TailedFile) throws(FileError) -> FileContent? {
    for path in names(of: file) {
      let (handle, status) = try openHandle(path)
      guard status.id == file.id else { continue }
      // What lies beside a file may be compressed in any case.
      return try FileContent(handle, settings.finder.matches(path) ? settings.config.compression : .auto)
    }
    return nil
  }

  /// Under which paths a file may be: its own, and others in the same directory.
  private func names(of file: TailedFile) -> [String] {
    if (try? FileStatus.of(file.path))?.id == file.id { return [file.path] }
    let directory = FileFinder.directory(of: file.path)
    let entries = (try? DirectoryEntry.all(in: directory.isEmpty ? "." : directory)) ?? []
    return entries.filter { $0.inode == file.id.inode }.map { FileFinder.path(directory, $0.name) }
  }
}
