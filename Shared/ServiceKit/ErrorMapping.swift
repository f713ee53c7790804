import Broker
import EventSourcing
import HTTP
import Postgres

/// What an error of the shared parts means to whoever sent the request.
public enum ErrorMapping {
  /// Nil for an error that is a fault of the program: it is answered with 500 and told in the log.
  public static func problem(for error: any Error) -> Problem? {
    switch error {
    case let error as PostgresError: problem(for: error)
    case let error as BrokerError: problem(for: error)
    case let error as JournalError: problem(for: error)
    case let error as IdentityUnavailable:
      .unavailable("The keys of the identity provider cannot be had: \(error.reason). Try again.", retryAfter: 5)
    case is CancellationError:
      .unavailable("The request was given up before it was answered.")
    default: nil
    }
  }

  private static func problem(for error: PostgresError) -> Problem? {
    switch error.kind {
    case .cancelled, .closed: .unavailable("The request was given up before it was answered.")
    case .poolExhausted: .unavailable("The database is busy. Try again.", retryAfter: 2)
    case .commitUnknown: .unavailable("The database's answer was lost: it may have been stored. Repeating the request is safe with its Idempotency-Key.")
    default: error.isTransient ? .unavailable("The database cannot be reached. Try again.", retryAfter: 2) : nil
    }
  }

  private static func problem(for error: BrokerError) -> Problem? {
    switch error {
    case .unavailable(_, let mayHaveArrived):
      .unavailable(
        mayHaveArrived
          ? "The event broker did not confirm in time: it may have been stored. Repeating the request is safe."
          : "The event broker cannot be reached. Repeating the request is safe.",
        retryAfter: 2)
    case .full: .unavailable("Too much waits to be stored. Try again.", retryAfter: 5)
    case .closed: .unavailable("The service is stopping. Try again.")
    case .tooLarge(let bytes, let limit):
      Problem(status: 413, detail: "One event would have \(bytes) bytes; \(limit) are possible. Send it in smaller parts.")
    default: nil
    }
  }

  private static func problem(for error: JournalError) -> Problem? {
    switch error {
    case .conflict(let stream, _, let actual):
      .conflict("\(stream) has been changed meanwhile and is at version \(actual). Read it again and decide anew.")
    case .keyReused: .unprocessable("The Idempotency-Key was used before with another body. Use a new key for a new request.")
    case .full: .unavailable("Too much waits to be stored. Try again.", retryAfter: 5)
    case .unavailable(_, let mayHaveHappened):
      .unavailable(
        mayHaveHappened
          ? "The database did not confirm in time: it may have been stored. Repeating the request is safe with its Idempotency-Key."
          : "The database cannot be reached. Try again.", retryAfter: 2)
    case .closed: .unavailable("The service is stopping. Try again.")
    case .severalPartitions, .streamElsewhere, .malformed, .refused: nil
    }
  }
}
