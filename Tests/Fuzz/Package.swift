// swift-tools-version: 6.2
import PackageDescription

/// The fuzzers of Millrace's parsers: a package of its own, so that nobody pays for it who does not fuzz.
///
/// `Tests/Fuzz/run` builds it with libFuzzer's instrumentation; without that it does not link.
let package = Package(
  name: "millrace-fuzz",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "millrace", path: "../..")],
  targets: [
    .systemLibrary(name: "CFuzzer"),
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        "CFuzzer", .product(name: "TelemetryData", package: "millrace"),
        .product(name: "WireFormat", package: "millrace"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableExperimentalFeature("Lifetimes"),
        .treatAllWarnings(as: .error),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
