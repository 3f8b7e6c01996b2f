package import ConfigSchema

/// How much the `redaction` processor tells of what it did, in attributes of its own.
package enum RedactionSummary: String, ConfigEnum {
  /// Counts, and the names of the keys.
  case debug
  /// Counts only.
  case info
  case silent
  package static let alternatives = ["": RedactionSummary.silent]
}

/// What stands in place of what is masked.
package enum RedactionHash: String, ConfigEnum {
  /// `****`
  case none
  case md5, sha1
  /// SHA3-256.
  case sha3
  case hmacSHA256 = "hmac-sha256"
  case hmacSHA512 = "hmac-sha512"
  package static let alternatives = ["": RedactionHash.none]
  package static var ignoresCase: Bool { true }

  /// The fewest bytes of a key; nil for hashes without one.
  var shortestKey: Int? {
    switch self {
    case .hmacSHA256: 32
    case .hmacSHA512: 64
    case .none, .md5, .sha1, .sha3: nil
    }
  }
}

/// The settings of the `redaction` processor.
package struct RedactionConfig: ConfigGroup {
  package var allowAllKeys = false
  package var allowedKeys: [String] = []
  package var ignoredKeys: [String] = []
  package var ignoredKeyPatterns: [RegexText] = []
  package var blockedKeyPatterns: [RegexText] = []
  package var blockedValues: [RegexText] = []
  package var allowedValues: [RegexText] = []
  package var redactAllTypes = false
  package var hashFunction = RedactionHash.none
  package var hmacKey: Secret = ""
  package var summary = RedactionSummary.silent
  package var urlSanitizer = URLSanitizerConfig()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "allow_all_keys", \.allowAllKeys, "Whether attributes are kept that `allowed_keys` does not name."),
    Field("allowed_keys", \.allowedKeys, "The attributes that are kept; an empty list keeps none."),
    Field("ignored_keys", \.ignoredKeys, "Attributes that are kept as they are, whatever else is set."),
    Field("ignored_key_patterns", \.ignoredKeyPatterns, "The same by regular expressions of RE2."),
    Field(
      "blocked_key_patterns", \.blockedKeyPatterns,
      "Regular expressions: the whole value of an attribute is masked whose key matches."),
    Field(
      "blocked_values", \.blockedValues,
      "Regular expressions: what matches in a value is masked, in bodies of log records too."),
    Field(
      "allowed_values", \.allowedValues,
      "Regular expressions: values that match are not masked, whatever else they match."),
    Field(
      "redact_all_types", \.redactAllTypes,
      "Whether values of attributes that are no strings are looked at as the text they would be."),
    Field(
      "hash_function", \.hashFunction,
      "The hash of what is masked stands in its place; without one it is `****`. Short values can be guessed from hashes without a key."
    ),
    Field("hmac_key", \.hmacKey, "The key of the hmac functions: at least 32 bytes, 64 for hmac-sha512."),
    Field(
      "summary", \.summary,
      "Attributes that tell what was done: how many keys (`info`), and their names (`debug`)."),
    Field("url_sanitizer", \.urlSanitizer, "Takes out of URLs what makes each of them another."),
    .unsupported(
      "db_sanitizer",
      "queries are not parsed: mask literals by blocked_values, or leave db.query.text out of allowed_keys"),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if !allowAllKeys, allowedKeys.isEmpty, ignoredKeys.isEmpty, ignoredKeyPatterns.isEmpty {
      checker.warning(
        \.allowedKeys, "no attribute is allowed, so all of them are removed",
        help: "list those to keep, or set allow_all_keys: true")
    }
    guard let shortest = hashFunction.shortestKey else {
      if !hmacKey.isEmpty {
        checker.error(
          \.hmacKey, "is for hmac-sha256 and hmac-sha512 only", help: "set hash_function to one of them")
      }
      return
    }
    if hmacKey.reveal().utf8.count < shortest {
      checker.error(
        \.hmacKey, "\(hashFunction.rawValue) needs a key of at least \(shortest) bytes",
        help: "make one with `openssl rand -hex \(shortest / 2)`, and take it from ${env:NAME}")
    }
  }
}

/// The block `url_sanitizer`, which can only be off.
package struct URLSanitizerConfig: ConfigGroup {
  package var isEnabled = false
  package var attributes: [String] = []
  package var sanitizeSpanName = true

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("enabled", \.isEnabled, "Must be false."),
    Field("attributes", \.attributes, "Has no effect."),
    Field("sanitize_span_name", \.sanitizeSpanName, "Has no effect."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if isEnabled {
      checker.error(
        \.isEnabled, "URLs cannot be sanitized: it takes a classifier of words",
        help: "mask what varies by blocked_values, such as [0-9a-f]{8}-[0-9a-f-]{27} for UUIDs")
    }
  }
}
