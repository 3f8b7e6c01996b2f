/// Decides which web pages may send, as the Fetch standard's CORS protocol asks (https://fetch.spec.whatwg.org).
struct CORSPolicy: Sendable {
  private static let simpleHeaders = ["accept", "content-type", "x-requested-with"]

  private let origins: [String]
  private let allowsAnyOrigin: Bool
  private let headers: Set<String>
  private let allowsAnyHeader: Bool
  private let exposed: String
  private let maxAge: Int

  /// Nil when no origin is allowed: then requests are answered as if CORS did not exist.
  init?(_ config: CORSConfig?) {
    guard let config, !config.allowedOrigins.isEmpty else { return nil }
    origins = config.allowedOrigins.map { $0.lowercased() }
    allowsAnyOrigin = origins.contains("*")
    allowsAnyHeader = config.allowedHeaders.contains("*")
    headers = Set(config.allowedHeaders.map { $0.lowercased() } + Self.simpleHeaders)
    exposed = config.exposedHeaders.filter(HTTPToken.isName).joined(separator: ", ")
    maxAge = config.maxAge
  }

  /// Whether an origin may send. Each pattern may hold `*` for any text.
  func allows(_ origin: String) -> Bool {
    if allowsAnyOrigin { return true }
    let origin = Array(origin.lowercased().utf8)
    return origins.contains { Self.matches(origin[...], pattern: Array($0.utf8)[...]) }
  }

  /// The answer to a preflight; nil when the request is none.
  func preflight(_ request: RequestLine) -> HTTPAnswer? {
    guard request.method == "OPTIONS", let origin = request.headers.first("origin"),
      let method = request.headers.first("access-control-request-method")
    else { return nil }
    var answer = HTTPAnswer(status: 204)
    answer.headers.append(
      ("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"))
    let wanted = request.headers.all("access-control-request-headers").flatMap(HTTPToken.list)
    guard allows(origin), ["GET", "POST", "HEAD"].contains(method),
      allowsAnyHeader || wanted.allSatisfy({ headers.contains($0.lowercased()) })
    else { return answer }
    answer.headers += allowOrigin(origin)
    answer.headers.append(("Access-Control-Allow-Methods", method))
    if !wanted.isEmpty {
      answer.headers.append(("Access-Control-Allow-Headers", wanted.joined(separator: ", ")))
    }
    if maxAge > 0 { answer.headers.append(("Access-Control-Max-Age", "\(maxAge)")) }
    return answer
  }

  /// The headers that go with the answer to an ordinary request.
  func headers(origin: String?) -> [(String, String)] {
    guard let origin, allows(origin) else { return [("Vary", "Origin")] }
    var fields = [("Vary", "Origin")] + allowOrigin(origin)
    if !exposed.isEmpty { fields.append(("Access-Control-Expose-Headers", exposed)) }
    return fields
  }

  private func allowOrigin(_ origin: String) -> [(String, String)] {
    // With credentials the standard forbids the star, so that it stands alone.
    allowsAnyOrigin
      ? [("Access-Control-Allow-Origin", "*")]
      : [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]
  }

  /// Whether a text fits a pattern in which `*` stands for any text; linear but for backing up to the last star.
  private static func matches(_ text: ArraySlice<UInt8>, pattern: ArraySlice<UInt8>) -> Bool {
    var at = text.startIndex
    var wanted = pattern.startIndex
    var star: (pattern: Int, text: Int)?
    while at < text.endIndex {
      if wanted < pattern.endIndex, pattern[wanted] == UInt8(ascii: "*") {
        star = (wanted + 1, at)
        wanted += 1
      } else if wanted < pattern.endIndex, pattern[wanted] == text[at] {
        at += 1
        wanted += 1
      } else if let (resume, tried) = star {
        wanted = resume
        at = tried + 1
        star = (resume, at)
      } else {
        return false
      }
    }
    while wanted < pattern.endIndex, pattern[wanted] == UInt8(ascii: "*") { wanted += 1 }
    return wanted == pattern.endIndex
  }
}
