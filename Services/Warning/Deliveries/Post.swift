import EventSourcing
import Foundation
import ServiceKit
import Synchronization
import Time
import WarningDomain

/// Carries out what is due in one channel: decides to attempt, lets the courier go, and decides what came of it.
///
/// Of several processes that want to attempt the same, the Journal lets one. An attempt whose process was killed is found by its deadline and made again under
/// the same id.
final class Post: Sendable {
  /// The streams that wait or are being carried, and whether they were named again meanwhile.
  private let taken = Mutex<[String: Bool]>([:])

  private let courier: any Courier
  private let letters: LetterReader
  private let targets: DeliveryTargets
  private let clock: @Sendable () -> Instant
  private let log: Log
  private let requests: AsyncStream<String>
  private let request: AsyncStream<String>.Continuation

  init(courier: any Courier, letters: LetterReader, targets: DeliveryTargets, clock: @escaping @Sendable () -> Instant, log: Log) {
    self.courier = courier
    self.letters = letters
    self.targets = targets
    self.clock = clock
    self.log = log
    (requests, request) = AsyncStream.makeStream(of: String.self)
  }

  var channel: Channel { courier.channel }

  /// Lets a stream's parcel be sent when there is room. One that waits already is not taken twice.
  func take(_ stream: String) {
    let isNew = taken.withLock { taken in
      defer { taken[stream] = taken[stream] != nil }
      return taken[stream] == nil
    }
    if isNew { request.yield(stream) }
  }

  /// Runs until cancelled. What is under way then is broken off, and that it was is decided.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      for await stream in requests {
        if running >= courier.atOnce {
          await group.next()
          running -= 1
        }
        running += 1
        group.addTask { [self] in await carry(stream) }
      }
    }
  }

  /// Sends what is due, and what is due behind it: while this lasts nobody else is told of it.
  private func carry(_ stream: String) async {
    repeat {
      while await carryOne(stream), !Task.isCancelled {}
    } while taken.withLock { taken in
      if taken[stream] == true {
        taken[stream] = false
        return true
      }
      taken[stream] = nil
      return false
    }
  }

  /// - Returns: whether something else of the stream is due now.
  private func carryOne(_ stream: String) async -> Bool {
    do {
      guard case .delivery(let delivery) = try await letters.delivery(stream), let current = delivery.current, case .due = current.stage else { return false }
      let parcel = current.parcel
      guard let target = try await target(of: delivery.destination), let letter = try await letters.letter(for: parcel, to: delivery.destination) else {
        return isDue(try await decide(.giveUp(message: parcel.message, .withdrawn, at: clock()), stream))
      }
      let begun = try await decide(.attempt(message: parcel.message, at: clock()), stream)
      guard case .attempted(let attempted)? = begun.events.first else { return isDue(begun) }
      let outcome = await courier.bring(letter, parcel, to: target)
      switch outcome {
      case .delivered(let receipt):
        return isDue(try await decide(.deliver(message: parcel.message, attempt: attempted.attempt, receipt, at: clock()), stream))
      case .failed(let reason, let mayHaveArrived, let lasting, let retryAfter):
        log.warning(
          "a delivery failed",
          ["channel": .string(channel.rawValue), "target": .string(target.name), "attempt": .int(attempted.attempt), "reason": .string(reason)])
        return isDue(
          try await decide(
            .fail(
              message: parcel.message, attempt: attempted.attempt, reason: reason, mayHaveArrived: mayHaveArrived, lasting: lasting, retryAfter: retryAfter,
              at: clock()), stream))
      }
    } catch CommandError<DeliveryRefusal>.refused {
      // Another process was first, or it is not due.
    } catch {
      log.repeating(.warning, "post \(channel.rawValue)", "a delivery could not be decided", ["stream": .string(stream), "reason": .string("\(error)")])
    }
    return false
  }

  private func isDue(_ handled: Handled<DeliveryDecider>) -> Bool {
    guard case .delivery(let delivery) = handled.state, case .due(let time)? = delivery.current?.stage else { return false }
    return time <= clock()
  }

  private func target(of destination: Destination) async throws -> DeliveryTarget? {
    guard let id = destination.target else { return nil }
    return try await targets.one(id)
  }

  /// A decision that a database in trouble does not take at once is tried again for as long as it counts.
  private func decide(_ command: DeliveryCommand, _ stream: String) async throws -> Handled<DeliveryDecider> {
    let (decisions, clock) = (letters.decisions, clock)
    // Shielded: an outcome that is not written down is an attempt that is lost.
    let deciding = Task {
      let begun = ContinuousClock.now
      while true {
        do throws(CommandError<DeliveryRefusal>) {
          return try await handle(
            DeliveryDecider.self, command, stream: stream, in: decisions, coding: WarningCoding.deliveries, partition: 0, context: EventContext(time: clock()))
        } catch {
          guard error.isTransient, begun.duration(to: .now) < DeliveryDecider.attemptLimit else { throw error }
          try? await Task.sleep(for: .milliseconds(200))
        }
      }
    }
    return try await deciding.value
  }
}
