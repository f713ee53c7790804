import Broker
import EventSourcing
import Postgres

/// Gives topics of facts more partitions, while nobody of the city runs.
public struct TopicGrowing: Sendable {
  /// Why nothing was done, and what would help.
  public enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    case unknown(topic: String, known: [String])
    case running(database: String, consumers: Int)

    public var description: String {
      switch self {
      case .unknown(let topic, let known): "no service has a topic \(topic); those of facts are \(known.joined(separator: ", "))"
      case .running(let database, let consumers):
        "\(consumers) of the city still work with the database \(database): stop every instance, wait three seconds, and ask again"
      }
    }
  }

  private let services: [any Service]
  private let settings: Settings
  private let log: Log

  /// - Parameter services: all of the city, since each may consume the others' topics.
  public init(_ services: [any Service], _ settings: Settings, log: Log) {
    self.services = services
    self.settings = settings
    self.log = log
  }

  /// Grows one topic. What was interrupted is finished by asking for the same again.
  /// - Returns: how many partitions it had.
  /// - Throws: `Refusal`, `BrokerError.cannotGrow`, `Databases.Unreachable`, `Databases.Missing`, `PostgresError`, `BrokerError`.
  public func grow(_ name: String, to count: Int) async throws -> Int {
    let topics = services.flatMap(\.topics)
    guard let topic = topics.first(where: { $0.name == name }) else {
      throw Refusal.unknown(topic: name, known: topics.filter { $0.governance.retention != .forever }.map(\.name))
    }
    let databases = Databases(settings, log: log)
    var pools: [(name: String, pool: PostgresPool)] = []
    let outcome: Result<Int, any Error>
    do {
      for service in services { pools.append((service.database, try await databases.open(service.database, size: 1))) }
      outcome = .success(try await grow(topic, to: count, pools, databases))
    } catch {
      outcome = .failure(error)
    }
    for (_, pool) in pools { await pool.close() }
    return try outcome.get()
  }

  private func grow(_ topic: Topic, to count: Int, _ pools: [(name: String, pool: PostgresPool)], _ databases: Databases) async throws -> Int {
    for (name, pool) in pools {
      let consumers = try await PartitionGrowth.consumers(in: pool)
      guard consumers == 0 else { throw Refusal.running(database: name, consumers: consumers) }
    }
    let broker = try await CityBroker.open(settings, databases, log: log)
    let outcome: Result<TopicGrown, any Error>
    do {
      outcome = .success(
        try await broker.grow(topic, to: count) { grown in for (_, pool) in pools { try await PartitionGrowth.place(grown, in: pool) } })
    } catch {
      outcome = .failure(error)
    }
    await broker.close()
    return try outcome.get().from
  }
}
