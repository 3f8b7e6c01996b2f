import PrometheusData
import Testing

struct ExpositionFloatTests {
  /// As Go's `strconv.FormatFloat(value, 'g', -1, 64)` writes them, with `.0` where there is neither point nor exponent.
  static let texts: [(value: Double, text: String)] = [
    (1, "1.0"), (0, "0.0"), (-0.0, "0.0"), (-1, "-1.0"), (0.5, "0.5"), (2.5, "2.5"), (10, "10.0"),
    (100_000, "100000.0"),
    (123_456, "123456.0"), (999_999.5, "999999.5"), (1_000_000, "1e+06"), (1_234_567, "1.234567e+06"),
    (1e21, "1e+21"),
    (1e100, "1e+100"), (0.0001, "0.0001"), (0.00012, "0.00012"), (0.00001, "1e-05"), (0.0000125, "1.25e-05"),
    (1e-100, "1e-100"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (0.1, "0.1"),
    (0.30000000000000004, "0.30000000000000004"),
    (.leastNonzeroMagnitude, "5e-324"), (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
    (-12.25, "-12.25"),
  ]

  @Test(arguments: texts)
  func `a number is written as Prometheus writes bounds`(value: Double, text: String) {
    #expect(ExpositionFloat.text(value) == text)
  }
}
