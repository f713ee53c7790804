import CPostgreSQL

/// Statements on a session: as they are, prepared, several at once.
extension Session {
  /// Runs one statement with binary parameters and a binary result.
  ///
  /// - Parameter begin: a statement that is sent before it in the same round trip.
  func run(
    _ sql: SQL, after begin: String? = nil, shielded: Bool = false, deadline: ContinuousClock.Instant? = nil
  ) throws(PostgresError) -> Rows {
    let call = Call(sql)
    let free = !isInTransaction && begin == nil
    do throws(PostgresError) {
      return try run(call, after: begin, shielded: shielded, deadline: deadline)
    } catch  where error.isStalePreparation {
      // The table changed under the plan (0A000), or the server lost it (26000). Nothing was run yet; inside a transaction, though, the
      // transaction has failed with it and only its owner can start it again.
      statements.forget(call.key)
      guard free else { throw error }
      return try run(call, after: nil, shielded: shielded, deadline: deadline)
    }
  }

  private func run(_ call: Call, after begin: String?, shielded: Bool, deadline: ContinuousClock.Instant?) throws(PostgresError) -> Rows {
    let advice = statements.advice(for: call.key)
    try start(call.text, shielded: shielded)
    defer { finish() }
    var exchange = Exchange(self, statement: call.text, deadline: deadline)
    if begin == nil, advice.isSingle {
      guard let last = try exchange.collect(send(call, advice)).last else {
        throw PostgresError(kind: .connection, message: "the server gave no result", statement: call.text)
      }
      return Rows(result: last, statement: call.text)
    }
    let results = try pipelined(&exchange, statement: call.text) {
      (begin.map { [.plain($0)] } ?? []) + commands(call, advice)
    }
    return Rows(result: results[results.count - 1], statement: call.text)
  }

  /// Runs several statements in one round trip.
  func pipeline(_ list: [SQL], after begin: String?, deadline: ContinuousClock.Instant?) throws(PostgresError) -> [ResultHandle] {
    let calls = list.map(Call.init)
    let text = calls.map(\.text).joined(separator: "; ")
    let advised = calls.map { ($0, statements.advice(for: $0.key)) }
    try start(text)
    defer { finish() }
    var exchange = Exchange(self, statement: text, deadline: deadline)
    let commands = (begin.map { [.plain($0)] } ?? []) + advised.flatMap { self.commands($0, $1) }
    let results: [ResultHandle]
    do throws(PostgresError) {
      results = try pipelined(&exchange, statement: text) { commands }
    } catch  where error.isStalePreparation {
      for call in calls { statements.forget(call.key) }
      throw error
    }
    return zip(commands, results).compactMap { command, result in
      if case .call = command { result } else { nil }
    }
  }

  /// Runs a script of several statements over the simple protocol, as one transaction unless it says otherwise.
  func script(_ text: String, deadline: ContinuousClock.Instant?) throws(PostgresError) {
    try start(text)
    defer { finish() }
    var exchange = Exchange(self, statement: text, deadline: deadline)
    _ = try exchange.collect(PQsendQuery(pointer, text))
  }

  /// Tells the server to forget what the cache has pushed out. Called between two leases.
  func dropDiscardedStatements() {
    let names = statements.takeDiscarded()
    if names.isEmpty { return }
    var exchange = Exchange(self, statement: "deallocate", deadline: .now + .seconds(2))
    // One that cannot be dropped is forgotten by the server when the session ends.
    _ = try? exchange.collect(PQsendQuery(pointer, names.map { "deallocate \($0)" }.joined(separator: ";")))
  }

  private enum Command {
    case plain(String)
    case prepare(Call, name: String)
    case call(Call, StatementCache.Advice)
  }

  private func commands(_ call: Call, _ advice: StatementCache.Advice) -> [Command] {
    if case .prepare(let name) = advice { [.prepare(call, name: name), .call(call, .use(name: name))] } else { [.call(call, advice)] }
  }

  private func pipelined(_ exchange: inout Exchange, statement: String, _ commands: () -> [Command]) throws(PostgresError) -> [ResultHandle] {
    let commands = commands()
    PQenterPipelineMode(pointer)
    defer { PQexitPipelineMode(pointer) }
    let sent = commands.allSatisfy { send($0) == 1 } && PQpipelineSync(pointer) == 1
    let steps = try exchange.collectPipeline(sent, count: commands.count)
    var results: [ResultHandle] = []
    for (index, step) in steps.enumerated() {
      switch step {
      case .done(let result):
        if index < commands.count, case .prepare(let call, let name) = commands[index] { statements.prepared(call.key, as: name) }
        results.append(result)
      case .failed(let error): throw error
      case .skipped: break
      }
    }
    guard results.count == commands.count else {
      throw PostgresError(kind: .connection, message: "the server answered \(results.count) of \(commands.count) statements", statement: statement)
    }
    return results
  }

  private func send(_ command: Command) -> Int32 {
    switch command {
    case .plain(let text): PQsendQueryParams(pointer, text, 0, nil, nil, nil, nil, 1)
    case .prepare(let call, let name): PQsendPrepare(pointer, name, call.text, Int32(call.parameters.count), call.parameters.map(\.type.rawValue))
    case .call(let call, let advice): send(call, advice)
    }
  }

  private func send(_ call: Call, _ advice: StatementCache.Advice) -> Int32 {
    withParameters(call.parameters) { types, values, lengths, formats in
      let count = Int32(call.parameters.count)
      return switch advice {
      case .use(let name), .prepare(let name): PQsendQueryPrepared(pointer, name, count, values, lengths, formats, 1)
      case .sendAsIs: PQsendQueryParams(pointer, call.text, count, types, values, lengths, formats, 1)
      }
    }
  }
}

/// A statement ready to be sent.
private struct Call {
  let text: String
  let parameters: [PostgresParameter]
  let key: StatementCache.Key

  init(_ sql: SQL) {
    text = sql.text
    parameters = sql.parameters
    key = StatementCache.Key(text: text, types: sql.parameters.map(\.type))
  }
}

extension StatementCache.Advice {
  /// Whether one message to the server is enough.
  fileprivate var isSingle: Bool {
    if case .prepare = self { false } else { true }
  }
}

extension PostgresError {
  /// "cached plan must not change result type", or a prepared statement the server does not know.
  fileprivate var isStalePreparation: Bool {
    sqlState == "26000" || (sqlState == "0A000" && message.contains("cached plan"))
  }
}
