internal import LogData
internal import PipelineKit

/// Going on where a predecessor stopped.
extension Tailer {
  /// Takes over what a predecessor has left, with other settings perhaps.
  func inherit(_ estate: TailEstate) {
    let stored = book.absent.keys
    book = estate.book
    for serial in stored where !book.contains(serial) { forgotten.append(serial) }
    window = estate.window
    window.retry = settings.retry
    watches = estate.watches
    directories = estate.directories
    searches = estate.searches
    candidates = estate.candidates.filter { settings.finder.matches($0.value.path) }
    isBeginning = false
    hasPast = true
    for file in Array(book.files.values) {
      file.origin = nil
      file.isActive = false
      file.isReady = false
      file.isTouched = false
      file.isUnsaved = false
      file.framer = LineFramer(
        settings.framing, offset: file.framer.offset, isSkipping: file.framer.isSkipping)
      if settings.finder.matches(file.path) { activate(file) } else { part(file) }
      unsave(file)
    }
    for file in book.absent.values {
      file.isUnsaved = false
      unsave(file)
    }
  }
}
