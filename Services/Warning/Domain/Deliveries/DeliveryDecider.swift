public import Deciding
public import Foundation
public import Time

public enum DeliveryCommand: Hashable, Sendable {
  case hand(Destination, Parcel, at: Instant)
  /// It is through already: with its publication.
  case publish(Destination, Parcel, Receipt, at: Instant)
  /// Somebody is about to send it: of several who want to, one gets it.
  case attempt(message: UUID, at: Instant)
  case deliver(message: UUID, attempt: Int, Receipt, at: Instant)
  /// - Parameters:
  ///   - mayHaveArrived: whether the other side may have it all the same.
  ///   - lasting: whether another attempt would fail in the same way.
  ///   - retryAfter: what the other side asked for.
  case fail(message: UUID, attempt: Int, reason: String, mayHaveArrived: Bool, lasting: Bool, retryAfter: Duration?, at: Instant)
  /// An attempt that nothing was heard of any more: the process was killed.
  case lose(message: UUID, attempt: Int, at: Instant)
  /// A person says that it is done.
  case confirm(message: UUID, Receipt, at: Instant)
  case giveUp(message: UUID, GivenUp, at: Instant)
}

public enum DeliveryEvent: Hashable, Sendable {
  case handed(DeliveryHanded)
  case attempted(DeliveryAttempted)
  case delivered(DeliveryDelivered)
  case failed(DeliveryFailed)
  case givenUp(DeliveryGivenUp)
}

public struct DeliveryHanded: Codable, Hashable, Sendable {
  public let destination: Destination
  public let parcel: Parcel
  public let at: Instant
}

public struct DeliveryAttempted: Codable, Hashable, Sendable {
  public let message: UUID
  public let attempt: Int
  public let at: Instant
}

public struct DeliveryDelivered: Codable, Hashable, Sendable {
  public let message: UUID
  public let attempt: Int
  public let receipt: Receipt
  public let at: Instant
}

public struct DeliveryFailed: Codable, Hashable, Sendable {
  public let message: UUID
  public let attempt: Int
  public let reason: String
  public let mayHaveArrived: Bool
  /// When it is tried again.
  public let next: Instant
  public let at: Instant
}

public struct DeliveryGivenUp: Codable, Hashable, Sendable {
  public let message: UUID
  public let why: GivenUp
  public let reason: String?
  public let at: Instant
}

public enum DeliveryRefusal: Error, Hashable, Sendable {
  case unknown
  /// Another attempt runs, it is not due yet, or it is through.
  case notDue(until: Instant?)
  /// The outcome of an attempt that no longer counts.
  case stale(attempt: Int, now: Int?)
  /// A person confirms only what persons do.
  case notConfirmable
}

/// One destination: in order, one at a time, tried again with growing pauses, never after expiry, and nothing old after something new.
public enum DeliveryDecider: Decider {
  public static var initial: DeliveryState { .none }

  /// An attempt that has lasted this long without an outcome is lost.
  public static let attemptLimit = Duration.seconds(60)

  /// The pause after so many attempts: a second, doubled each time, at most a minute.
  public static func pause(after attempts: Int) -> Duration {
    .seconds(min(60, 1 << min(max(0, attempts - 1), 6)))
  }

  public static func decide(_ command: DeliveryCommand, _ state: DeliveryState) throws(DeliveryRefusal) -> [DeliveryEvent] {
    switch (command, state) {
    case (.hand(let destination, let parcel, let at), .none): return hand(parcel, Delivery(destination: destination), at)
    case (.hand(_, let parcel, let at), .delivery(let delivery)): return hand(parcel, delivery, at)
    case (.publish(let destination, let parcel, let receipt, let at), .none):
      return publish(parcel, receipt, Delivery(destination: destination), at)
    case (.publish(_, let parcel, let receipt, let at), .delivery(let delivery)): return publish(parcel, receipt, delivery, at)
    case (_, .none): throw .unknown
    case (.attempt(let message, let at), .delivery(let delivery)): return try attempt(message, delivery, at)
    case (.deliver(let message, let attempt, let receipt, let at), .delivery(let delivery)):
      try checkCurrent(message, attempt, delivery)
      return finish(delivery, [.delivered(DeliveryDelivered(message: message, attempt: attempt, receipt: receipt, at: at))], at)
    case (.fail(let message, let attempt, let reason, let mayHaveArrived, let lasting, let retryAfter, let at), .delivery(let delivery)):
      try checkCurrent(message, attempt, delivery)
      let next = at + max(pause(after: attempt), retryAfter ?? .zero)
      let failed = DeliveryEvent.failed(
        DeliveryFailed(message: message, attempt: attempt, reason: reason, mayHaveArrived: mayHaveArrived, next: next, at: at))
      guard lasting else { return finish(delivery, [failed], at) }
      return finish(delivery, [failed, .givenUp(DeliveryGivenUp(message: message, why: .refused, reason: reason, at: at))], at)
    case (.lose(let message, let attempt, let at), .delivery(let delivery)):
      try checkCurrent(message, attempt, delivery)
      guard case .attempting(let since)? = delivery.current?.stage, at >= since + attemptLimit else { throw .notDue(until: nil) }
      // It goes out again under the same id: the other side knows it if it has it.
      let failed = DeliveryFailed(message: message, attempt: attempt, reason: "no outcome was recorded", mayHaveArrived: true, next: at, at: at)
      return finish(delivery, [.failed(failed)], at)
    case (.confirm(let message, let receipt, let at), .delivery(let delivery)):
      guard delivery.destination.channel.means == .confirmed else { throw .notConfirmable }
      guard let current = delivery.current, current.parcel.message == message else {
        if delivery.known.contains(message) { return [] }
        throw .unknown
      }
      return finish(delivery, [.delivered(DeliveryDelivered(message: message, attempt: current.attempts, receipt: receipt, at: at))], at)
    case (.giveUp(let message, let why, let at), .delivery(let delivery)):
      guard let current = delivery.current, current.parcel.message == message, case .due = current.stage else { return [] }
      return finish(delivery, [.givenUp(DeliveryGivenUp(message: message, why: why, reason: nil, at: at))], at)
    }
  }

