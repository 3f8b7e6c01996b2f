// swift-tools-version: 6.2
import PackageDescription

/// The fuzzers of Millrace's parsers: a package of its own, so that nobody pays for it who does not fuzz.
///
/// `Tests/Fuzz/run` builds it with libFuzzer's instrumentation; without that it does not link.
let package = Package(
  name: "millrace-fuzz",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "millrace", path: "../.."),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .systemLibrary(name: "CFuzzer"),
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        "CFuzzer", .product(name: "TelemetryData", package: "millrace"),
        .product(name: "WireFormat", package: "millrace"),
        .product(name: "ConfigSchema", package: "millrace"),
        .product(name: "PipelineKit", package: "millrace"),
        // `package` declarations end at the root package. `@testable` reaches them and what is internal, so nothing has
        // to be made public for a fuzzer; the build passes -enable-testing (see `run`).
        .product(name: "MillraceInside", package: "millrace"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableExperimentalFeature("Lifetimes"),
        .treatAllWarnings(as: .error),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
