import ConfigSchema
import Engine
import PipelineKit

/// What `millrace check --explain-delivery` prints.
enum DeliveryExplanation {
  /// For people: a block per way, with the pipelines that have it.
  static func text(_ plan: Plan) -> String {
    var blocks: [(pipelines: [String], path: DeliveryPath)] = []
    for path in plan.deliveryPaths {
      if let same = blocks.firstIndex(where: {
        way($0.path) == way(path) && facts($0.path).map(\.text) == facts(path).map(\.text)
      }) {
        blocks[same].pipelines.append(path.pipeline)
      } else {
        blocks.append(([path.pipeline], path))
      }
    }
    return blocks.map { pipelines, path in
      let lines = facts(path).map { "    \($0.name.padding(to: 15))\($0.text)\n" }.joined()
      return "\n  \(pipelines.joined(separator: ", ")): \(way(path))  [\(path.guarantee)]\n\(lines)"
    }.joined()
  }

  /// For programs: a list of paths.
  static func literal(_ plan: Plan) -> ConfigLiteral {
    .list(
      plan.deliveryPaths.map { path in
        .map(
          [
            .init("pipeline", .string(path.pipeline)),
            .init("receiver", .string(path.receiver.description)),
            .init("processors", .list(path.processors.map { .string($0.description) })),
            .init("exporter", .string(path.exporter.description)),
            .init("guarantee", .string(path.guarantee)),
            .init("survives_crash", .bool(path.survivesCrash)),
          ] + facts(path).map { .init($0.key, .string($0.text)) })
      })
  }

  private static func way(_ path: DeliveryPath) -> String {
    ([path.receiver] + path.processors + [path.exporter]).map(\.description).joined(separator: " → ")
  }

  private static func facts(_ path: DeliveryPath) -> [(key: String, name: String, text: String)] {
    [
      ("acknowledged", "sender's OK", path.acknowledged),
      ("crash", "kill -9, crash", path.crash),
      ("outage", "backend down", path.outage),
      ("stop", "orderly stop", path.stop),
    ]
  }
}

extension String {
  /// The text, followed by spaces up to `width` characters.
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
