package import ConfigSchema

/// What writes the files of containers' logs.
package enum ContainerLogFormat: String, ConfigEnum {
  /// Whatever a line looks like.
  case detected = ""
  case docker, crio, containerd
}

/// `container`: parses the lines that container runtimes write, and puts long lines together again.
package struct ContainerConfig: OperatorSettings {
  package static let type = "container"
  package static let summary =
    "Parses the lines that docker, CRI-O and containerd write: time, `log.iostream` and the line itself as the body; puts lines together that the runtime split."
  package var format = ContainerLogFormat.detected
  package var addMetadataFromFilepath = true
  package var maxLogSize = ByteCount.mebibytes(1)
  package var keys = ParserKeys()
  package var blocks = ParserBlocks()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("format", \.format, "What wrote the lines; each line tells by itself when empty."),
    Field(
      "add_metadata_from_filepath", \.addMetadataFromFilepath,
      "Whether namespace, pod, container and restart count are read from the attribute `log.file.path` into the resource; needs `include_file_path: true`."
    ),
    Field(
      "max_log_size", \.maxLogSize,
      "A line put together goes on when it has more bytes than this, and what follows is an entry of its own; 0 for no limit."
    ),
    .group(\.keys), .group(\.blocks), .group(\.common),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if keys.parseTo.path != FieldPath(.attributes) {
      checker.error(
        "\"parse_to\" has to be attributes",
        help: "leave it out, and move fields with an operator of type move behind")
    }
  }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .holding(
      ContainerParser(
        format: format, readsPath: addMetadataFromFilepath, maxSize: maxLogSize.bytes, keys: keys,
        blocks: blocks.makeOperators()))
  }
}
