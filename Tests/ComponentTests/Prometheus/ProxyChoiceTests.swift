import ConfigSchema
import Testing

@testable import Receivers

/// Which requests go through a proxy.
@Suite struct ProxyChoiceTests {
  private func choice(_ exceptions: String) -> ProxyChoice {
    var config = PrometheusHTTPConfig.ProxyConfig()
    config.url = "http://proxy:3128"
    config.exceptions = exceptions
    return ProxyChoice(config)
  }

  @Test(arguments: [
    ("", "http://a/", true), ("*", "http://a/", false), ("a", "http://a/", false),
    ("a", "http://x.a:80/", false),
    ("a", "http://xa/", true), (".a", "http://a/", true), (".a", "http://x.a/", false),
    ("*.a", "http://x.a/", false),
    ("b,a:8080", "http://a/", true), ("b, a:8080", "http://a:8080/x", false), ("a:443", "https://A/", false),
    ("10.0.0.0/8", "http://10.1.2.3:9/", false), ("10.0.0.0/8", "http://11.1.2.3/", true),
    ("::1", "http://[::1]:9/", false), ("fd00::/8", "http://[fd12::3]/", false),
    ("10.1.2.3", "http://10.1.2.3/", false),
    ("", "http+unix://%2Fx/", false), ("10.0.0.0/33", "http://10.0.0.1/", true),
  ])
  func `exceptions are those of Go's proxies`(exceptions: String, url: String, isProxied: Bool) {
    #expect((choice(exceptions).proxy(for: url) != nil) == isProxied)
  }

  @Test func `the environment names proxies by scheme`() {
    var config = PrometheusHTTPConfig.ProxyConfig()
    config.isFromEnvironment = true
    let choice = ProxyChoice(
      config,
      environment: ConfigEnvironment(variables: [
        "HTTP_PROXY": "p:1", "https_proxy": "http://q:2", "NO_PROXY": "inside",
      ]))
    #expect(choice.proxy(for: "http://a/") == "http://p:1")
    #expect(choice.proxy(for: "https://a/") == "http://q:2")
    #expect(choice.proxy(for: "https://inside/") == nil)
    #expect(choice.proxy(for: "http://localhost:9090/") == nil)
    #expect(choice.proxy(for: "http://127.0.0.2/") == nil)
    #expect(ProxyChoice(config, environment: ConfigEnvironment()).proxy(for: "http://a/") == nil)
  }
}
