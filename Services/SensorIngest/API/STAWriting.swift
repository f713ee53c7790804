import Broker
import EventSourcing
import HTTP
import JSON
import ServiceKit
import SensorDomain
import Time

/// Writing to the registry: what a request decides is one append, and a command that is repeated with its key gets the first outcome.
extension STAService {
  /// What a write answers: the entity it is about, or nothing.
  struct Written {
    var status: Int
    var type: STAEntityType?
    var id: Int64 = 0
    /// The entity's values, where they stand in no stream of its own.
    var values: [(String, FreeValue?)]?
  }

  typealias Decide = @Sendable (inout RegistryCommands, JSONValue) async throws -> Written

  /// How often a write is decided anew when others changed what it was decided by.
  private static let attempts = 5

  /// - Parameter takesBody: whether the request must have one; the decision gets an empty object otherwise.
  func write(_ request: Request, takesBody: Bool, _ decide: Decide) async throws -> Response {
    try await STAProblems.translated {
      let body = takesBody ? try JSONValue(parsing: request.body) : .object([:])
      let (outcome, positions) = try await perform(request, body, decide)
      var response = outcome.response
      DOSPosition.write(positions, to: &response)
      return response
    }
  }

  /// Registers the feature of interest that a reading brings along.
  func registerFeature(_ value: JSONValue, for request: Request) async throws -> Int64 {
    try await STAProblems.translated {
      let roles = request.caller?.roles ?? []
      guard roles.contains("sensor-operator") || roles.contains("administrator") else {
        throw Problem.forbidden("Only sensor-operator and administrator register a FeatureOfInterest; name one that is there by its @iot.id.")
      }
      return try await perform(request, value) { commands, value in
        Written(status: 201, type: .featureOfInterest, id: try await commands.register(FeatureOfInterest.self, value, path: "FeatureOfInterest"))
      }.outcome.id
    }
  }

  private func perform(_ request: Request, _ body: JSONValue, _ decide: Decide) async throws -> (outcome: WriteOutcome, positions: [BrokerPosition]) {
    try body.refuseNullCharacter()
    let key = request.idempotencyKey.map {
      IdempotencyKey(caller: request.caller?.id ?? "", method: request.method.rawValue, path: request.path, key: $0, body: request.body)
    }
    // Before anything is decided: a repeat meets the state that it made itself, which may refuse it.
    if let key, let first = try await journal.remembered(key) { return try await repeated(first, request) }
    for attempt in 1... {
      do {
        var commands = RegistryCommands(unit: RegistryUnit(journal), ids: ids, time: clock(), settings: settings, caller: request.caller)
        let written = try await decide(&commands, body)
        return try await append(commands, written, request, key)
      } catch JournalError.conflict where attempt < Self.attempts {
        continue
      } catch {
        // The same command may have been carried out meanwhile, and this one be refused for what it did.
        if !(error is RecordingFailed), let key, let first = try await journal.remembered(key) { return try await repeated(first, request) }
        throw error
      }
    }
    throw Problem.unavailable("Others keep changing the same entity. Try again.")
  }

  private func append(
    _ commands: RegistryCommands, _ written: Written, _ request: Request, _ key: IdempotencyKey?
  ) async throws -> (outcome: WriteOutcome, positions: [BrokerPosition]) {
    let unit = commands.unit
    let facts = try await readings.number(commands.readings)
    let outcome = try WriteOutcome(written, unit, facts: facts, root: root(request))
    let context = EventContext(time: commands.time, correlationID: request.correlationID, traceparent: request.traceparent)
    let appended = try await journal.append(unit.writes(), partition: 0, idempotency: key, outcome: outcome.bytes, context: context)
    if appended.repeated { return try await repeated(appended, request) }
    let events = unit.events
    registry.forget(events.compactMap(\.datastream))
    if events.contains(where: \.movesSomething) { registry.forgetAll() }
    var positions = self.positions(appended)
    let known = Dictionary(commands.readings.map { ($0.datastream.id, $0.datastream) }) { first, _ in first }
    positions += try await record(outcome, known, request)
    return (outcome, positions)
  }

  /// What the first one came to. Readings that came with it and did not get there are recorded now.
  private func repeated(_ appended: Appended, _ request: Request) async throws -> (outcome: WriteOutcome, positions: [BrokerPosition]) {
    let outcome = try WriteOutcome(appended.outcome)
    return (outcome, positions(appended) + (try await record(outcome, [:], request)))
  }

  /// The registry comes first: readings of a datastream that nobody knows would be lost.
  private func record(_ outcome: WriteOutcome, _ known: [Int64: RegisteredDatastream], _ request: Request) async throws -> [BrokerPosition] {
    guard !outcome.facts.isEmpty else { return [] }
    do {
      return try await readings.record(outcome.facts, known: known, for: request)
    } catch {
      throw RecordingFailed(location: outcome.location ?? "", datastreams: outcome.facts.map(\.datastream))
    }
  }

  private func positions(_ appended: Appended) -> [BrokerPosition] {
    appended.positions.last.map { [BrokerPosition(topic: journal.topic.name, partition: $0.partition, offset: $0.offset)] } ?? []
  }
}

/// What was to be registered is, and the readings that came with it are not.
struct RecordingFailed: Error {
  let location: String
  let datastreams: [Int64]

  var problem: Problem {
    let addresses = datastreams.map { "Datastreams(\($0))/Observations" }.joined(separator: ", ")
    return .unavailable(
      "\(location) is registered, but the broker does not take its Observations at the moment. Repeat the request with its Idempotency-Key, or post them to \(addresses).",
      retryAfter: 2)
  }
}
