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

  /// Gives free memory back to the system, also between what is in use.
  ///
  /// Freeing gives back only what lies at the end. Holds up allocations of other threads meanwhile, some milliseconds
  /// per hundred mebibytes: for rare occasions on which much became free at once.
  package static func giveBack() { _ = malloc_trim(0) }
}
