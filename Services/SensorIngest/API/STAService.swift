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
  /// The same for readings: of all datastreams, or of one.
  var readingsCaughtUp: @Sendable (Request, _ datastream: Int64?) async throws -> Void = { _, _ in }
  /// Takes the readings that come with a datastream, or go with a feature of interest.
  let readings: any RegistryReadings

  /// Where the API lies; its addresses begin with it.
  static let prefix = "/sensors/v1.1"

  func root(_ request: Request) -> String { request.origin + Self.prefix }

  func reader(_ request: Request) -> STAReader {
    STAReader(model: model, pool: pool, viewer: STAViewer(request.caller), root: root(request))
  }

  func query(_ request: Request) throws -> STAQuery {
    try STAQueryParser.parse(request.query.items.map { ($0.name, $0.value) })
  }

  // MARK: - Reading

  func collection(_ request: Request, _ type: STAEntityType, _ scope: STAReader.Scope, isReference: Bool = false) async throws -> Response {
    var query = try query(request)
    query.isReference = isReference
    let page = try await reader(request).page(type, scope, query)
    return .json(try page.json(root: root(request), next: Self.next(request, query)))
  }

  func single(_ request: Request, _ type: STAEntityType, _ scope: STAReader.Scope, isReference: Bool = false) async throws -> Response {
    var query = try query(request)
    query.isReference = isReference
    guard let entity = try await reader(request).entity(type, scope, query) else { throw Self.absent(type, scope) }
    return .json(try entity.json())
  }

  /// The id of the observation that holds for an id: the answer to a reading that was known already named another.
  func holding(_ observation: Int64) async throws -> Int64 { try await ObservationAliases.holding(observation, in: pool) }

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
}

extension RegistryEvent {
  /// The datastream it is about, nil where it is about something else.
  var datastream: Int64? {
    switch self {
    case .datastream(.opened(let event)): event.id
    case .datastream(.changed(let event)): event.id
    case .datastream(.closed(let event)): event.id
    case .datastream(.deleted(let event)): event.id
    default: nil
    }
  }

  /// Whether readings of datastreams that it does not name may be about another feature of interest from now on.
  var movesSomething: Bool {
    switch self {
    case .thing(.relocated), .thing(.deleted), .location, .featureOfInterest(.withdrawn): true
    default: false
    }
  }
}
