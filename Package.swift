// swift-tools-version: 6.2
import PackageDescription

/// C and C++ libraries come from the distribution; no package is fetched from elsewhere.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
let cxxWarnings: [CXXSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]

/// A Swift target of the house: Swift 6 mode, no warnings.
func part(_ name: String, _ path: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: strict)
}

/// The C target that puts a folder's files into the binary (C23 `#embed`).
func embedded(_ name: String, _ path: String) -> Target {
  .target(name: name, dependencies: ["CEmbedded"], path: path)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: strict)
}

func library(_ name: String, pkgConfig: String, package: String) -> Target {
  .systemLibrary(name: name, path: "Shared/CLibraries/\(name)", pkgConfig: pkgConfig, providers: [.apt([package])])
}

let package = Package(
  name: "dos2030",
  products: [.executable(name: "dos", targets: ["dos"])],
  targets: [
    library("CPostgreSQL", pkgConfig: "libpq", package: "libpq-dev"),
    library("CCurl", pkgConfig: "libcurl", package: "libcurl4-openssl-dev"),
    library("COpenSSL", pkgConfig: "libcrypto", package: "libssl-dev"),
    library("CKafka", pkgConfig: "rdkafka", package: "librdkafka-dev"),
    .target(name: "CEmbedded", path: "Shared/CLibraries/CEmbedded"),
    .systemLibrary(name: "CMalloc", path: "Shared/CLibraries/CMalloc"),

    part("Time", "Shared/Time"),
    .target(name: "CArrays", path: "Shared/JSON/Arrays", cxxSettings: cxxWarnings, linkerSettings: [.linkedLibrary("simdjson")]),
    part("JSON", "Shared/JSON", ["Time", "CArrays"], exclude: ["Arrays"]),
    part("Formats", "Shared/Formats", ["Time"]),
    part("Geo", "Shared/Geo"),
    part("Embedded", "Shared/Embedded", ["CEmbedded"]),
    part("Postgres", "Shared/Postgres", ["CPostgreSQL", "Time", "Embedded"]),
    part("Deciding", "Shared/Deciding", exclude: ["Testing"]),
    part("DecidingTesting", "Shared/Deciding/Testing", ["Deciding"]),
    embedded("BrokerEmbedded", "Shared/Broker/Embedded"),
    part("Broker", "Shared/Broker", ["Postgres", "CKafka", "Time", "JSON", "Embedded", "BrokerEmbedded"], exclude: ["Embedded", "Migrations"]),
    embedded("EventSourcingEmbedded", "Shared/EventSourcing/Embedded"),
    part(
      "EventSourcing", "Shared/EventSourcing", ["Deciding", "Postgres", "Broker", "Time", "JSON", "Embedded", "COpenSSL", "EventSourcingEmbedded"],
      exclude: ["Embedded", "Migrations"]),
    .target(
      name: "CConnections", path: "Shared/HTTP/Connections",
      cxxSettings: [.define("BOOST_ASIO_NO_DEPRECATED"), .define("BOOST_ALLOW_DEPRECATED_HEADERS")] + cxxWarnings),
    part("HTTP", "Shared/HTTP", ["CConnections", "CCurl", "JSON", "Time"], exclude: ["Connections"]),
    embedded("ServiceKitEmbedded", "Shared/ServiceKit/Embedded"),
    part(
      "ServiceKit", "Shared/ServiceKit",
      ["HTTP", "Postgres", "COpenSSL", "CMalloc", "EventSourcing", "Broker", "JSON", "Time", "Embedded", "ServiceKitEmbedded"],
      exclude: ["Embedded", "Migrations", "Pages/login.js"]),

    part("SensorDomain", "Services/SensorIngest/Domain", ["Deciding", "Geo", "Time"]),
    embedded("SensorEmbedded", "Services/SensorIngest/Embedded"),
    part(
      "SensorIngest", "Services/SensorIngest",
      ["SensorDomain", "SensorEmbedded", "ServiceKit", "EventSourcing", "Broker", "Postgres", "HTTP", "JSON", "Formats", "Geo", "Time", "Embedded"],
      exclude: ["Domain", "Embedded", "Migrations", "Pages"]),
    part("WarningDomain", "Services/Warning/Domain", ["Deciding", "Geo", "Time"]),
    part("CAP", "Services/Warning/CAP", ["Formats", "Geo", "Time"]),
    embedded("WarningEmbedded", "Services/Warning/Embedded"),
    part(
      "Warning", "Services/Warning",
      [
        "CAP", "WarningDomain", "WarningEmbedded", "ServiceKit", "EventSourcing", "Broker", "Postgres", "HTTP", "JSON", "Formats", "Geo", "Time", "Embedded",
        "Deciding",
      ],
      exclude: ["CAP", "Domain", "Embedded", "Migrations", "Pages", "Templates", "Areas/areas.json"]),
    .executableTarget(
      name: "dos", dependencies: ["SensorIngest", "Warning", "ServiceKit", "EventSourcing", "Broker", "Postgres", "HTTP", "JSON", "Formats", "Time"],
      path: "Services/dos", swiftSettings: strict),

    .systemLibrary(name: "CEpoll", path: "Shared/CLibraries/CEpoll"),
    // The load and the proofs of `ops/bench`; nothing that users get.
    .executableTarget(
      name: "Benchmarks", dependencies: ["CEpoll", "EventSourcing", "Broker", "Postgres", "HTTP", "JSON", "Time"], path: "ops/benchmarks", swiftSettings: strict
    ),

    .executableTarget(name: "EchoServer", dependencies: ["HTTP", "ServiceKit"], path: "Tests/EchoServer", swiftSettings: strict),
    part("TestSupport", "Tests/Support", ["Postgres", "Broker", "EventSourcing", "HTTP", "JSON", "Time"]),
    tests("TimeTests", ["Time"]),
    tests("JSONTests", ["JSON", "Time"]),
    tests("FormatsTests", ["Formats", "TestSupport"]),
    tests("GeoTests", ["Geo"]),
    tests("PostgresTests", ["Postgres", "TestSupport"]),
    tests("DecidingTests", ["Deciding", "DecidingTesting"]),
    tests("BrokerTests", ["Broker", "EventSourcing", "CKafka", "Postgres", "TestSupport"]),
    tests("EventSourcingTests", ["EventSourcing", "Deciding", "Broker", "Postgres", "TestSupport"]),
    tests("HTTPTests", ["HTTP", "TestSupport", "EchoServer"]),
    tests("ServiceKitTests", ["ServiceKit", "HTTP", "Postgres", "Broker", "JSON", "Time", "TestSupport"]),
    tests("SensorDomainTests", ["SensorDomain", "DecidingTesting"]),
    tests("SensorIngestTests", ["SensorIngest", "SensorDomain", "TestSupport"]),
    tests(
      "WarningTests",
      ["Warning", "WarningDomain", "CAP", "Deciding", "ServiceKit", "EventSourcing", "Broker", "Postgres", "HTTP", "JSON", "Geo", "Time", "TestSupport"]),
    tests("WarningDomainTests", ["WarningDomain", "DecidingTesting", "TestSupport"]),
    tests("CAPTests", ["CAP", "Formats", "Geo", "Time", "TestSupport"]),
    tests("DosTests", ["dos", "ServiceKit", "HTTP", "JSON", "TestSupport"]),
    tests("Scenarios", ["SensorIngest", "Warning", "WarningDomain", "CAP", "Broker", "ServiceKit", "HTTP", "JSON", "Postgres", "Time", "TestSupport", "dos"]),
  ],
  cLanguageStandard: .c2x,
  cxxLanguageStandard: .cxx17
)

// Fuzzers need code instrumented for them (`ops/fuzz` builds it): in an ordinary build there is nothing to link them with.
if Context.environment["DOS_FUZZ"] != nil {
  package.targets += [
    .executableTarget(
      name: "Fuzz", dependencies: ["CAP", "Formats", "HTTP", "JSON", "SensorIngest", "Time"], path: "Tests/Fuzz/Swift", swiftSettings: strict)
  ]
}
