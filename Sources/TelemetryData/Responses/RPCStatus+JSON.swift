internal import WireFormat

extension RPCStatus {
  /// The JSON form, the body of an answer to a request in OTLP-JSON.
  ///
  /// Details follow `google.protobuf.Any`: `RetryInfo` with its field, `"retryDelay": "1.5s"`, other types,
  /// whose fields are not known here, with their bytes in base64.
  public func encodeJSON() -> [UInt8] {
    JSONOutput.text(expecting: message.utf8.count * 2 + 128) { output in
      var output = output
      output.append("{\"code\":")
      output.append(int32: code)
      output.append(",\"message\":")
      output.append(string: message)
      if !details.isEmpty {
        output.append(",\"details\":")
        for (index, detail) in details.enumerated() {
          output.append(index == 0 ? "[" : ",")
          detail.append(to: &output)
        }
        output.append("]")
      }
      output.append("}")
      return output
    }
  }

  /// Reads the JSON form; details whose type cannot be encoded here are passed over.
  public init(json text: Span<UInt8>) throws(OTLPJSONError) {
    self.init(code: 0, message: "")
    var scanner = JSONScanner(text)
    do throws(JSONFault) {
      try read(&scanner)
    } catch {
      throw OTLPJSONError(error, path: "", in: text)
    }
  }

  private mutating func read(_ scanner: inout JSONScanner) throws(JSONFault) {
    scanner.skipSpace()
    var goesOn = try scanner.takeOpening(0x7B, closing: 0x7D, .object)
    while goesOn {
      let name = try scanner.takeName()
      if try !scanner.takeNull() {
        switch name {
        case "code":
          code = Int32(
            truncatingIfNeeded: try scanner.takeSigned(in: Int64(Int32.min)...Int64(Int32.max)))
        case "message": message = try scanner.takeText()
        case "details":
          var hasMore = try scanner.takeOpening(0x5B, closing: 0x5D, .array)
          while hasMore {
            if let detail = try Detail.read(&scanner) { details.append(detail) }
            hasMore = try scanner.takeSeparator(closing: 0x5D, .commaOrBracket)
          }
        default: try scanner.skipValue()
        }
      }
      goesOn = try scanner.takeSeparator(closing: 0x7D, .commaOrBrace)
    }
    scanner.skipSpace()
    if scanner.position < scanner.text.count { throw JSONFault(.trailingText, at: scanner.position) }
  }
}

extension RPCStatus.Detail {
  fileprivate func append(to output: inout JSONOutput) {
    output.append("{\"@type\":")
    output.append(string: typeURL)
    if let delay = retryDelay {
      output.append(",\"retryDelay\":\"")
      let (seconds, attoseconds) = delay.components
      output.append(decimal: UInt64(seconds))
      let nanoseconds = attoseconds / 1_000_000_000
      if nanoseconds != 0 {
        output.append(".")
        let digits = String(nanoseconds + 1_000_000_000).dropFirst()
        // Milliseconds, microseconds or nanoseconds, as protobuf's JSON form has it.
        let length = nanoseconds % 1_000_000 == 0 ? 3 : nanoseconds % 1_000 == 0 ? 6 : 9
        output.append(Array(digits.prefix(length).utf8).span)
      }
      output.append("s\"}")
    } else {
      output.append(",\"value\":")
      output.append(base64: value.span, from: 0, to: value.count)
      output.append("}")
    }
  }

  /// Reads a `google.protobuf.Any` in its JSON form, or with the names of its own fields.
  fileprivate static func read(_ scanner: inout JSONScanner) throws(JSONFault) -> Self? {
    var detail = Self(typeURL: "", value: [])
    var delay: Duration?
    var hasValue = false
    var goesOn = try scanner.takeOpening(0x7B, closing: 0x7D, .object)
    while goesOn {
      let name = try scanner.takeName()
      if try !scanner.takeNull() {
        let start = scanner.position
        switch name {
        case "@type", "typeUrl", "type_url": detail.typeURL = try scanner.takeText()
        case "value" where scanner.next == 0x22:
          guard let value = Base64.decode(Array(try scanner.takeText().utf8)) else {
            throw JSONFault(.invalidBase64, at: start)
          }
          detail.value = value
          hasValue = true
        case "retryDelay", "retry_delay":
          delay = Duration(json: try scanner.takeText())
          if delay == nil { throw JSONFault(.invalidNumber, at: start) }
        default: try scanner.skipValue()
        }
      }
      goesOn = try scanner.takeSeparator(closing: 0x7D, .commaOrBrace)
    }
    if let delay, detail.isRetryInfo { return Self(retryDelay: delay) }
    return hasValue ? detail : nil
  }
}

extension JSONScanner {
  /// Steps over a name and the colon behind it.
  fileprivate mutating func takeName() throws(JSONFault) -> String {
    let name = String(decoding: try contents(try takeString(.name)), as: UTF8.self)
    skipSpace()
    try take(0x3A, .colon)
    skipSpace()
    return name
  }

  fileprivate mutating func takeText() throws(JSONFault) -> String {
    String(decoding: try contents(try takeString()), as: UTF8.self)
  }
}

extension Duration {
  /// A duration as protobuf's JSON form writes it: seconds with up to nine decimals and an `s`.
  fileprivate init?(json text: String) {
    guard text.hasSuffix("s") else { return nil }
    let parts = text.dropLast().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, let seconds = Int64(whole), (0...315_576_000_000).contains(seconds) else {
      return nil
    }
    self = .seconds(seconds)
    if parts.count == 2 {
      let digits = parts[1]
      guard (1...9).contains(digits.utf8.count), let fraction = UInt32(digits) else { return nil }
      var nanoseconds = Int64(fraction)
      for _ in digits.utf8.count..<9 { nanoseconds *= 10 }
      self += .nanoseconds(nanoseconds)
    }
  }
}
