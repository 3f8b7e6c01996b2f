import SeededRandom

/// Makes patterns of RE2's syntax, and texts that they may match.
struct PatternGenerator {
  var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed) }

  /// A pattern, and a text made by following it: likely a match, but for assertions.
  mutating func pattern() -> (text: String, sample: [UInt8]) {
    let flags = random.chance(15) ? random.pick(["(?i)", "(?s)", "(?m)", "(?U)", "(?im)", "(?-s)"]) : ""
    let (text, sample) = alternatives(depth: 3)
    let start = random.chance(40) ? "^" : ""
    let end = random.chance(30) ? "$" : ""
    return (flags + start + text + end, sample)
  }

  /// Texts around a sample: itself, with something before and behind, with bytes changed, cut or doubled; and others.
  mutating func texts(around sample: [UInt8]) -> [[UInt8]] {
    var texts = [sample, noise() + sample + noise(), noise(), []]
    for _ in 0..<4 {
      var changed = sample
      for _ in 0...random.below(3) where !changed.isEmpty {
        let place = random.below(changed.count)
        switch random.below(4) {
        case 0: changed[place] = random.pick(Self.bytes)
        case 1: changed.remove(at: place)
        case 2: changed.insert(contentsOf: random.pick(Self.pieces).utf8, at: place)
        default: changed.insert(changed[place], at: place)
        }
      }
      texts.append(changed)
    }
    texts.append(sample + sample)
    return texts
  }

  private static let pieces = [
    "a", "b", "c", "ab", "k", "s", "K", "S", "1", "23", " ", "  ", "-", "\"", "\n", "é", "€", "😀", "\u{17F}",
    "\u{212A}", "[", "]", "_", "\t", "\u{B}", "\0", "aaaaaaaaaaaaaaaa", "------------", "\u{7FF}\u{800}",
    "\u{FFFF}",
  ]
  private static let bytes: [UInt8] = [
    0x61, 0x62, 0x20, 0x22, 0x0A, 0x80, 0xBF, 0xC0, 0xC3, 0xE2, 0xED, 0xA0, 0xF0, 0xF4, 0xF5, 0xFF, 0x31,
  ]

  mutating func noise() -> [UInt8] {
    (0..<random.below(5)).flatMap { _ in
      random.chance(85) ? Array(random.pick(Self.pieces).utf8) : [random.pick(Self.bytes)]
    }
  }

  /// What a part looks like, and texts that it takes.
  private static let atoms: [(String, [String])] = [
    ("a", ["a"]), ("b", ["b"]), ("c", ["c"]), (" ", [" "]), ("-", ["-"]), ("\"", ["\""]), ("\\n", ["\n"]),
    ("é", ["é"]), ("€", ["€"]), ("😀", ["😀"]), (".", ["a", "é", "€", "😀", "\""]), ("\\S", ["a", "€", "]"]),
    ("\\s", [" ", "\t", "\n"]), ("\\d", ["1", "2"]), ("\\D", ["x", "é"]), ("\\w", ["a", "_", "1"]),
    ("\\W", [" ", "é"]), ("[^\"]", ["a", "é", "\n"]), ("[abc]", ["a", "b"]), ("[a-c1-3]", ["c", "2"]),
    ("[^a]", ["b", "€"]), ("[^é]", ["a", "è"]), ("[à-ü]", ["é", "ü"]), ("[^\\s\"]", ["a", "]"]),
    ("[[:alpha:]]", ["a", "Z"]), ("[[:^digit:]-]", ["a", "-"]), ("[]a]", ["]", "a"]),
    ("[\\]\\-]", ["]", "-"]),
    ("[^[:space:]]", ["a", "é"]), ("\\x{20AC}", ["€"]), ("[\\x{7F}-\\x{801}]", ["é", "\u{7FF}", "\u{800}"]),
    ("[€-😀]", ["€", "\u{FFFF}"]), ("[^\\x00-\\x7F]", ["é", "€"]), ("\\[", ["["]), ("\\x41", ["A"]),
    ("\\.", ["."]), ("k", ["k"]), ("s", ["s"]), ("[k-t]", ["k", "s"]), ("[^ -~]", ["é", "\t"]),
    ("\\pL", ["é"]), ("[\\d-]", ["-", "7"]), ("\\141", ["a"]), ("[^\\W]", ["a"]), ("ab", ["ab"]),
    ("a{2", ["a{2"]), ("\\t", ["\t"]), ("\\v", ["\u{B}"]), ("[\\x{10000}-\\x{10FFFF}]", ["😀"]),
  ]

  private mutating func atom(depth: Int) -> (String, [UInt8]) {
    if depth > 0, random.chance(35) {
      let (text, sample) = alternatives(depth: depth - 1)
      let opening = random.pick(["(", "(", "(?:", "(?P<n\(random.below(1_000_000_000))>", "(?i:", "(?s-m:"])
      return (opening + text + ")", sample)
    }
    if random.chance(8) {
      return (random.pick(["^", "$", "\\b", "\\B", "\\A", "\\z", "(?m:^)", "(?m:$)"]), [])
    }
    let (text, samples) = random.pick(Self.atoms)
    return (text, Array(random.pick(samples).utf8))
  }

  private mutating func quantified(depth: Int) -> (String, [UInt8]) {
    let (text, sample) = atom(depth: depth)
    guard random.chance(45) else { return (text, sample) }
    let (quantifier, least, most) = random.pick([
      ("*", 0, 4), ("+", 1, 4), ("?", 0, 1), ("{2}", 2, 2), ("{1,3}", 1, 3), ("{0,2}", 0, 2), ("{2,}", 2, 5),
      ("{0}", 0, 0), ("{1}", 1, 1), ("{,2}", 1, 1),
    ])
    let count = least + random.below(most - least + 1)
    let repeated = (0..<count).flatMap { _ in sample }
    return (text + quantifier + (random.chance(30) ? "?" : ""), repeated)
  }

  private mutating func sequence(depth: Int) -> (String, [UInt8]) {
    var (text, sample) = ("", [UInt8]())
    for _ in 0..<random.below(5) {
      let part = quantified(depth: depth)
      text += part.0
      sample += part.1
    }
    return (text, sample)
  }

  private mutating func alternatives(depth: Int) -> (String, [UInt8]) {
    let first = sequence(depth: depth)
    guard random.chance(20) else { return first }
    let second = sequence(depth: depth)
    return (first.0 + "|" + second.0, random.chance(50) ? first.1 : second.1)
  }
}
