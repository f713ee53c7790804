import Broker
import EventSourcing
import HTTP
import JSON
import SensorDomain
import Time

/// `GET /sensors/live`: new readings as server-sent events, of the datastreams the caller may see, or of those that `datastream=1&datastream=2` names.
///
/// Event `observations` carries `{"datastream": 1, "observations": [{"@iot.id", "phenomenonTime", "result", "dos:verdict"}]}`, event `withdrawn` carries
/// `{"datastream": 1, "phenomenonTime": ...}`, and `reset` says that what was missed cannot be told: read the state anew. An event's id is the place in every
/// topic that the caller may see, `public:1.0.4,internal:...`; `Last-Event-ID` goes on there.
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
    let lastID = request.lastEventID
    let visible = feeds.filter { viewer.visibilities.contains($0.key) }
    return .stream { writer in
      let outlet = LiveOutlet(writer.sink, at: await Self.places(lastID, visible))
      // A reader that is cut off before its first event comes back to this place.
      try await outlet.say()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (visibility, feed) in visible {
          group.addTask {
            for await item in await feed.events(after: outlet.places[visibility]) {
              switch item {
              case .reset(let place): try await outlet.say(visibility, place, "reset", Array("{}".utf8))
              case .event(let place, let consumed):
                guard viewer.sees(visibility, city: consumed.event.city), wanted?.contains(consumed.key) ?? true, let told = Self.message(consumed.event) else {
                  await outlet.pass(visibility, place)
                  continue
                }
                try await outlet.say(visibility, place, told.name, told.data)
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

  /// Where a reader goes on in every topic that it may see. All of them have a place from the beginning: one that has not spoken yet when the reader is cut
  /// off would else be taken up at its end, and what it said meanwhile be lost.
  private static func places(_ lastID: String?, _ visible: [DatastreamVisibility: LiveFeed]) async -> [DatastreamVisibility: LivePlace] {
    var places: [DatastreamVisibility: LivePlace] = [:]
    for part in (lastID ?? "").split(separator: ",") {
      let sides = part.split(separator: ":", maxSplits: 1)
      guard sides.count == 2, let visibility = DatastreamVisibility(rawValue: String(sides[0])), visible[visibility] != nil else { continue }
      // What is no place is answered with a reset, and not passed over.
      places[visibility] = LivePlace(text: String(sides[1])) ?? LivePlace(offsets: [])
    }
    for (visibility, feed) in visible where places[visibility] == nil { places[visibility] = await feed.now }
    return places
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

/// Writes what several topics say into one stream. An event's id is the place in all of them, so it is made at the moment of writing: with no other event
/// between, an id never names one that was not sent.
private actor LiveOutlet {
  private(set) var places: [DatastreamVisibility: LivePlace]
  private let sink: any StreamSink

  init(_ sink: any StreamSink, at places: [DatastreamVisibility: LivePlace]) {
    self.sink = sink
    self.places = places
  }

  /// Moves on over what this reader does not get.
  func pass(_ visibility: DatastreamVisibility, _ place: LivePlace) { places[visibility] = place }

  /// Says an event and moves on.
  func say(_ visibility: DatastreamVisibility, _ place: LivePlace, _ event: String, _ data: [UInt8]) async throws {
    try await ready()
    places[visibility] = place
    sink.push(ServerSentEvent.bytes(id: id, event: event, data: data))
  }

  /// Says the place alone.
  func say() async throws {
    try await ready()
    sink.push(ServerSentEvent.place(id))
  }

  private func ready() async throws {
    try Task.checkCancellation()
    await sink.ready()
    guard sink.isOpen else { throw StreamClosed() }
  }

  private var id: String {
    DatastreamVisibility.allCases.compactMap { visibility in places[visibility].map { "\(visibility.rawValue):\($0.text)" } }.joined(separator: ",")
  }
}
