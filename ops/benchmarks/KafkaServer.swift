import Broker
import Foundation

/// The benchmark's own Kafka, started by `ops/kafka`.
struct KafkaServer: Sendable {
  private let folder: String
  let bootstrap: String
  let pid: Int32

  /// One with nothing in it: what was there before is gone.
  ///
  /// - Throws: `Failure` with the reason, where none is at hand too.
  static func fresh() async throws -> KafkaServer {
    let home = ProcessInfo.processInfo.environment["DOS_HOME"] ?? ""
    try expect(!home.isEmpty, "run ops/bench, which says where a Kafka may keep its data")
    let folder = home + "/kafka"
    await stop(folder)
    let bootstrap = try await Command.output("ops/kafka", ["start", folder]).split(separator: "\n").last.map(String.init) ?? ""
    let pid = Int32(try await Command.output("ops/kafka", ["pid", folder]).trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    return KafkaServer(folder: folder, bootstrap: bootstrap, pid: pid)
  }

  func stop() async { await Self.stop(folder) }

  private static func stop(_ folder: String) async {
    _ = try? await Command.output("ops/kafka", ["stop", folder])
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// What Kafka's own producer of its performance tests does, in records of that many bytes; nil where its programs are not at hand.
  func produced(records: Int, bytes: Int) async throws -> Double? {
    let topic = "bench-\(bytes)"
    let broker = try KafkaBroker.open(KafkaSettings(bootstrap: bootstrap))
    try await broker.declare([.bench(topic)])
    await broker.close()
    let output = try? await Command.output(
      "ops/kafka",
      [
        "tool", "org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", "\(records)", "--record-size", "\(bytes)", "--throughput",
        "-1",
        "--producer-props", "bootstrap.servers=\(bootstrap)", "acks=all", "compression.type=lz4",
      ])
    // "200000 records sent, 173010.4 records/sec (33.00 MB/sec), ..."
    return output?.split(separator: "\n").last?.split(separator: ",").dropFirst().first.flatMap { Double($0.split(separator: " ").first ?? "") }
  }
}

extension Topic {
  /// One for measures alone.
  static func bench(_ name: String) -> Topic {
    Topic(name: name, visibility: .internal, governance: Governance(owner: "bench", purpose: "bench", legalBasis: "none", successor: "nobody"))
  }
}
