import Broker
import Deciding
import EventSourcing
import Foundation
import HTTP
import JSON
import ServiceKit
import Time
import WarningDomain

/// How a request becomes a decision: who asks, when, under which key; and what a refusal is answered with.
struct WarningCommands: Sendable {
  let decisions: Journal
  let letters: LetterReader
  let clock: @Sendable () -> Instant

  /// - Returns: what the decider made of it, and where it stands.
  func give<D: Decider>(
    _ decider: D.Type, _ command: D.Command, to stream: String, coding: EventTypes<D.Event>, for request: Request, at time: Instant,
    _ problem: (D.Refusal) -> Problem
  ) async throws -> Handled<D> {
    let key = request.commandKey
    let context = EventContext(time: time, correlationID: request.correlationID, traceparent: request.traceparent)
    do {
      return try await handle(decider, command, stream: stream, in: decisions, coding: coding, partition: 0, context: context, idempotency: key)
    } catch {
      switch error {
      case .refused(let refusal): throw problem(refusal)
      case .contended: throw Problem.unavailable("Others keep changing the same thing. Try again.")
      case .journal(let error): throw error
      case .coding(let error): throw error
      }
    }
  }

  /// Where the outcome of a command stands that was given before under the request's key; nil for a new one.
  func remembered(_ request: Request) async throws -> [BrokerPosition]? {
    guard let key = request.commandKey else { return nil }
    return try await decisions.remembered(key)?.brokerPositions
  }

  /// An id for what a request opens: a repeat with the same key opens the same.
  func newID(for request: Request, _ what: String = "") -> UUID {
    guard let key = request.idempotencyKey else { return .v7() }
    return .nameBased("opens", request.caller?.id ?? "", request.path, key, what)
  }
}

extension Request {
  /// Under which its command is given once, where it names one.
  fileprivate var commandKey: IdempotencyKey? {
    idempotencyKey.map { IdempotencyKey(caller: caller?.id ?? "", method: method.rawValue, path: path, key: $0, body: body) }
  }

  /// Who decides. The routes let nobody in without a caller.
  func officer() throws(Problem) -> Officer {
    guard let caller else { throw .unauthorized("This needs a caller: send an Authorization header with a bearer token.") }
    return Officer(subject: caller.id, city: caller.city)
  }

  func uuid(_ name: String) throws(Problem) -> UUID {
    let text = try parameter(name)
    guard let id = UUID(uuidString: text) else { throw .notFound("\"\(text.prefix(40))\" is no \(name): it is a UUID.") }
    return id
  }

  func decoded<Body: Decodable>(_ type: Body.Type) throws(Problem) -> Body {
    do throws(JSONRejection) {
      let value = try JSONValue(parsing: body)
      try value.refuseNullCharacter()
      return try decodeStrictly(type, from: value)
    } catch {
      throw Problem(error)
    }
  }
}

extension Handled {
  /// Where its events stand, for `DOS-Position`.
  var positions: [BrokerPosition] { appended.brokerPositions }
}

extension Appended {
  fileprivate var brokerPositions: [BrokerPosition] {
    positions.last.map { [BrokerPosition(topic: WarningTopics.decisions.name, partition: $0.partition, offset: $0.offset)] } ?? []
  }
}
