/// What went wrong between this program and PostgreSQL, with the facts: never a parameter's value, never a password.
public struct PostgresError: Error, Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// The server refused or failed the statement; the five characters of appendix A of its manual.
    case server(sqlState: String)
    /// There is no connection, or it broke. A statement that was under way may or may not have had its effect.
    case connection
    /// COMMIT was sent and its answer was lost: the transaction may be durable or may not.
    case commitUnknown
    /// All connections stayed busy for as long as a caller may wait.
    case poolExhausted(waited: Duration)
    /// A column's type or content is not what the program asked for.
    case decoding
    /// The task that waited was cancelled; the statement was stopped or never started.
    case cancelled
    /// The caller's own time limit passed; the statement was stopped.
    case deadline
    /// The pool was closed.
    case closed
    /// Migrations and database do not fit together; the message names the file.
    case migration
  }

  public var kind: Kind
  public var message: String
  /// The statement's text with `$1` in place of values; empty where none was involved.
  public var statement: String
  /// The server's DETAIL is left out on purpose where it quotes values; this is its HINT.
  public var hint: String?
  /// The constraint that was violated, where one was.
  public var constraint: String?

  public init(kind: Kind, message: String, statement: String = "", hint: String? = nil, constraint: String? = nil) {
    self.kind = kind
    self.message = message
    self.statement = statement
    self.hint = hint
    self.constraint = constraint
  }

  /// The SQLSTATE where the server gave one.
  public var sqlState: String? {
    if case .server(let state) = kind { state } else { nil }
  }

  /// Whether the trouble lies with database or network (classes 08, 40, 53, 57), so that the same thing may well succeed later.
  public var isTransient: Bool {
    switch kind {
    case .server(let state): ["08", "40", "53", "57"].contains(state.prefix(2))
    case .connection, .commitUnknown, .poolExhausted, .deadline: true
    case .decoding, .cancelled, .closed, .migration: false
    }
  }

  /// Whether the transaction lost against another one and may simply be run again (40001, 40P01).
  public var isSerializationFailure: Bool {
    sqlState == "40001" || sqlState == "40P01"
  }
}

extension PostgresError: CustomStringConvertible {
  public var description: String {
    var text = "\(message) [\(label)]"
    if let constraint { text += " (constraint \(constraint))" }
    if let hint { text += " Hint: \(hint)" }
    if !statement.isEmpty { text += " in: \(statement.prefix(2_000))" }
    return text
  }

  private var label: String {
    switch kind {
    case .server(let state): state
    case .connection: "connection"
    case .commitUnknown: "commit unknown"
    case .poolExhausted(let waited): "no free connection for \(waited)"
    case .decoding: "decoding"
    case .cancelled: "cancelled"
    case .deadline: "deadline"
    case .closed: "closed"
    case .migration: "migration"
    }
  }
}
