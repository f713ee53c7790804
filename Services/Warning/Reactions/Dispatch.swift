import Broker
import EventSourcing
import Foundation
import Time
import WarningDomain

/// What follows from decisions: an issued alert is published and handed to every channel, a hint pages its rota, a request its control room.
struct Dispatch: Reaction {
  let name = "dispatch"
  let decisions: Journal
  let published: Journal
  let targets: DeliveryTargets
  let clock: @Sendable () -> Instant

  func react(to event: ProjectedEvent, because cause: ReactionCause) async throws {
    let (type, data) = (event.event.type, event.event.data)
    if let decision = try WarningCoding.alerts.decode(type: type, data: data) {
      switch decision {
      case .issued(let issued):
        guard !issued.channels.isEmpty else { return }
        let reference = try await publish(.published(PublishedAlert(issued)), of: issued.alert, at: issued.sent, cause)
        try await hand(issued, published: reference, cause)
      case .expired(let expired):
        _ = try await publish(.ended(PublishedEnd(alert: expired.alert, message: expired.message, at: expired.at)), of: expired.alert, at: expired.at, cause)
      case .requested(let requested):
        try await page(event.event.subject, "control-room/\(requested.authority.id)", "request \(requested.message) 0", requested.at, cause)
      case .requestEscalated(let escalated):
        try await page(
          event.event.subject, "control-room/\(escalated.authority)", "request \(escalated.message) \(escalated.times)", escalated.at, cause)
      default: break
      }
    } else if let decision = try WarningCoding.hints.decode(type: type, data: data) {
      switch decision {
      case .raised(let raised):
        guard let rota = raised.finding.rota else { return }
        try await page(event.event.subject, "rota/\(rota)/1", "1", raised.at, cause)
      case .escalated(let escalated):
        try await page(event.event.subject, "rota/\(escalated.rota)/\(escalated.level)", "\(escalated.level)", escalated.at, cause)
      default: break
      }
    }
  }

  /// - Returns: where it stands in the public topic.
  private func publish(_ event: PublishedEvent, of alert: UUID, at time: Instant, _ cause: ReactionCause) async throws -> String {
    let (type, data) = try WarningCoding.published.encode(event)
    let write = StreamWrite(stream: WarningStreams.alert(alert), expected: .any, events: [NewEvent(type: type, data: data)])
    let appended = try await published.append([write], partition: 0, idempotency: cause.key("publish"), context: cause.context(time: time))
    return appended.positions.first.map { "\(published.topic.name)/\($0.partition)/\($0.offset)" } ?? published.topic.name
  }

  private func hand(_ issued: AlertIssued, published reference: String, _ cause: ReactionCause) async throws {
    let parcel = Parcel(message: issued.message, kind: issued.kind.parcel, expires: issued.content.expires)
    var commands: [(Destination, DeliveryCommand)] = []
    let now = clock()
    for channel in issued.channels {
      switch channel.means {
      case .published:
        let destination = Destination(subject: issued.alert, channel: channel)
        commands.append((destination, .publish(destination, parcel, Receipt(reference: reference), at: now)))
      case .confirmed:
        let destination = Destination(subject: issued.alert, channel: channel)
        commands.append((destination, .hand(destination, parcel, at: now)))
      case .sent:
        for target in try await targets.all(city: issued.city, channel: channel, purpose: DeliveryTargets.alerts) {
          let destination = Destination(subject: issued.alert, channel: channel, target: target.id)
          commands.append((destination, .hand(destination, parcel, at: now)))
        }
      }
    }
    try await give(commands, cause)
  }

  /// How long a page is worth sending.
  private static let pageLasts = Duration.seconds(3_600)

  private func page(_ stream: String, _ purpose: String, _ step: String, _ at: Instant, _ cause: ReactionCause) async throws {
    guard let subject = UUID(uuidString: String(stream.suffix(36))) else { return }
    var commands: [(Destination, DeliveryCommand)] = []
    for target in try await targets.all(purpose: purpose) {
      let destination = Destination(subject: subject, channel: target.channel, target: target.id)
      let message = UUID.nameBased("page", stream, step, target.id.uuidString)
      commands.append((destination, .hand(destination, Parcel(message: message, kind: .page, expires: at + Self.pageLasts), at: clock())))
    }
    try await give(commands, cause)
  }

  /// All at once: they share transactions.
  private func give(_ commands: [(Destination, DeliveryCommand)], _ cause: ReactionCause) async throws {
    let context = cause.context(time: clock())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, (destination, command)) in commands.enumerated() {
        if index >= 64 { try await group.next() }
        group.addTask {
          _ = try await handle(
            DeliveryDecider.self, command, stream: destination.stream, in: decisions, coding: WarningCoding.deliveries, partition: 0, context: context,
            idempotency: cause.key("hand \(destination.stream)"))
        }
      }
      try await group.waitForAll()
    }
  }
}

extension MessageKind {
  var parcel: Parcel.Kind {
    switch self {
    case .alert: .alert
    case .update: .update
    case .cancel: .cancel
    case .allClear: .allClear
    }
  }
}
