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

  private let feed: LiveFeed
  private let audience = LiveAudience()

  init(broker: any EventBroker) {
    let current = ObservationTopics(of: broker)
    let topics = DatastreamVisibility.allCases.map { ($0.rawValue, current[$0]) }
    feed = LiveFeed(Dictionary(uniqueKeysWithValues: topics), broker: broker) { [audience] topic, news, places in audience.tell(topic, news, places) }
  }

  /// Begins at the ends of the topics; before the first request is taken.
  func start() async throws { try await feed.run() }

  func stop() async {
    await feed.stop()
    audience.end()
  }

  var routes: [Route] {
    [
      Route(
        .get, "/sensors/live", access: .everyone, accepts: [],
        info: RouteInfo(
          "New readings as they come, as server-sent events", tag: "Observations",
          parameters: [ParameterInfo("datastream", "Only this datastream; may be repeated", schema: Shape.list(of: Shape.id, most: Self.limit))],
          responses: [.text("text/event-stream")])
      ) { request in try stream(request) }
    ]
  }

  private func stream(_ request: Request) throws(Problem) -> Response {
    try request.query.allowing(["datastream"])
    let wanted = try Self.wanted(request)
    let viewer = STAViewer(request.caller)
    let lastID = request.lastEventID
    return .stream(
      EventStream(staysOpen: true) { [feed, audience] writer in
        // Every topic that it may hear has a place from the beginning: one that has not spoken yet when the reader is cut off would else be taken up at its
        // end, and what it said meanwhile be lost.
        let places = LivePlaces(text: lastID ?? "").completed(with: feed.now).only(viewer.topics)
        // A reader that is cut off before its first event comes back to this place.
        try await writer.send(ServerSentEvent.place(places.text))
        try await feed.join(at: places) { topic, news, places in
          guard viewer.hears(news, of: topic), news.isAmong(wanted), let told = LiveMessage(news) else { return }
          try await writer.send(told.bytes(at: places))
        } enter: {
          audience.enter(writer.sink, as: viewer, for: wanted)
        }
      })
  }

  /// The datastreams that are asked for; nil for all.
  private static func wanted(_ request: Request) throws(Problem) -> Set<String>? {
    let values = request.query.values("datastream")
    guard values.count <= limit else { throw .badRequest(path: "datastream", problem: "named \(values.count) times", expected: "at most \(limit)") }
    for value in values where Int64(value).map({ String($0) != value }) ?? true {
      throw .badRequest(path: "datastream", problem: "'\(value.prefix(40))' is no id", expected: "a datastream's @iot.id")
    }
    return values.isEmpty ? nil : Set(values)
  }
}
