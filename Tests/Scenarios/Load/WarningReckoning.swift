import Broker
import Foundation
import JSON
import Postgres
import TestSupport
import Time
import Warning

/// Holds what a city decided about warnings and what arrived of them against what officers were told and gauges showed.
struct WarningReckoning {
  /// What is not as it must be, in words.
  private(set) var wrong: [String] = []
  private(set) var issued = 0
  private(set) var hints = 0
  /// Letters that came, all receivers together, and how many of them came before under the same id.
  private(set) var letters = 0
  private(set) var repeated = 0
  /// Messages that nothing followed before everybody had them.
  private(set) var waited = 0

  /// Waits until every delivery has come to its end, and then looks. An attempt that died with its process is found after a minute.
  static func of(_ ledger: WarningLedger, _ load: WarningLoad, in city: RunningCity) async throws -> WarningReckoning {
    var reckoning = WarningReckoning()
    let pool = PostgresPool(city.database.configuration(database: "dos_warnings"), size: 1)
    do {
      try await Browser.until("every delivery has come to its end", within: .seconds(180)) {
        guard try await hintsAreThere(for: ledger, pool) else { return false }
        return try await pool.query("select 1 from deliveries where status in ('waiting', 'due', 'attempting') limit 1").isEmpty
      }
    } catch Browser.Failure.timeout(let what) {
      let rows = try await pool.query("select row_to_json(d)::text from deliveries d where status in ('waiting', 'due', 'attempting') limit 20")
      reckoning.wrong.append("waited in vain until \(what): \(try rows.map { row throws in try row.value(String.self, at: 0) })")
    }
    let log = try await WarningLog.read(city, pool)
    await pool.close()
    reckoning.messages(ledger, log)
    reckoning.rules(ledger, log)
    for (stream, events) in log.deliveries { reckoning.delivery(stream, events, log) }
    reckoning.everybody(ledger, log, load.receivers)
    for (target, receiver) in load.receivers.merging(load.crew, uniquingKeysWith: { $1 }) { reckoning.arrivals(target, receiver.letters, log) }
    reckoning.wrong += log.unforwarded
    return reckoning
  }

  private static func hintsAreThere(for ledger: WarningLedger, _ pool: PostgresPool) async throws -> Bool {
    for rise in ledger.rises where rise.isAcknowledged {
      if try await pool.query("select 1 from hints where rule = \(rise.rule)::uuid and since = \(rise.time)").isEmpty { return false }
    }
    return true
  }

  /// Every acknowledged approval is issued once and published once; nothing is issued that nobody approved.
  private mutating func messages(_ ledger: WarningLedger, _ log: WarningLog) {
    issued = log.issued.count
    let published = Dictionary(grouping: log.published, by: \.self).mapValues(\.count)
    let issuances = Dictionary(grouping: log.issued, by: \.message).mapValues(\.count)
    for message in ledger.messages {
      let count = issuances[message.id] ?? 0
      if message.isAcknowledged, count == 0 { wrong.append("\(message.id) was approved, acknowledged, and never issued") }
    }
    let known = Set(ledger.messages.map(\.id))
    for (message, count) in issuances {
      if count > 1 { wrong.append("\(message) was issued \(count) times") }
      if !known.contains(message) { wrong.append("\(message) was issued, and nobody asked for that") }
      if published[message] != 1 { wrong.append("\(message) was issued, and published \(published[message] ?? 0) times") }
    }
    for message in published.keys where issuances[message] == nil { wrong.append("\(message) was published and never issued") }
  }

  /// Every rise has one hint; no hint is without a rise.
  private mutating func rules(_ ledger: WarningLedger, _ log: WarningLog) {
    hints = log.hints.count
    let raised = Dictionary(grouping: log.hints, by: \.self).mapValues(\.count)
    var possible: Set<WarningLog.Hint> = []
    for rise in ledger.rises {
      let hint = WarningLog.Hint(rule: rise.rule, since: rise.time)
      possible.insert(hint)
      if rise.isAcknowledged, raised[hint] != 1 { wrong.append("the rise of \(rise.rule) at \(rise.time.rfc3339) has \(raised[hint] ?? 0) hints") }
    }
    for (hint, count) in raised {
      if !possible.contains(hint) { wrong.append("a hint of \(hint.rule) since \(hint.since.rfc3339), when nothing rose") }
      if count > 1 { wrong.append("\(count) hints of \(hint.rule) since \(hint.since.rfc3339)") }
    }
  }

