// swift-tools-version: 6.2
import PackageDescription

/// Settings of every source target: strict concurrency, explicit imports, and memory safety that must be spelled out.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// Test targets: the same, without `strictMemorySafety`, which `#expect` trips.
let relaxed: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
  .treatAllWarnings(as: .error),
]

let nio = "swift-nio"
let package = Package(
  name: "millrace",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "millrace", targets: ["Millrace"]),
    .library(name: "WireFormat", targets: ["WireFormat"]),
    .library(name: "TelemetryData", targets: ["TelemetryData"]),
    .library(name: "ConfigSchema", targets: ["ConfigSchema"]),
    .library(name: "PipelineKit", targets: ["PipelineKit"]),
    // For the measures in Tests/Bench, likewise through `@testable`.
    .library(name: "PrometheusData", targets: ["PrometheusData"]),
    .library(name: "TraceFormats", targets: ["TraceFormats"]),
    .library(name: "LogData", targets: ["LogData", "NativeCodecs", "TimeFormats"]),
    // For the fuzzers in Tests/Fuzz, which see the inside of these modules through `@testable`.
    .library(
      name: "MillraceInside",
      targets: [
        "Transport", "NativeCodecs", "PrometheusData", "TraceFormats", "LogData", "Storage", "Engine",
        "Console", "Receivers",
        "Processors",
        "Exporters", "Extensions", "TimeFormats", "LogData",
      ]),
  ],
  dependencies: [
    // Event loops and sockets of every server and client.
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    // HTTP/2 framing under our gRPC server and client.
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    // TLS of every server and client.
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    // Pooled HTTP/1.1 client of the exporters.
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    // YAML parser with positions.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // SQLite under the durable queues and checkpoints.
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    // Command line, help texts and completions.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Log front end; the console and JSON handlers are ours.
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    // Deques of the engine's channels.
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
  ],
  targets: [
    // Doors to C: one shim per system library.
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CSnappy", providers: [.apt(["libsnappy-dev"])]),
    .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
    .systemLibrary(name: "CMessageDigest", providers: [.apt(["libmd-dev"])]),
    .systemLibrary(name: "CResolver"),
    .systemLibrary(name: "CIconv"),
    // RE2 speaks C++: the door gives it C functions.
    .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
    // What the C library hides from Swift: eventfd, many datagrams with one call.
    .target(name: "CLinux"),

    // Ground floor: no telemetry words.
    .target(name: "WireFormat", swiftSettings: strict),
    .target(name: "TimeFormats", swiftSettings: strict),
    .target(
      name: "NativeCodecs",
      dependencies: [
        "CZlib", "CZstd", "CSnappy", "CMalloc", "CCrypt", "CMessageDigest", "CRE2", "CResolver",
        "CIconv", "CLinux",
      ],
      swiftSettings: strict),
    .target(name: "ConfigSchema", dependencies: ["NativeCodecs", "Yams"], swiftSettings: strict),

    // First floor: what flows, and what a component is.
    .target(name: "TelemetryData", dependencies: ["WireFormat"], swiftSettings: strict),
    .target(
      name: "PipelineKit",
      dependencies: ["TelemetryData", "ConfigSchema", .product(name: "Logging", package: "swift-log")],
      swiftSettings: strict),

    // Second floor: how bytes come and go.
    .target(
      name: "Transport",
      dependencies: [
        "ConfigSchema", "NativeCodecs", "PipelineKit", "TimeFormats",
        .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
        .product(name: "NIOHTTP1", package: nio), .product(name: "NIOConcurrencyHelpers", package: nio),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOTLS", package: nio),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    .target(
      name: "Storage",
      dependencies: [
        .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: strict),

    .target(
      name: "PrometheusData", dependencies: ["TelemetryData", "WireFormat", "NativeCodecs"],
      swiftSettings: strict),

    .target(
      name: "TraceFormats", dependencies: ["TelemetryData", "WireFormat"],
      swiftSettings: strict),

    .target(
      name: "LogData",
      dependencies: ["WireFormat", "TelemetryData", "NativeCodecs", "ConfigSchema", "TimeFormats"],
      swiftSettings: strict),

    // Third floor: the components, one folder each.
    .target(
      name: "Receivers",
      dependencies: [
        "PipelineKit", "TelemetryData", "ConfigSchema", "Transport", "NativeCodecs",
        "PrometheusData", "LogData", "TraceFormats", "WireFormat",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(
      name: "Processors",
      dependencies: [
        "PipelineKit", "TelemetryData", "ConfigSchema", "WireFormat", "NativeCodecs", "TimeFormats",
        "Transport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(
      name: "Exporters",
      dependencies: [
        "PipelineKit", "TelemetryData", "WireFormat", "ConfigSchema", "Transport", "NativeCodecs",
        "PrometheusData", "TimeFormats", "TraceFormats",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(
      name: "Extensions",
      dependencies: [
        "PipelineKit", "TelemetryData", "ConfigSchema", "Transport", "Storage", "NativeCodecs",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    // Side: plans the graph, owns the channels, runs, drains, accounts.
    .target(
      name: "Engine",
      dependencies: [
        "PipelineKit", "TelemetryData", "ConfigSchema",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    // Roof: what the collector says about itself.
    .target(
      name: "Console",
      dependencies: [
        "Engine", "PipelineKit", "TelemetryData", "ConfigSchema", "Transport", "TimeFormats",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    // Door: the command, and the one list of components.
    .executableTarget(
      name: "Millrace",
      dependencies: [
        "Receivers", "Processors", "Exporters", "Extensions", "Engine", "Console", "PipelineKit",
        "TelemetryData", "ConfigSchema", "NativeCodecs",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["Millrace.docc"],
      swiftSettings: strict,
      linkerSettings: [
        // Packed relocations (glibc 2.36 and later): five megabytes less are read at the start and stay resident.
        .unsafeFlags(
          ["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"],
          .when(platforms: [.linux], configuration: .release))
      ]),

    // Tests only.
    .target(name: "SeededRandom", swiftSettings: strict),
    .target(
      name: "PipelineTestKit",
      dependencies: [
        "PipelineKit", "Engine", "TelemetryData", "ConfigSchema",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(name: "WireFormatTests", dependencies: ["WireFormat"], swiftSettings: relaxed),
    .testTarget(
      name: "TelemetryDataTests", dependencies: ["SeededRandom", "TelemetryData", "WireFormat"],
      exclude: ["Fixtures", "JSONFixtures"], swiftSettings: relaxed),
    .testTarget(
      name: "NativeCodecsTests", dependencies: ["SeededRandom", "NativeCodecs"], swiftSettings: relaxed),
    .testTarget(
      name: "ConfigSchemaTests", dependencies: ["ConfigSchema", "NativeCodecs"], exclude: ["Golden"],
      swiftSettings: relaxed),
    .testTarget(
      name: "PipelineKitTests",
      dependencies: ["PipelineKit", "TelemetryData", .product(name: "Logging", package: "swift-log")],
      swiftSettings: relaxed),
    .testTarget(
      name: "TransportTests",
      dependencies: [
        "Transport", "NativeCodecs", "ConfigSchema", "PipelineKit",
        .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
        .product(name: "NIOHTTP1", package: nio),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: relaxed),
    .testTarget(
      name: "PrometheusDataTests",
      dependencies: ["SeededRandom", "PrometheusData", "TelemetryData", "WireFormat", "NativeCodecs"],
      exclude: ["Fixtures", "RemoteWriteBodies"],
      swiftSettings: relaxed),
    .testTarget(
      name: "TraceFormatsTests",
      dependencies: ["SeededRandom", "TraceFormats", "TelemetryData", "WireFormat"],
      swiftSettings: relaxed),
    .testTarget(
      name: "TimeFormatsTests", dependencies: ["SeededRandom", "TimeFormats"], swiftSettings: relaxed),
    .testTarget(
      name: "LogDataTests",
      dependencies: [
        "SeededRandom", "LogData", "TimeFormats", "WireFormat", "TelemetryData", "NativeCodecs",
        "ConfigSchema",
      ],
      swiftSettings: relaxed),
    .testTarget(name: "StorageTests", dependencies: ["SeededRandom", "Storage"], swiftSettings: relaxed),
    .testTarget(
      name: "EngineTests",
      dependencies: [
        "SeededRandom", "Engine", "PipelineKit", "TelemetryData", "ConfigSchema", "PipelineTestKit",
      ],
      swiftSettings: relaxed),
    .testTarget(
      name: "ComponentTests",
      dependencies: [
        "SeededRandom",
        "Receivers", "Processors", "Exporters", "Extensions", "Engine", "PipelineKit", "TelemetryData",
        "ConfigSchema", "PipelineTestKit", "Transport", "Storage", "NativeCodecs", "WireFormat",
        "PrometheusData",
        .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["Golden", "LogInput/Programs"],
      swiftSettings: relaxed),
    .testTarget(
      name: "ProcessorTests",
      dependencies: [
        "SeededRandom", "Processors", "PipelineKit", "TelemetryData", "ConfigSchema", "PipelineTestKit",
        "TimeFormats",
      ],
      swiftSettings: relaxed),
    .testTarget(
      name: "FuzzTests",
      dependencies: [
        "TelemetryData", "WireFormat", "NativeCodecs", "ConfigSchema", "PipelineKit", "Transport", "Storage",
        "PrometheusData", "TraceFormats", "LogData",
        "Engine",
        "Receivers", "Processors", "Exporters", "Extensions", "Millrace", "TimeFormats",
        .product(name: "NIOCore", package: nio), .product(name: "NIOEmbedded", package: nio),
        .product(name: "NIOHTTP1", package: nio), .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: relaxed),
    .testTarget(
      name: "MillraceTests",
      dependencies: ["Millrace", "PipelineTestKit", "Engine", "PipelineKit", "ConfigSchema"],
      swiftSettings: relaxed),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
