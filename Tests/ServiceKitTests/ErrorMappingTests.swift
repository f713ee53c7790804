import Broker
import EventSourcing
import HTTP
import Postgres
import Testing

@testable import ServiceKit

@Suite("What an error means to whoever sent the request")
struct ErrorMappingTests {
  struct Unheard: Error {}

  /// Trouble that passes: a repeat may go well.
  static let passing: [any Error & Sendable] = [
    PostgresError(kind: .connection, message: "refused"),
    PostgresError(kind: .commitUnknown, message: "lost"),
    PostgresError(kind: .poolExhausted(waited: .seconds(5)), message: "busy"),
    PostgresError(kind: .deadline, message: "late"),
    PostgresError(kind: .closed, message: "closed"),
    PostgresError(kind: .server(sqlState: "57P03"), message: "the database system is starting up"),
    PostgresError(kind: .server(sqlState: "53300"), message: "too many connections"),
    PostgresError(kind: .server(sqlState: "40P01"), message: "deadlock detected"),
    BrokerError.unavailable(reason: "gone", mayHaveArrived: true), BrokerError.unavailable(reason: "gone", mayHaveArrived: false),
    BrokerError.full(waitingBytes: 1), BrokerError.closed,
    JournalError.unavailable(reason: "gone", mayHaveHappened: true), JournalError.unavailable(reason: "gone", mayHaveHappened: false),
    JournalError.full(waiting: 1), JournalError.closed,
    IdentityUnavailable(reason: "no answer"), CancellationError(),
  ]

  @Test("trouble that passes is 503 with Retry-After, and names no address, statement or cause", arguments: passing)
  func unavailable(_ error: any Error & Sendable) throws {
    let problem = try #require(ErrorMapping.problem(for: error))
    let response = problem.response
    #expect(response.status == 503)
    #expect(response.headers["Retry-After"].flatMap(Int.init) ?? 0 > 0)
    for word in ["gone", "refused", "starting up", "deadlock"] { #expect(!String(decoding: response.bytes, as: UTF8.self).contains(word)) }
  }

  @Test("what may have been stored is said to be safe to repeat")
  func repeating() {
    for error: any Error in [
      PostgresError(kind: .commitUnknown, message: ""), BrokerError.unavailable(reason: "", mayHaveArrived: true),
      JournalError.unavailable(reason: "", mayHaveHappened: true),
    ] {
      let detail = ErrorMapping.problem(for: error)?.detail ?? ""
      #expect(detail.contains("may have been stored") && detail.contains("Repeating the request is safe"), "\(error): \(detail)")
    }
  }

  @Test("what the sender can mend is said to the sender")
  func senders() {
    #expect(ErrorMapping.problem(for: JournalError.conflict(stream: "thing-1", expected: .exactly(1), actual: 2))?.status == 409)
    #expect(ErrorMapping.problem(for: JournalError.keyReused)?.status == 422)
    let large = ErrorMapping.problem(for: BrokerError.tooLarge(bytes: 2_000_000, limit: 1_000_000))
    #expect(large?.status == 413)
    #expect(large?.detail.contains("1000000") == true)
  }

  @Test("a fault of the program is none of these: it is 500 and stands in the log")
  func faults() {
    for error: any Error in [
      Unheard(), PostgresError(kind: .server(sqlState: "42703"), message: "column x does not exist"), PostgresError(kind: .decoding, message: ""),
      BrokerError.unknownTopic("x"), JournalError.malformed("x"), JournalError.refused(sqlState: "23514", message: "x"),
    ] {
      #expect(ErrorMapping.problem(for: error) == nil, "\(error)")
    }
  }
}