  /// One destination: one attempt at a time, none after the receipt, in order, and an end for everything.
  private mutating func delivery(_ stream: String, _ events: [WarningLog.Step], _ log: WarningLog) {
    var handed: [String] = []
    var ended: [String: String] = [:]
    var running: String?
    for event in events {
      if let end = ended[event.message], event.kind != "handed" { wrong.append("\(stream): \(event.kind) of \(event.message), which was \(end)") }
      switch event.kind {
      case "handed":
        if handed.contains(event.message) { wrong.append("\(stream): \(event.message) was handed over twice") }
        handed.append(event.message)
      case "attempted":
        if let running { wrong.append("\(stream): \(event.message) was attempted while \(running) was") }
        if handed.first(where: { ended[$0] == nil }) != event.message { wrong.append("\(stream): \(event.message) was attempted before its turn") }
        running = event.message
      case "failed": running = nil
      case "delivered":
        running = nil
        ended[event.message] = event.kind
      default:
        running = nil
        ended[event.message] = event.why ?? event.kind
      }
    }
    for (index, message) in handed.enumerated() {
      switch ended[message] {
      case "delivered": break
      case "expired" where log.expires[message].map { $0 < .now() } ?? false: break
      // Later news took its place; the page's hint was over, or what calls off had nothing to call off.
      case "superseded" where index < handed.count - 1: break
      case "withdrawn", "nothing-to-call-off": break
      case let end: wrong.append("\(stream): \(message) is \(end ?? "without an end")")
      }
    }
    if handed != log.order(of: handed) { wrong.append("\(stream): handed over as \(handed)") }
  }

  /// Every message was handed to every target, and what officers waited for is with all of them.
  private mutating func everybody(_ ledger: WarningLedger, _ log: WarningLog, _ receivers: [String: WebhookReceiver]) {
    let awaited = Set(ledger.messages.filter(\.isAwaited).map(\.id))
    waited = awaited.count
    for (target, receiver) in receivers {
      let came = Set(receiver.letters.map(\.id))
      for issued in log.issued {
        let steps = log.deliveries["delivery-\(issued.alert)-webhook-\(target)"] ?? []
        if !steps.contains(where: { $0.kind == "handed" && $0.message == issued.message }) {
          wrong.append("\(issued.message) was never handed to \(target)")
        }
        if awaited.contains(issued.message), !came.contains(issued.message) {
          wrong.append("\(issued.message) was called delivered, and never came to \(target)")
        }
      }
    }
  }

  /// At one receiver: what the log calls delivered and nothing else, as often as it was attempted, in order, and in time.
  private mutating func arrivals(_ target: String, _ came: [WebhookReceiver.Letter], _ log: WarningLog) {
    letters += came.count
    let steps = log.deliveries.filter { $0.key.hasSuffix("-webhook-\(target)") }.flatMap(\.value)
    let byMessage = Dictionary(grouping: steps, by: \.message)
    let arrived = Dictionary(grouping: came, by: \.id)
    for (message, steps) in byMessage where steps.contains(where: { $0.kind == "delivered" }) && arrived[message] == nil {
      wrong.append("\(message) is called delivered, and never came to \(target)")
    }
    for (message, letters) in arrived {
      let steps = byMessage[message] ?? []
      let attempts = steps.count { $0.kind == "attempted" }
      let unknown = steps.count { $0.kind == "failed" && $0.mayHaveArrived }
      repeated += letters.count - 1
      if letters.count > attempts { wrong.append("\(message) came to \(target) \(letters.count) times in \(attempts) attempts") }
      if letters.count > unknown + 1 { wrong.append("\(message) came to \(target) \(letters.count) times, and \(unknown) attempts were in doubt") }
      // Decided in time, and then the process may have been held for a while.
      if let expires = log.expires[message], let late = letters.map(\.time).max(), late > expires + .seconds(10) {
        wrong.append("\(message) came to \(target) at \(late.rfc3339), and was over at \(expires.rfc3339)")
      }
    }
    var newest: [String: Int] = [:]
    for letter in came {
      guard let place = log.places[letter.id] else { continue }
      if let before = newest[place.alert], before > place.index { wrong.append("\(letter.id) came to \(target) after what is newer") }
      newest[place.alert] = max(newest[place.alert] ?? 0, place.index)
    }
  }
}
