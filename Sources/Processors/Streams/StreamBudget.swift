internal import PipelineKit

extension ComponentContext {
  /// The bytes that the streams of one processor may take: a quarter of what a memory queue may, since both last for
  /// as long as the process runs.
  var streamBytes: Int { max(memory.queueLimit / 4, 16 << 20) }
}
