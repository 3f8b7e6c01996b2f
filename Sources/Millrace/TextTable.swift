/// Rows of text in columns as wide as they need to be.
enum TextTable {
  /// One line per row; the last column is not padded. `rightAligned` are the columns of numbers.
  static func lines(_ rows: [[String]], rightAligned: Set<Int> = []) -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { index, cell in
        let padding = String(repeating: " ", count: widths[index] - cell.count)
        if rightAligned.contains(index) { return padding + cell }
        return index == row.count - 1 ? cell : cell + padding
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }
}
