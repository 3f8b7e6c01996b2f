import ConfigSchema
import Testing

@testable import Transport

struct ClientConfigTests {
  struct TargetCase: Sendable {
    var endpoint: String
    var target: GRPCTarget?
  }

  static let targets: [TargetCase] = [
    TargetCase(
      endpoint: "backend:4317",
      target: GRPCTarget(address: .host("backend", port: 4317), authority: "backend:4317", scheme: nil)),
    TargetCase(
      endpoint: "http://backend:4317",
      target: GRPCTarget(address: .host("backend", port: 4317), authority: "backend:4317", scheme: .http)),
    TargetCase(
      endpoint: "https://backend:4317/",
      target: GRPCTarget(address: .host("backend", port: 4317), authority: "backend:4317", scheme: .https)),
    TargetCase(
      endpoint: "dns:///backend:4317",
      target: GRPCTarget(address: .host("backend", port: 4317), authority: "backend:4317", scheme: nil)),
    TargetCase(
      endpoint: "[::1]:4317",
      target: GRPCTarget(address: .host("::1", port: 4317), authority: "[::1]:4317", scheme: nil)),
    TargetCase(
      endpoint: "unix:///run/otlp.sock",
      target: GRPCTarget(address: .unix(path: "/run/otlp.sock"), authority: "localhost", scheme: nil)),
    TargetCase(
      endpoint: "unix:otlp.sock",
      target: GRPCTarget(address: .unix(path: "otlp.sock"), authority: "localhost", scheme: nil)),
    TargetCase(endpoint: "", target: nil),
    TargetCase(endpoint: "backend", target: nil),
    TargetCase(endpoint: "ftp://backend:1", target: nil),
    TargetCase(endpoint: "dns://1.1.1.1/backend:1", target: nil),
    TargetCase(endpoint: "backend:99999", target: nil),
  ]

  @Test(arguments: targets)
  func `gRPC endpoints are read with and without schemes`(_ sample: TargetCase) {
    #expect((try? GRPCTarget.parse(sample.endpoint).get()) == sample.target)
  }

  @Test func `grpc-timeout has at most eight digits and never rounds down`() {
    #expect(GRPCStatusFields.timeout(nanoseconds: 0) == "1n")
    #expect(GRPCStatusFields.timeout(nanoseconds: 99_999_999) == "99999999n")
    #expect(GRPCStatusFields.timeout(nanoseconds: 100_000_001) == "100001u")
    #expect(GRPCStatusFields.timeout(nanoseconds: 5_000_000_000) == "5000000u")
    #expect(GRPCStatusFields.timeout(nanoseconds: 3_600_000_000_000) == "3600000m")
    for nanoseconds in [1, 999, 123_456_789, 98_765_432_109_876, Int64.max] as [Int64] {
      let text = GRPCStatusFields.timeout(nanoseconds: nanoseconds)
      #expect(text.count <= 9)
      if nanoseconds < .max { #expect((GRPCText.timeoutNanoseconds(text) ?? 0) >= nanoseconds) }
    }
  }

  @Test func `proxy URLs are read`() {
    let proxy = ProxyAddress("http://me:s%3Acret@proxy:3128/")
    #expect(
      proxy?.host == "proxy" && proxy?.port == 3128 && proxy?.user == "me" && proxy?.password == "s:cret")
    #expect(ProxyAddress("http://proxy")?.port == 80)
    #expect(ProxyAddress("http://proxy")?.user == nil)
    #expect(ProxyAddress("socks5://proxy:1080") == nil)
    #expect(ProxyAddress("proxy:3128") == nil)
  }
}
