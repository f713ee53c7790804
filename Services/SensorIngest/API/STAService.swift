import Broker
import EventSourcing
import HTTP
import JSON
import Postgres
import SensorDomain
import Time

/// What the resources of the registry's API share: reading through queries, writing as one append.
struct STAService: Sendable {
  let pool: PostgresPool
  let journal: Journal
  let ids: EntityIds
  let model: STAModel
  let registry: DatastreamRegistry
  let settings: RegistrySettings
  let clock: @Sendable () -> Instant
  /// Returns when the read models have what this process acknowledged before, after at most 250 ms; with positions, what the reader names.
  let caughtUp: @Sendable (_ positions: [BrokerPosition]) async throws -> Void

  /// Where the API lies; its addresses begin with it.
  static let prefix = "/sensors/v1.1"

  func root(_ request: Request) -> String { request.origin + Self.prefix }

  func reader(_ request: Request) -> STAReader {
    STAReader(model: model, pool: pool, viewer: STAViewer(request.caller), root: root(request))
  }

  /// The query's options; an option given twice is refused.
  func query(_ request: Request) throws -> STAQuery {
    var seen: Set<String> = []
    for item in request.query.items where !seen.insert(item.name).inserted {
      throw Problem.badRequest(path: item.name, problem: "given more than once", expected: "the option once")
    }
    return try STAQueryParser.parse(request.query.items.map { ($0.name, $0.value) })
  }

  // MARK: - Reading

  func collection(_ request: Request, _ type: STAEntityType, _ scope: STAReader.Scope) async throws -> Response {
    let query = try query(request)
    let root = root(request)
    let page = try await reader(request).page(type, scope, query)
    return .json(page.json(root: root, next: Self.next(request, query)))
  }

  func single(_ request: Request, _ type: STAEntityType, _ scope: STAReader.Scope) async throws -> Response {
    guard let entity = try await reader(request).entity(type, scope, query(request)) else { throw Self.absent(type, scope) }
    var writer = JSONWriter(capacity: 1_024)
    entity.write(to: &writer, root: root(request))
    return .json(writer.bytes)
  }

  static func absent(_ type: STAEntityType, _ scope: STAReader.Scope) -> Problem {
    switch scope {
    case .id(let id): .notFound("There is no \(type.name) \(id).")
    case .reached(let from, let id, let navigation): .notFound("There is no \(navigation.name) of \(from.name) \(id).")
    case .all: .notFound("There is no \(type.name).")
    }
  }

  /// The same address with the next `$skip`.
  private static func next(_ request: Request, _ query: STAQuery) -> String {
    let kept = request.query.items.filter { $0.name != "$skip" && $0.name != "$top" }
    var items = kept.map { "\($0.name)=\(encoded($0.value))" }
    items.append("$top=\(query.limit)")
    items.append("$skip=\(query.skip + query.limit)")
    let path = request.target.split(separator: "?", maxSplits: 1)[0]
    return request.origin + path + "?" + items.joined(separator: "&")
  }

