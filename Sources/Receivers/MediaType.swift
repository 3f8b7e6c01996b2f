/// Media types of requests.
enum MediaType {
  /// The type in lower case, without parameters (RFC 9110, section 8.3.1).
  static func essence(_ contentType: String) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let text = contentType.prefix { $0 != ";" }.drop(while: isSpace)
    let end = text.lastIndex { !isSpace($0) }
    return end.map { text[...$0].lowercased() } ?? ""
  }
}
