internal import ConfigSchema
internal import LogData

/// What the records of one connection, file or socket have in common.
struct LogOrigin {
  /// Attributes and resource, to start entries from.
  let prototype: LogEntry
  /// The same, ready to be written behind lines that no operator sees.
  let frame: LogLineFrame
  /// Whether lines are bytes rather than text.
  let linesAreBytes: Bool

  /// - Parameters:
  ///   - config: its attributes and resource, as far as they are the same for all records.
  ///   - attributes: of where it is read.
  ///   - stream: the number of the stream, for operators that hold entries back.
  init(
    _ config: LogInputConfig, attributes: [(String, String)] = [], stream: Int = 0,
    linesAreBytes: Bool = false
  ) {
    self.init(config, stream: stream, linesAreBytes: linesAreBytes) { entry in
      for (key, value) in attributes {
        entry.append(key: entry.add(key), entry.string(value), to: .attributes)
      }
    }
  }

  /// - Parameter describe: adds what is known of where it is read.
  init(_ config: LogInputConfig, stream: Int, linesAreBytes: Bool, describe: (inout LogEntry) -> Void) {
    var entry = LogEntry()
    describe(&entry)
    for item in config.attributes {
      guard let text = item.value.constant else { continue }
      entry.set(entry.add(item.key), to: entry.string(text), in: .attributes)
    }
    for item in config.resource {
      guard let text = item.value.constant else { continue }
      entry.set(entry.add(item.key), to: entry.string(text), in: .resource)
    }
    entry.source.stream = stream
    prototype = entry
    frame = LogLineFrame(entry, bodyIsBytes: linesAreBytes)
    self.linesAreBytes = linesAreBytes
  }
}
