// swift-tools-version: 6.2
import PackageDescription

/// Measures of single operations of WireFormat, TelemetryData, PrometheusData, TraceFormats and LogData, in a package of
/// its own: it replaces `malloc` to count allocations, and the library needs nothing of it.
let package = Package(
  name: "millrace-bench",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "millrace", path: "../..")],
  targets: [
    .target(name: "CMeasure"),
    .executableTarget(
      name: "Micro",
      dependencies: [
        "CMeasure", .product(name: "TelemetryData", package: "millrace"),
        .product(name: "WireFormat", package: "millrace"),
        // `package` declarations end at the root package; `@testable` reaches them (micro.py passes -enable-testing).
        .product(name: "PrometheusData", package: "millrace"),
        .product(name: "TraceFormats", package: "millrace"),
        .product(name: "LogData", package: "millrace"),
        .product(name: "ConfigSchema", package: "millrace"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableExperimentalFeature("Lifetimes"),
        .treatAllWarnings(as: .error),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