  private static func encoded(_ text: String) -> String {
    var out = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        out.unicodeScalars.append(Unicode.Scalar(byte))
      case _ where "-._~$(),;=':@/".utf8.contains(byte): out.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let hex = String(byte, radix: 16, uppercase: true)
        out += "%" + (hex.count == 1 ? "0" : "") + hex
      }
    }
    return out
  }

  // MARK: - Writing

  /// What a write answers: the entity it is about, or nothing.
  struct Written {
    var status: Int
    var type: STAEntityType?
    var id: Int64 = 0
  }

  /// How often a write is decided anew when others changed what it was decided by.
  private static let attempts = 5

  func write(
    _ request: Request, _ decide: @Sendable (inout RegistryCommands, JSONValue) async throws -> Written
  ) async throws -> Response {
    try await STAProblems.translated {
      let body = request.body.isEmpty ? JSONValue.object([:]) : try JSONValue(parsing: request.body)
      for attempt in 1... {
        var commands = RegistryCommands(unit: RegistryUnit(journal), ids: ids, time: clock(), settings: settings, caller: request.caller)
        let written = try await decide(&commands, body)
        do {
          return try await append(commands.unit, written, request, commands.time)
        } catch JournalError.conflict where attempt < Self.attempts {
          continue
        }
      }
      throw Problem.unavailable("Others keep changing the same entity. Try again.")
    }
  }

  private func append(_ unit: RegistryUnit, _ written: Written, _ request: Request, _ time: Instant) async throws -> Response {
    let outcome = try Outcome(written, unit, root: root(request))
    let key = request.idempotencyKey.map {
      IdempotencyKey(caller: request.caller?.id ?? "", method: request.method.rawValue, path: request.path, key: $0, body: request.body)
    }
    let context = EventContext(time: time, correlationID: request.correlationID, traceparent: request.traceparent)
    let appended = try await journal.append(unit.writes(), partition: 0, idempotency: key, outcome: outcome.bytes, context: context)
    registry.forget(unit.events.compactMap(\.datastream))
    var response = try (appended.repeated ? Outcome(appended.outcome) : outcome).response
    if let last = appended.positions.last {
      DOSPosition.write([BrokerPosition(topic: journal.topic.name, partition: last.partition, offset: last.offset)], to: &response)
    }
    return response
  }

  /// Status, address and entity, as they are remembered with an idempotency key.
  private struct Outcome {
    let status: Int
    let location: String?
    let entity: [UInt8]

    init(_ written: Written, _ unit: RegistryUnit, root: String) throws {
      status = written.status
      guard let type = written.type else {
        (location, entity) = (nil, [])
        return
      }
      location = STAEntity.link(root, type, written.id)
      var writer = JSONWriter()
      try unit.entity(type, written.id).write(to: &writer, root: root)
      entity = writer.bytes
    }

    init(_ bytes: [UInt8]) throws {
      let value = try JSONValue(parsing: bytes)
      status = Int(value["status"]?.int ?? 200)
      location = value["location"]?.string
      entity = value["entity"]?.string.map { Array($0.utf8) } ?? []
    }

    /// The entity as a string within, so that a repeat is answered with the same bytes.
    var bytes: [UInt8] {
      var writer = JSONWriter()
      writer.object { writer in
        writer.key("status")
        writer.int(status)
        if let location {
          writer.key("location")
          writer.string(location)
          writer.key("entity")
          writer.string(String(decoding: entity, as: UTF8.self))
        }
      }
      return writer.bytes
    }

    var response: Response {
      guard let location else { return Response(status: status) }
      return status == 201 ? .created(location: location, json: entity) : .json(entity, status: status)
    }
  }
}

extension RegistryEvent {
  /// The datastream it is about, nil where it is about something else.
  var datastream: Int64? {
    switch self {
    case .datastream(.opened(let event)): event.id
    case .datastream(.changed(let event)): event.id
    case .datastream(.closed(let event)): event.id
    default: nil
    }
  }
}

extension RegistryUnit {
  /// An entity as it is after what was decided: the answer to a write does not wait for the read models.
  func entity(_ type: STAEntityType, _ id: Int64) throws -> STAEntity {
    var entity = STAEntity(type: type, id: id, shape: try STAShape(type, STAQuery()))
    for (name, value) in fields(type, id) {
      guard let value else { continue }
      entity.values.append((name, value.json.bytes))
    }
    return entity
  }

  private func fields(_ type: STAEntityType, _ id: Int64) -> [(String, FreeValue?)] {
    switch type.name {
    case "Thing":
      guard case .active(let thing, _)? = known(ThingDecider.self, id) else { return [] }
      return [("name", .string(thing.name)), ("description", .string(thing.description)), ("properties", thing.shownProperties)]
    case "Datastream":
      guard case .open(let stream)? = known(DatastreamDecider.self, id) else { return [] }
      return [
        ("name", .string(stream.name)), ("description", .string(stream.description)), ("unitOfMeasurement", stream.unitOfMeasurement.shown),
        ("observationType", .string(stream.observationType.rawValue)), ("properties", stream.shownProperties),
      ]
    case "Location": return entry(Location.self, id)
    case "Sensor": return entry(Sensor.self, id)
    case "ObservedProperty": return entry(ObservedProperty.self, id)
    default: return entry(FeatureOfInterest.self, id)
    }
  }

  private func entry<Entry: STAEntry>(_ type: Entry.Type, _ id: Int64) -> [(String, FreeValue?)] {
    guard case .listed(let entry)? = known(CatalogueDecider<Entry>.self, id) else { return [] }
    return entry.shown
  }
}
