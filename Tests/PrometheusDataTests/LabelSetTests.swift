import PrometheusData
import Testing

@Suite struct LabelSetTests {
  @Test func `labels are sorted by the bytes of their names`() {
    let labels = LabelSet([
      Label("b", "2"), Label("a", "1"), Label("B", "3"), Label("é", "4"), Label("z", "5"),
    ])
    #expect(labels.map(\.name) == ["B", "a", "b", "z", "é"])
  }

  @Test func `an empty value removes a label`() {
    var labels = LabelSet([Label("a", "1"), Label("b", "")])
    #expect(labels.count == 1)
    labels["a"] = ""
    #expect(labels.isEmpty)
    #expect(labels["a"] == nil)
  }

  @Test func `names that look alike but differ in bytes are two labels`() {
    let composed = "\u{e9}"
    let decomposed = "e\u{301}"
    let labels = LabelSet([Label(composed, "1"), Label(decomposed, "2")])
    #expect(labels.count == 2)
    #expect(labels[composed] == "1")
    #expect(Label(composed, "1") != Label(decomposed, "1"))
  }

  @Test func `a stale marker is one NaN among many`() {
    #expect(StaleMarker.value.isNaN)
    #expect(StaleMarker.isStale(StaleMarker.value))
    #expect(!StaleMarker.isStale(.nan))
  }
}
