extension Diagnostics {
  /// The findings in the order of the files, for reading.
  ///
  /// Files come in the order in which they were first mentioned, findings without a place come first.
  public var sorted: [Diagnostic] {
    var fileOrder: [String: Int] = [:]
    for diagnostic in all {
      if let file = diagnostic.location?.file, fileOrder[file] == nil { fileOrder[file] = fileOrder.count }
    }
    func place(_ diagnostic: Diagnostic) -> (Int, Int, Int) {
      guard let location = diagnostic.location else { return (-1, 0, 0) }
      return (fileOrder[location.file] ?? 0, location.line, location.column)
    }
    // `sorted` of the standard library is stable, so findings at one place keep their order.
    return all.sorted { place($0) < place($1) }
  }

  /// Writes every finding as a compiler would: what, where, the line itself, and what to do.
  ///
  /// - Parameter colour: whether to use terminal colours.
  public func render(colour: Bool = false) -> String {
    sorted.map { $0.render(colour: colour) }.joined(separator: "\n")
  }

  /// One line that counts: `2 errors, 1 warning`; empty without findings.
  public var summary: String {
    [(Diagnostic.Severity.error, "error"), (.warning, "warning"), (.note, "note")]
      .compactMap { severity, word in
        let count = count(severity)
        return count == 0 ? nil : "\(count) \(word)\(count == 1 ? "" : "s")"
      }
      .joined(separator: ", ")
  }

  /// The findings as a JSON array, for editors and scripts.
  public func json() -> String {
    ConfigLiteral.list(sorted.map(\.literal)).prettyJSON() + "\n"
  }
}

extension Diagnostic {
  /// Writes the finding with the line it is about; ends with a line end.
  public func render(colour: Bool = false) -> String {
    let paint = Paint(isOn: colour)
    var lines = [paint.severity("\(severity.rawValue)[\(code)]", severity) + paint.bold(": \(message)")]
    let places = [location].compactMap { $0 } + context.map(\.origin)
    let width = places.filter { $0.isQuotable }.map { "\($0.line)".count }.max() ?? 1
    let margin = String(repeating: " ", count: width)
    if let location {
      lines.append("\(margin)\(paint.frame("-->")) \(location)" + (path.isEmpty ? "" : " (\(path))"))
      lines += excerpt(location, label: "", width: width, paint: paint)
    }
    for related in context {
      if related.origin.file != location?.file {
        lines.append("\(margin)\(paint.frame(":::")) \(related.origin)")
      }
      lines += excerpt(related.origin, label: related.message, width: width, paint: paint)
    }
    if let help { lines.append("\(margin) \(paint.frame("=")) \(paint.bold("help")): \(help)") }
    return lines.joined(separator: "\n") + "\n"
  }

  private func excerpt(_ origin: Origin, label: String, width: Int, paint: Paint) -> [String] {
    guard origin.isQuotable, let line = origin.source.line(origin.line) else { return [] }
    let margin = String(repeating: " ", count: width)
    let number = "\(origin.line)"
    let padded = String(repeating: " ", count: width - number.count) + number
    let quoted = quotation(of: line, origin)
    let caret = String(repeating: " ", count: quoted.caret - 1) + String(repeating: "^", count: quoted.length)
    let note = label.isEmpty ? "" : " \(label)"
    return [
      "\(margin) \(paint.frame("|"))", "\(paint.frame("\(padded) |")) \(quoted.text)",
      "\(margin) \(paint.frame("|")) \(paint.severity(caret + note, severity))",
    ]
  }

  /// The line with tabs made visible, cut around the place when it is very long, secrets masked.
  private func quotation(of line: String, _ origin: Origin) -> (text: String, caret: Int, length: Int) {
    var scalars = line.unicodeScalars.map { scalar in
      scalar == "\t" ? "→" : scalar.properties.generalCategory == .control ? "?" : scalar
    }
    var caret = min(origin.column, scalars.count + 1)
    var length = max(1, min(origin.length, scalars.count - caret + 1))
    let hidden = origin.source.hiddenColumns(ofLine: origin.line)
    let inURLs = URLSecrets.ranges(in: scalars).filter { range in !hidden.contains { $0.overlaps(range) } }
    let secret = (hidden + inURLs).sorted { $0.lowerBound > $1.lowerBound }
    for range in secret where range.upperBound <= scalars.count {
      let mask = Array(Secret.mask.unicodeScalars)
      scalars.replaceSubrange(range, with: mask)
      if caret - 1 == range.lowerBound {
        length = mask.count
      } else if caret > range.upperBound {
        caret += mask.count - range.count
      }
    }
    if hidesValue {
      // The value starts at the place, or behind the key that stands there.
      var start = min(caret - 1, scalars.count)
      if let colon = scalars[start...].firstIndex(of: ":"), colon == start + length {
        start = colon + 1
        while start < scalars.count, scalars[start] == " " { start += 1 }
        if start < scalars.count { scalars = scalars[..<start] + Array("***".unicodeScalars) }
      } else {
        scalars = scalars[..<start] + Array("***".unicodeScalars)
        length = 3
      }
    }
    let widest = 160
    if scalars.count > widest {
      let from = max(0, min(caret - 41, scalars.count - widest))
      let cut = from > 0
      scalars = (cut ? ["…"] : []) + scalars[from..<min(scalars.count, from + widest)]
      caret = caret - from + (cut ? 1 : 0)
      length = min(length, max(1, scalars.count - caret + 1))
    }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return (String(view), caret, length)
  }

  /// The finding as data.
  public var literal: ConfigLiteral {
    var entries: [ConfigLiteral.Entry] = [
      .init("severity", .string(severity.rawValue)), .init("code", .string(code)),
      .init("message", .string(message)), .init("path", .string(path)),
    ]
    if let location { entries.append(.init("location", location.literal)) }
    if let help { entries.append(.init("help", .string(help))) }
    if !context.isEmpty {
      let related = context.map { item in
        ConfigLiteral.map([.init("message", .string(item.message)), .init("location", item.origin.literal)])
      }
      entries.append(.init("context", .list(related)))
    }
    return .map(entries)
  }
}

extension Origin {
  /// Whether the line may be shown: environment variables may hold secrets.
  var isQuotable: Bool { source.kind == .file || source.kind == .commandLine }

  var literal: ConfigLiteral {
    .map([
      .init("file", .string(file)), .init("line", .integer(Int64(line))),
      .init("column", .integer(Int64(column))), .init("length", .integer(Int64(length))),
    ])
  }
}

/// Terminal colours, when wanted.
private struct Paint {
  let isOn: Bool

  func severity(_ text: String, _ severity: Diagnostic.Severity) -> String {
    switch severity {
    case .error: wrap(text, "1;31")
    case .warning: wrap(text, "1;33")
    case .note: wrap(text, "1;36")
    }
  }

  func bold(_ text: String) -> String { wrap(text, "1") }
  func frame(_ text: String) -> String { wrap(text, "1;34") }

  private func wrap(_ text: String, _ code: String) -> String {
    isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
