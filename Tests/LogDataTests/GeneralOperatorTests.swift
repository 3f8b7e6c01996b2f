import SeededRandom
import Testing

@testable import LogData

/// What the operators for fields do to an entry: the cases of the Collector's documentation and others.
@Suite struct GeneralOperatorTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let config: String
    let input: String
    /// Body, attributes and resource; those left out are empty.
    let output: String
    var testDescription: String { config }
  }

  /// Takes an entry through one operator; nil when nothing came out.
  static func run(
    _ config: String, _ input: String, random: @escaping @Sendable () -> UInt64 = { 0 }
  ) throws -> (output: String?, counts: OperatorCounts, errors: [String]) {
    let graph = try Operators.graph("- {\(config)}\n", variables: ["ZONE": "b"], random: random)
    var errors: [String] = []
    graph.onFailure = { errors.append($1.description) }
    var entry = try LogEntry(input)
    var output: String?
    graph.process(&entry) { output = $0.summary }
    return (output, graph.counts[0], errors)
  }

  @Test(arguments: [
    // add
    Row(
      config: "type: add, field: body.key2, value: val2", input: "{body: {key1: val1}}",
      output: "{body: {key1: val1, key2: val2}}"),
    Row(
      config: "type: add, field: body.key2, value: 'EXPR(body.key1 + \"_suffix\")'",
      input: "{body: {key1: val1}}", output: "{body: {key1: val1, key2: val1_suffix}}"),
    Row(
      config: "type: add, field: body.key2, value: {nested: 1}", input: "{body: {key1: a}}",
      output: "{body: {key1: a, key2: {nested: 1}}}"),
    Row(
      config: "type: add, field: attributes.k, value: [1, x]", input: "{body: {key1: a}}",
      output: "{body: {key1: a}, attributes: {k: [1, x]}}"),
    Row(
      config: "type: add, field: 'resource[\"k.x\"]', value: 1.5", input: "{body: a}",
      output: "{body: a, resource: {k.x: 1.5}}"),
    Row(
      config: "type: add, field: resource.zone, value: 'EXPR(env(\"ZONE\"))'", input: "{body: a}",
      output: "{body: a, resource: {zone: b}}"),
    Row(
      config: "type: add, field: attributes.b, value: EXPR(body)", input: "{body: {x: {y: 1}}}",
      output: "{body: {x: {y: 1}}, attributes: {b: {x: {y: 1}}}}"),
    Row(
      config: "type: add, field: body, value: EXPR(body.x)", input: "{body: {x: {y: 1}, z: 2}}",
      output: "{body: {x: {y: 1}, z: 2, y: 1}}"),
    Row(config: "type: add, field: body.a.b, value: 1", input: "{body: text}", output: "{body: {a: {b: 1}}}"),
    Row(
      config: "type: add, field: body.a.b, value: 1", input: "{body: {a: 7, c: 2}}",
      output: "{body: {a: {b: 1}, c: 2}}"),
    Row(
      config: "type: add, field: body.a, value: {y: 2, z: 3}", input: "{body: {a: {x: 1, y: 1}}}",
      output: "{body: {a: {x: 1, y: 2, z: 3}}}"),
    Row(config: "type: add, field: body, value: EXPR(", input: "{body: x}", output: "{body: EXPR(}"),
    // copy
    Row(
      config: "type: copy, from: body.key, to: resource.newkey", input: "{body: {key: value}}",
      output: "{body: {key: value}, resource: {newkey: value}}"),
    Row(
      config: "type: copy, from: body.key2, to: attributes.newkey", input: "{body: {key1: a, key2: b}}",
      output: "{body: {key1: a, key2: b}, attributes: {newkey: b}}"),
    Row(
      config: "type: copy, from: attributes.key, to: body.newkey",
      input: "{body: {key1: a}, attributes: {key: b}}",
      output: "{body: {key1: a, newkey: b}, attributes: {key: b}}"),
    Row(
      config: "type: copy, from: body.obj.nested, to: body.newkey", input: "{body: {obj: {nested: v}}}",
      output: "{body: {obj: {nested: v}, newkey: v}}"),
    Row(
      config: "type: copy, from: body, to: body.copy", input: "{body: {a: {b: 1}}}",
      output: "{body: {a: {b: 1}, copy: {a: {b: 1}}}}"),
    Row(
      config: "type: copy, from: body, to: attributes.original", input: "{body: text}",
      output: "{body: text, attributes: {original: text}}"),
    // move
    Row(
      config: "type: move, from: body.key1, to: body.key3", input: "{body: {key1: a, key2: b}}",
      output: "{body: {key2: b, key3: a}}"),
    Row(
      config: "type: move, from: body.uuid, to: resource.uuid", input: "{body: {uuid: 091e}}",
      output: "{body: {}, resource: {uuid: 091e}}"),
    Row(
      config: "type: move, from: body.ip, to: attributes.ip", input: "{body: {ip: 8.8.8.8}}",
      output: "{body: {}, attributes: {ip: 8.8.8.8}}"),
    Row(
      config: "type: move, from: body.log, to: body", input: "{body: {log: The line}}",
      output: "{body: The line}"),
    Row(
      config: "type: move, from: body.wrapper, to: body", input: "{body: {wrapper: {a: 1, b: 2}}}",
      output: "{body: {a: 1, b: 2}}"),
    Row(
      config: "type: move, from: body.object, to: body",
      input: "{body: {first: 1, object: {name: n, uid: u}, last: 2}}",
      output: "{body: {first: 1, last: 2, name: n, uid: u}}"),
    Row(config: "type: move, from: body, to: body.log", input: "{body: text}", output: "{body: {log: text}}"),
    Row(
      config: "type: move, from: body, to: attributes.log", input: "{body: {a: 1}}",
      output: "{body: null, attributes: {log: {a: 1}}}"),
    Row(
      config: "type: move, from: 'attributes[\"a.b\"]', to: attributes.a.b",
      input: "{body: x, attributes: {a.b: 1, c: 2}}", output: "{body: x, attributes: {c: 2, a: {b: 1}}}"),
    // remove
    Row(config: "type: remove, field: body.key1", input: "{body: {key1: val1}}", output: "{body: {}}"),
    Row(
      config: "type: remove, field: body.object", input: "{body: {object: {nested: v}, key: val}}",
      output: "{body: {key: val}}"),
    Row(
      config: "type: remove, field: attributes.otherkey",
      input: "{body: {key: val}, attributes: {otherkey: val}}", output: "{body: {key: val}}"),
    Row(
      config: "type: remove, field: resource.otherkey",
      input: "{body: {key: val}, resource: {otherkey: val}}", output: "{body: {key: val}}"),
    Row(
      config: "type: remove, field: resource", input: "{body: b, resource: {key1.0: a, key2.0: b}}",
      output: "{body: b}"),
    Row(
      config: "type: remove, field: attributes", input: "{body: b, attributes: {key1.0: a, key2.0: b}}",
      output: "{body: b}"),
    Row(
      config: "type: remove, field: body", input: "{body: b, attributes: {a: 1}}",
      output: "{body: null, attributes: {a: 1}}"),
    // retain
    Row(
      config: "type: retain, fields: [body.key1, body.key2]", input: "{body: {key1: a, key2: b, key3: c}}",
      output: "{body: {key1: a, key2: b}}"),
    Row(
      config: "type: retain, fields: [body.object]", input: "{body: {key1: a, object: {nested: b}}}",
      output: "{body: {object: {nested: b}}}"),
    Row(
      config: "type: retain, fields: [resource.key1, resource.key2]",
      input: "{body: {key1: a}, resource: {key1: a, key2: b, key3: c}}",
      output: "{body: {key1: a}, resource: {key1: a, key2: b}}"),
    Row(
      config: "type: retain, fields: [attributes.key1]",
      input: "{body: {key1: a}, attributes: {key1: a, key3: c}}",
      output: "{body: {key1: a}, attributes: {key1: a}}"),
    Row(
      config: "type: retain, fields: [resource.key1, attributes.key3, body.key5]",
      input: "{body: {key5: e, key6: f}, attributes: {key3: c, key4: d}, resource: {key1: a, key2: b}}",
      output: "{body: {key5: e}, attributes: {key3: c}, resource: {key1: a}}"),
    Row(
      config: "type: retain, fields: [body.a.b, body.nope]", input: "{body: {a: {b: 1, c: 2}}}",
      output: "{body: {a: {b: 1}}}"),
    Row(
      config: "type: retain, fields: [body.a, body.a.b, body.a.b.c]",
      input: "{body: {a: {b: {c: 1}, d: 2}, e: 3}}", output: "{body: {a: {b: {c: 1}, d: 2}}}"),
    Row(
      config: "type: retain, fields: [body.x, attributes.a]", input: "{body: text, attributes: {a: 1, b: 2}}",
      output: "{body: null, attributes: {a: 1}}"),
    // flatten
    Row(
      config: "type: flatten, field: body.key1", input: "{body: {key1: {n1: a, n2: b}, key2: c}}",
      output: "{body: {key2: c, n1: a, n2: b}}"),
    Row(
      config: "type: flatten, field: body.wrapper.key1",
      input: "{body: {wrapper: {key1: {n1: a, n2: b}, key2: c}}}",
      output: "{body: {wrapper: {key2: c, n1: a, n2: b}}}"),
    Row(
      config: "type: flatten, field: attributes.a",
      input: "{body: x, attributes: {a: {b: {c: 1}}, b: {d: 2}, e: 3}}",
      output: "{body: x, attributes: {b: {d: 2, c: 1}, e: 3}}"),
    Row(
      config: "type: flatten, field: resource.a", input: "{body: x, resource: {a: {a: 1, b: 2}, b: 9}}",
      output: "{body: x, resource: {b: 2, a: 1}}"),
    // assign_keys
    Row(
      config: "type: assign_keys, field: body, keys: [foo, bar, charlie, foxtrot]",
      input: "{body: [1, debug, Debug Message, true]}",
      output: "{body: {foo: 1, bar: debug, charlie: Debug Message, foxtrot: true}}"),
    Row(
      config: "type: assign_keys, field: attributes.input, keys: [foo, bar]",
      input: "{body: x, attributes: {input: [1, debug], field2: same}}",
      output: "{body: x, attributes: {input: {foo: 1, bar: debug}, field2: same}}"),
    // unquote
    Row(config: "type: unquote, field: body", input: #"{body: '"hello"'}"#, output: "{body: hello}"),
    Row(
      config: "type: unquote, field: attributes.foo", input: "{body: x, attributes: {foo: '`bar`'}}",
      output: "{body: x, attributes: {foo: bar}}"),
    Row(config: "type: unquote, field: attributes.nope", input: "{body: x}", output: "{body: x}"),
    // others
    Row(
      config: "type: noop", input: "{body: [1, {a: null}], attributes: {a: true}}",
      output: "{body: [1, {a: null}], attributes: {a: true}}"),
    Row(config: "type: sanitize_utf8", input: "{body: ünï}", output: "{body: ünï}"),
    Row(config: "type: sanitize_utf8, field: attributes.nope", input: "{body: x}", output: "{body: x}"),
    Row(
      config: "type: remove, field: body.x, if: 'body.y == 1'", input: "{body: {x: 1, y: 2}}",
      output: "{body: {x: 1, y: 2}}"),
    Row(
      config: "type: remove, field: body.x, if: 'body.y == 1'", input: "{body: {x: 1, y: 1}}",
      output: "{body: {y: 1}}"),
  ])
  func `an operator changes an entry as documented`(row: Row) throws {
    let (output, counts, errors) = try Self.run(row.config, row.input)
    #expect(output == (try LogEntry(row.output)).summary)
    #expect(errors == [] && counts.failed == 0)
  }

  @Test(arguments: [
    Row(
      config: "type: copy, from: body.x, to: body.y", input: "{body: {a: 1}}", output: "there is no body.x"),
    Row(
      config: "type: move, from: attributes.x.y, to: body.y", input: "{body: t, attributes: {x: 1}}",
      output: "there is no attributes.x.y"),
    Row(
      config: "type: remove, field: 'body[\"x.y\"]'", input: "{body: t}", output: "there is no body[\"x.y\"]"),
    Row(
      config: "type: flatten, field: body.x", input: "{body: {x: [1]}}", output: "body.x is a list, not a map"
    ),
    Row(config: "type: flatten, field: body.x", input: "{body: {}}", output: "there is no body.x"),
    Row(
      config: "type: assign_keys, field: body, keys: [a]", input: "{body: [1, 2]}",
      output: "body has 2 values for 1 keys"),
    Row(
      config: "type: assign_keys, field: body, keys: [a]", input: "{body: text}",
      output: "body is a string, not a list"),
    Row(
      config: "type: unquote, field: body", input: "{body: text}",
      output: "body is not quoted as Go quotes strings"),
    Row(
      config: "type: unquote, field: body", input: "{body: 7}",
      output: "body is an integer, which cannot be unquoted"),
    Row(config: "type: sanitize_utf8", input: "{body: [1]}", output: "body is a list, not a string"),
  ])
  func `an entry that does not fit goes on as it was, is dropped, or makes no noise`(row: Row) throws {
    for (mode, isSent, isTold) in [
      ("send", true, true), ("send_quiet", true, false), ("drop", false, true), ("drop_quiet", false, false),
    ] {
      let (output, counts, errors) = try Self.run("\(row.config), on_error: \(mode)", row.input)
      #expect(output == (isSent ? (try LogEntry(row.input)).summary : nil))
      #expect(errors == (isTold ? [row.output] : []))
      #expect(
        counts.failed == 1 && counts.dropped == (isSent ? 0 : 1) && counts.filtered == 0
          && counts.entries == 1)
    }
  }

  @Test(arguments: [
    ("'body.message matches \"^LOG: .* END$\"'", "{body: {message: 'LOG: x END'}}", false),
    ("'body.message matches \"^LOG: .* END$\"'", "{body: {message: 'LOG: x'}}", true),
    ("'attributes.env == \"production\"'", "{body: x, attributes: {env: production}}", false),
    ("'attributes.env == \"production\"'", "{body: x}", true),
    ("'body == env(\"ZONE\")'", "{body: b}", false),
  ])
  func `a filter drops what matches`(expression: String, input: String, passes: Bool) throws {
    let (output, counts, _) = try Self.run("type: filter, expr: \(expression)", input)
    #expect((output != nil) == passes)
    #expect(counts.filtered == (passes ? 0 : 1) && counts.dropped == 0)
  }

  @Test func `a filter drops a share`() throws {
    var kept = 0
    for number: UInt64 in 0..<1000 {
      if try Self.run("type: filter, expr: 'true', drop_ratio: 0.25", "{body: x}", random: { number }).output
        != nil
      {
        kept += 1
      }
    }
    #expect(kept == 750)
    #expect(try Self.run("type: filter, expr: 'true', drop_ratio: 0", "{body: x}").output != nil)
  }

  @Test(arguments: [
    ("type: add", "\"field\" is required"), ("type: add, field: body.x", "\"value\" is required"),
    ("type: add, field: body.x, value: null", "\"value\" is required"),
    ("type: copy, from: body", "\"to\" is required"),
    ("type: move, to: body", "\"from\" is required"),
    ("type: retain, fields: []", "\"fields\" must not be empty"),
    ("type: retain, fields: [attributes]", "a field of attributes is needed here, not all of them"),
    ("type: assign_keys, field: body, keys: []", "\"keys\" must not be empty"),
    ("type: filter", "\"expr\" is required"),
    ("type: filter, expr: 'true', drop_ratio: 1.5", "\"drop_ratio\" must be from 0 to 1, is 1.5"),
    ("type: move, from: attributes, to: body", "a field of attributes is needed here, not all of them"),
    ("type: router, routes: [], output: x", "\"routes\" must not be empty"),
    ("type: remove, field: $body.x", "a field no longer begins with a dollar sign"),
  ])
  func `settings that cannot work are refused`(config: String, message: String) throws {
    let (list, diagnostics) = try Operators.decode("- {\(config)}\n")
    #expect(list == nil && diagnostics.all.contains { $0.message == message }, "\(diagnostics.render())")
  }

  @Test func `a mistake in an expression is shown within it`() throws {
    let (_, diagnostics) = try Operators.decode("- {type: add, field: body.x, value: 'EXPR(body.a +)'}\n")
    #expect(diagnostics.all.first?.location?.line == 2)
    #expect(diagnostics.all.first?.location?.column ?? 0 >= 43, "\(diagnostics.render())")
  }

  /// An entry of random maps, lists and scalars.
  static func randomLiteral(_ random: inout SeededGenerator, depth: Int) -> String {
    switch Int.random(in: 0..<(depth > 0 ? 6 : 3), using: &random) {
    case 0: return "\(Int.random(in: -9...9, using: &random))"
    case 1: return "\"t\(Int.random(in: 0...9, using: &random))\""
    case 2: return "true"
    case 3:
      return "["
        + (0..<Int.random(in: 0...3, using: &random)).map { _ in randomLiteral(&random, depth: depth - 1) }
        .joined(separator: ",") + "]"
    default:
      let keys = ["a", "b", "c", "d"].shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random))
      return "{" + keys.map { "\"\($0)\":" + randomLiteral(&random, depth: depth - 1) }.joined(separator: ",")
        + "}"
    }
  }

  @Test func `moving back and forth, copying and retaining all change nothing`() throws {
    var random = SeededGenerator(5)
    for _ in 0..<300 {
      let value = Self.randomLiteral(&random, depth: 3)
      let entry = try LogEntry("{body: {x: \(value), a: 1}, attributes: {k: 1}}")
      for steps in [
        "- {type: move, from: body.x, to: attributes.y.z}\n- {type: move, from: attributes.y.z, to: body.x}\n- {type: remove, field: attributes.y}\n",
        "- {type: copy, from: body.x, to: attributes.y}\n- {type: remove, field: body.x}\n- {type: move, from: attributes.y, to: body.x}\n",
        "- {type: retain, fields: [body.x, body.a, attributes.k]}\n",
        "- {type: copy, from: body, to: body.c}\n- {type: remove, field: body.c}\n",
        "- {type: move, from: body, to: body.w}\n- {type: flatten, field: body.w}\n",
      ] {
        var copy = LogEntry()
        copy.replace(with: entry)
        let graph = try Operators.graph(steps)
        var result: LogEntry?
        graph.process(&copy) { result = $0 }
        let (before, after) = (try Self.sorted(entry), try Self.sorted(try #require(result)))
        #expect(before == after, "\(steps)")
      }
    }
  }

  /// Body and attributes, with the keys of the body's top in order.
  static func sorted(_ entry: LogEntry) throws -> [String] {
    let chain = try #require(entry.body.chain)
    var lines: [String] = []
    entry.forEach(in: chain) { lines.append(entry.string($0) + entry.json($1)) }
    return lines.sorted() + [entry.attributesJSON]
  }

  @Test(arguments: [
    (#""a\tb""#, "a\tb"), (#""\x41\101\u00e9\U0001F600""#, "AAé😀"), (#"'x'"#, "x"), (#"'\''"#, "'"),
    ("`a\\n\r`", "a\\n"),
    (#""\"""#, "\""), ("\"\"", ""), ("``", ""), (#""\xff""#, "\u{FFFD}"), ("'ü'", "ü"),
    ("''", nil), ("'ab'", nil), (#""\'""#, nil), (#""a"b""#, nil), ("\"a\nb\"", nil), (#""\400""#, nil),
    (#""\ud800""#, nil),
    (#""\x4""#, nil), ("\"a", nil), ("\"", nil), ("a", nil), ("`a`b`", nil), (#""\"#, nil),
  ])
  func `quotes are taken off as Go does`(text: String, content: String?) {
    #expect(GoQuotation.content(of: text.utf8.span).map { String(decoding: $0, as: UTF8.self) } == content)
  }

  @Test(
    arguments: [
      ([0x61, 0xFF, 0xFE, 0x62], "a\u{FFFD}b"), ([0xE2, 0x82], "\u{FFFD}"),
      ([0xE2, 0x82, 0x61, 0xC0], "\u{FFFD}a\u{FFFD}"),
      ([0x61, 0x62], "ab"), ([0xFF], "\u{FFFD}"), ([0xFF, 0xC3, 0xBC], "\u{FFFD}ü"),
      ([0xED, 0xA0, 0x80, 0x2E], "\u{FFFD}."),
    ] as [([UInt8], String)])
  func `each run of bytes that are no UTF-8 becomes one character`(bytes: [UInt8], text: String) throws {
    var entry = LogEntry()
    entry.body = .string(entry.add(bytes.span))
    try UTF8Sanitizer(field: FieldPath(.body)).apply(&entry)
    #expect(entry.string(entry.body.range) == text)
  }
}
