import CMalloc

/// The C allocator under every array and object.
package enum Allocator {
  /// Keeps memory together: few arenas, and free memory is given back.
  ///
  /// Batches are large and short-lived; with an arena per thread each thread would keep its own peak. Call once,
  /// before threads start.
  package static func configure() {
    mallopt(M_ARENA_MAX, 2)
    mallopt(M_TRIM_THRESHOLD, 16 << 20)
    mallopt(M_MMAP_THRESHOLD, 16 << 20)
  }
}
