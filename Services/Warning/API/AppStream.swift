import Broker
import EventSourcing
import HTTP
import JSON
import WarningDomain

/// `GET /warnings/stream`: alerts as server-sent events, at the moment when they are published.
///
/// Event `alert` carries a published message, event `ended` one whose time is over, and `reset` says that what was missed cannot be told: read
/// `/warnings/active`. An event's id is its place; `Last-Event-ID` goes on there.
struct AppStream: Sendable {
  private static let topic = "alerts"
  private let feed: LiveFeed
  private let room = Broadcast()

  init(broker: any EventBroker) {
    feed = LiveFeed([Self.topic: WarningTopics.alerts], broker: broker) { [room] _, news, places in
      if let bytes = Self.bytes(news, at: places) { room.push(bytes) }
    }
  }

  /// Begins at the end of the topic; before the first request is taken.
  func start() async throws { try await feed.run() }

  func stop() async {
    await feed.stop()
    room.end()
  }

  var routes: [Route] {
    [
      Route(
        .get, "/warnings/stream", access: .everyone, accepts: [],
        info: RouteInfo(
          "Alerts as they are published, as server-sent events", tag: "Public",
          description: "An event alert has a PublishedAlert as its data, ended an AlertEnded; after reset read /warnings/active anew.",
          parameters: [ParameterInfo("Last-Event-ID", in: .header, "The id of the last event that came: what was missed since is told first")],
          responses: [.text("text/event-stream")])
      ) { request in
        try request.query.allowing([])
        let lastID = request.lastEventID
        return .stream(
          EventStream(staysOpen: true) { [feed, room] writer in
            let places = LivePlaces(text: lastID ?? "").completed(with: feed.now).only([Self.topic])
            try await writer.send(ServerSentEvent.place(places.text))
            try await feed.join(at: places) { _, news, places in
              if let bytes = Self.bytes(news, at: places) { try await writer.send(bytes) }
            } enter: {
              room.join(writer.sink)
            }
          })
      }
    ]
  }

  private static func bytes(_ news: LiveFeed.News, at places: LivePlaces) -> [UInt8]? {
    guard case .event(let consumed) = news else { return ServerSentEvent.bytes(id: places.text, event: "reset", data: Array("{}".utf8)) }
    let event = consumed.event
    switch try? WarningCoding.published.decode(type: event.type, data: event.data) {
    case .published(let alert)?:
      return alert.channels.contains(.app) ? ServerSentEvent.bytes(id: places.text, event: "alert", data: event.data) : nil
    case .ended?: return ServerSentEvent.bytes(id: places.text, event: "ended", data: event.data)
    case nil: return nil
    }
  }
}
