import Glibc
package import PipelineKit

/// What the process itself costs, under the Collector's names.
package enum ProcessMetrics {
  /// Registers uptime, CPU time and resident memory, and who this is.
  package static func register(
    in metrics: SelfMetrics, clock: any PipelineClock, resource: [(name: String, value: String)]
  ) {
    let start = clock.now
    metrics.observe(
      "otelcol_process_uptime", kind: .counter, help: "Seconds since the start.", unit: "s"
    ) { Double((clock.now - start).wholeNanoseconds) / 1e9 }
    metrics.observe(
      "otelcol_process_cpu_seconds", kind: .counter, help: "CPU time in user and kernel mode, in seconds.",
      unit: "s"
    ) { cpuSeconds() }
    metrics.observe("otelcol_process_memory_rss", help: "Resident memory in bytes.", unit: "By") {
      Double(residentBytes())
    }
    identify(in: metrics, resource: resource)
  }

  /// Says who this is, in place of what was said before.
  package static func identify(in metrics: SelfMetrics, resource: [(name: String, value: String)]) {
    metrics.remove("target_info")
    metrics.observe("target_info", help: "Attributes of the collector itself.", labels: resource) { 1 }
  }

  /// User and system time of this process.
  static func cpuSeconds() -> Double {
    var usage = rusage()
    guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return .nan }
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// Resident memory from `/proc/self/statm`; 0 where there is none.
  package static func residentBytes() -> Int {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = unsafe fread(&buffer, 1, buffer.count, file)
    let fields = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
