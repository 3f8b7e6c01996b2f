/// What lets somebody in within URLs: user and password (`http://user:password@host`), and the values of a query.
public enum URLSecrets {
  /// The text with those parts of every URL in it masked.
  public static func masked(_ text: String) -> String {
    var scalars = Array(text.unicodeScalars)
    let ranges = ranges(in: scalars)
    if ranges.isEmpty { return text }
    for range in ranges.reversed() { scalars.replaceSubrange(range, with: Secret.mask.unicodeScalars) }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  /// Where those parts are, in order.
  static func ranges(in scalars: [Unicode.Scalar]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var index = 0
    while index + 3 <= scalars.count {
      guard scalars[index] == ":", scalars[index + 1] == "/", scalars[index + 2] == "/" else {
        index += 1
        continue
      }
      let start = index + 3
      let end = scalars[start...].firstIndex { " \t\"'`".unicodeScalars.contains($0) } ?? scalars.count
      let authority = scalars[start..<end].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
      if let at = authority.lastIndex(of: "@"), at > start { ranges.append(start..<at) }
      if let mark = scalars[authority.endIndex..<end].firstIndex(of: "?") {
        let query = scalars[(mark + 1)..<end].prefix { $0 != "#" && $0 != "}" && $0 != "]" && $0 != "," }
        if !query.isEmpty { ranges.append(query.startIndex..<query.endIndex) }
      }
      index = end
    }
    return ranges
  }
}
