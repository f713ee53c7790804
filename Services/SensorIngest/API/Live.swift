import Broker
import EventSourcing
import HTTP
import JSON
import SensorDomain
import Synchronization
import Time

/// `GET /sensors/live`: new readings as server-sent events, of the datastreams the caller may see, or of those that `datastream=1&datastream=2` names.
///
/// Event `observations` carries `{"datastream": 1, "observations": [{"@iot.id", "phenomenonTime", "result", "dos:verdict"}]}`, event `withdrawn` carries
/// `{"datastream": 1, "phenomenonTime": ...}`, and `reset` says that what was missed cannot be told: read the state anew. An event's id is the place in every
/// topic that was heard of, `public:1.0.4,internal:...`; `Last-Event-ID` goes on there.
struct Live: Sendable {
  /// How many datastreams one stream may name.
  static let limit = 200

  private let feeds: [DatastreamVisibility: LiveFeed]

  init(broker: any EventBroker) {
    feeds = Dictionary(uniqueKeysWithValues: DatastreamVisibility.allCases.map { ($0, LiveFeed(ObservationTopics.topic($0), broker: broker)) })
  }

  /// Begins at the ends of the topics; before the first request is taken.
  func start() async throws {
    for feed in feeds.values { try await feed.run() }
  }

  func stop() async {
    for feed in feeds.values { await feed.stop() }
  }

  var routes: [Route] {
    [
      Route(
        .get, "/sensors/live", access: .everyone, accepts: [],
        info: RouteInfo(
          "New readings as they come, as server-sent events", tag: "Observations",
          parameters: [ParameterInfo("datastream", "Only this datastream; may be repeated", schema: #"{"type":"integer"}"#)])
      ) { request in try stream(request) }
    ]
  }

  private func stream(_ request: Request) throws(Problem) -> Response {
    try request.query.allowing(["datastream"])
    let wanted = try Self.wanted(request)
    let viewer = STAViewer(request.caller)
    let places = LivePlaces(request.lastEventID)
    let visible = feeds.filter { viewer.visibilities.contains($0.key) }
    return .stream { writer in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (visibility, feed) in visible {
          group.addTask {
            for await item in await feed.events(after: places.place(visibility)) {
              switch item {
              case .reset(let id): try await writer.send(id: places.move(visibility, to: id), event: "reset", data: "{}")
              case .event(let id, let consumed):
                let place = places.move(visibility, to: id)
                guard viewer.sees(visibility, city: consumed.event.city), wanted?.contains(consumed.key) ?? true else { continue }
                guard let (name, data) = Self.message(consumed.event) else { continue }
                try await writer.send(id: place, event: name, data: data)
              }
            }
          }
        }
        // A feed ends for who is too slow and when the service stops: the whole stream ends with it, and its reader comes back with its last id.
        try await group.next()
        group.cancelAll()
      }
    }
  }

  private static func wanted(_ request: Request) throws(Problem) -> Set<String>? {
    let values = request.query.values("datastream")
    guard values.count <= limit else { throw .badRequest(path: "datastream", problem: "named \(values.count) times", expected: "at most \(limit)") }
    for value in values where Int64(value).map({ String($0) != value }) ?? true {
      throw .badRequest(path: "datastream", problem: "'\(value.prefix(40))' is no id", expected: "a datastream's @iot.id")
    }
    return values.isEmpty ? nil : Set(values)
  }

  private static func message(_ event: CloudEvent) -> (name: String, data: [UInt8])? {
    // What cannot be read here is parked by the read model, which says so.
    guard let fact = try? ObservationFact(type: event.type, data: event.data) else { return nil }
    guard case .recorded(let recorded) = fact else { return ("withdrawn", fact.data) }
    var writer = JSONWriter(capacity: 128 * (recorded.readings.count + 1))
    writer.beginObject()
    writer.key("datastream")
    writer.int(recorded.datastream)
    writer.key("observations")
    writer.beginArray()
    for reading in recorded.readings { write(reading, to: &writer) }
    writer.endArray()
    writer.endObject()
    return ("observations", writer.bytes)
  }

  private static func write(_ reading: RecordedReading, to writer: inout JSONWriter) {
    let observation = reading.observation
    writer.beginObject()
    writer.key("@iot.id")
    writer.int(reading.id)
    writer.key("phenomenonTime")
    if let end = observation.phenomenonEnd { writer.string("\(observation.phenomenonTime)/\(end)") } else { writer.instant(observation.phenomenonTime) }
    writer.key("result")
    observation.result.write(to: &writer)
    writer.key("dos:verdict")
    writer.string(reading.verdict.rawValue)
    writer.endObject()
  }
}

/// How far a reader has come in each topic: the parts of an event's id.
private final class LivePlaces: Sendable {
  private let places: Mutex<[DatastreamVisibility: String]>

  init(_ id: String?) {
    var places: [DatastreamVisibility: String] = [:]
    for part in (id ?? "").split(separator: ",") {
      let sides = part.split(separator: ":", maxSplits: 1)
      guard sides.count == 2, let visibility = DatastreamVisibility(rawValue: String(sides[0])) else { continue }
      places[visibility] = String(sides[1])
    }
    self.places = Mutex(places)
  }

  func place(_ visibility: DatastreamVisibility) -> String? { places.withLock { $0[visibility] } }

  /// The id after moving on in one topic.
  func move(_ visibility: DatastreamVisibility, to place: String) -> String {
    places.withLock { places in
      places[visibility] = place
      return DatastreamVisibility.allCases.compactMap { visibility in places[visibility].map { "\(visibility.rawValue):\($0)" } }.joined(separator: ",")
    }
  }
}