  public static func evolve(_ state: DeliveryState, _ event: DeliveryEvent) -> DeliveryState {
    switch (state, event) {
    case (.none, .handed(let handed)): return .delivery(Delivery(destination: handed.destination).with(event))
    case (.none, _): return .none
    case (.delivery(let delivery), let event): return .delivery(delivery.with(event))
    }
  }

  private static func hand(_ parcel: Parcel, _ delivery: Delivery, _ at: Instant) -> [DeliveryEvent] {
    guard !delivery.known.contains(parcel.message) else { return [] }
    return finish(delivery, [.handed(DeliveryHanded(destination: delivery.destination, parcel: parcel, at: at))], at)
  }

  private static func publish(_ parcel: Parcel, _ receipt: Receipt, _ delivery: Delivery, _ at: Instant) -> [DeliveryEvent] {
    guard !delivery.known.contains(parcel.message) else { return [] }
    return [
      .handed(DeliveryHanded(destination: delivery.destination, parcel: parcel, at: at)),
      .delivered(DeliveryDelivered(message: parcel.message, attempt: 0, receipt: receipt, at: at)),
    ]
  }

  private static func attempt(_ message: UUID, _ delivery: Delivery, _ at: Instant) throws(DeliveryRefusal) -> [DeliveryEvent] {
    guard let current = delivery.current, current.parcel.message == message else { throw .notDue(until: nil) }
    guard case .due(let due) = current.stage else { throw .notDue(until: nil) }
    guard at < current.parcel.expires else {
      return finish(delivery, [.givenUp(DeliveryGivenUp(message: message, why: .expired, reason: nil, at: at))], at)
    }
    guard at >= due else { throw .notDue(until: due) }
    return [.attempted(DeliveryAttempted(message: message, attempt: current.attempts + 1, at: at))]
  }

  private static func checkCurrent(_ message: UUID, _ attempt: Int, _ delivery: Delivery) throws(DeliveryRefusal) {
    guard let current = delivery.current, current.parcel.message == message, current.attempts == attempt, case .attempting = current.stage else {
      throw .stale(attempt: attempt, now: delivery.current?.attempts)
    }
  }

  /// After these events: what waits behind takes the place of what is not through, and what calls off what never arrived goes nowhere.
  private static func finish(_ delivery: Delivery, _ events: [DeliveryEvent], _ at: Instant) -> [DeliveryEvent] {
    var events = events
    var after = events.reduce(delivery) { $0.with($1) }
    while let current = after.current, case .due = current.stage {
      let why: GivenUp
      if !after.waiting.isEmpty {
        why = .superseded
      } else if current.parcel.callsOff, !after.mayHaveArrived {
        why = .nothingToCallOff
      } else {
        break
      }
      let event = DeliveryEvent.givenUp(DeliveryGivenUp(message: current.parcel.message, why: why, reason: nil, at: at))
      events.append(event)
      after = after.with(event)
    }
    return events
  }
}

extension Delivery {
  func with(_ event: DeliveryEvent) -> Delivery {
    var delivery = self
    switch event {
    case .handed(let handed):
      delivery.known.insert(handed.parcel.message)
      delivery.waiting.append(handed.parcel)
      if delivery.current == nil { delivery.takeNext(at: handed.at) }
    case .attempted(let attempted):
      delivery.current?.attempts = attempted.attempt
      delivery.current?.stage = .attempting(since: attempted.at)
    case .delivered(let delivered):
      delivery.mayHaveArrived = true
      delivery.takeNext(at: delivered.at)
    case .failed(let failed):
      if failed.mayHaveArrived { delivery.mayHaveArrived = true }
      delivery.current?.stage = .due(failed.next)
    case .givenUp(let givenUp): delivery.takeNext(at: givenUp.at)
    }
    return delivery
  }

  private mutating func takeNext(at time: Instant) {
    current = waiting.isEmpty ? nil : Current(parcel: waiting.removeFirst(), attempts: 0, stage: .due(time))
  }
}
