internal import WireFormat

/// What the path of a container's log says: `…/NAMESPACE_POD_UID/CONTAINER/RESTARTS.log`, as the kubelet lays it out.
///
/// Ranges are counted from the start of the path.
///
/// A file that was rotated has its time behind it, and perhaps `.gz`: `0.log.20250219-233547.gz`.
struct KubernetesLogPath {
  var namespace: WireRange
  var pod: WireRange
  var uid: WireRange
  var container: WireRange
  var restarts: WireRange

  /// Reads a path; nil when it is laid out in another way.
  init?(_ text: Span<UInt8>) {
    func range(_ start: Int, _ end: Int) -> WireRange { WireRange(start, end) }
    let fileStart = Self.startOfPart(text, endingAt: text.count)
    let containerStart = Self.startOfPart(text, endingAt: fileStart - 1)
    let podStart = Self.startOfPart(text, endingAt: containerStart - 1)
    if podStart < 1 { return nil }
    guard let restartsEnd = Self.endOfRestarts(text, from: fileStart) else { return nil }
    restarts = range(fileStart, restartsEnd)
    let containerEnd = fileStart - 1
    if containerStart == containerEnd { return nil }
    for place in containerStart..<containerEnd where text[place] == 0x2E || text[place] == 0x5F { return nil }
    container = range(containerStart, containerEnd)
    let podEnd = containerStart - 1
    var underscores: (first: Int, second: Int) = (-1, -1)
    for place in podStart..<podEnd where text[place] == 0x5F {
      if underscores.first < 0 {
        underscores.first = place
      } else if underscores.second < 0 {
        underscores.second = place
      } else {
        return nil
      }
    }
    if underscores.second < 0 { return nil }
    namespace = range(podStart, underscores.first)
    pod = range(underscores.first + 1, underscores.second)
    uid = range(underscores.second + 1, podEnd)
    if namespace.isEmpty || pod.isEmpty || uid.isEmpty { return nil }
    for place in underscores.second + 1..<podEnd {
      switch text[place] {
      case 0x30...0x39, 0x61...0x66, 0x2D: continue
      default: return nil
      }
    }
  }

  /// Where the part of a path begins that ends at an offset: behind the separator before it, or 0.
  private static func startOfPart(_ text: Span<UInt8>, endingAt end: Int) -> Int {
    var place = max(end, 0)
    while place > 0, text[place - 1] != 0x2F, text[place - 1] != 0x5C { place -= 1 }
    return place
  }

  /// Where the digits of `12.log` end; nil when the name of the file is another.
  private static func endOfRestarts(_ text: Span<UInt8>, from start: Int) -> Int? {
    var place = digits(text, from: start)
    let end = place
    if end == start || !text.isBytes(".log", at: place) { return nil }
    place += 4
    if place == text.count { return end }
    guard text[place] == 0x2E else { return nil }
    let date = digits(text, from: place + 1)
    guard date > place + 1, date < text.count, text[date] == 0x2D else { return nil }
    let time = digits(text, from: date + 1)
    if time == date + 1 { return nil }
    return time == text.count || (text.isBytes(".gz", at: time) && time + 3 == text.count) ? end : nil
  }

  private static func digits(_ text: Span<UInt8>, from start: Int) -> Int {
    var place = start
    while place < text.count, 0x30...0x39 ~= text[place] { place += 1 }
    return place
  }

  private static let names = Array(
    "k8s.namespace.namek8s.pod.namek8s.pod.uidk8s.container.namek8s.container.restart_count".utf8)

  /// Puts what was found into the resource of the entry, in whose arena the path starts at an offset.
  func add(to entry: inout LogEntry, pathAt base: Int) {
    var start = entry.add(Self.names.span).lowerBound
    let hasResource = entry.chains[LogChain.resource.position].first >= 0
    func put(_ length: Int, _ range: WireRange) {
      let key = WireRange(start, start + length)
      let value = LogValue.string(WireRange(base + range.lowerBound, base + range.upperBound))
      start += length
      if hasResource {
        entry.set(key, to: value, in: .resource)
      } else {
        entry.append(key: key, value, to: .resource)
      }
    }
    put(18, namespace)
    put(12, pod)
    put(11, uid)
    put(18, container)
    put(27, restarts)
  }
}

extension Span where Element == UInt8 {
  fileprivate func isBytes(_ text: String, at start: Int) -> Bool {
    var place = start
    for byte in text.utf8 {
      if place >= count || self[place] != byte { return false }
      place += 1
    }
    return true
  }
}
