import CAP
import Foundation
import Postgres
import Time

/// What others warn of, folded as their messages come in: whoever asks pays for what is new alone.
actor ForeignBoard {
  private let pool: PostgresPool
  private var alerts = ForeignAlerts()
  /// Where the last message that is taken stands.
  private var reached: Int64 = -1
  private var folded: (inForce: [ForeignChain.InForce], at: Instant)?

  /// Messages sent before concern nobody any more.
  private static let oldest = Duration.seconds(31 * 86_400)
  /// How long an answer stands where no message comes: what begins or expires is seen this much later.
  private static let stands = Duration.seconds(1)

  init(pool: PostgresPool) {
    self.pool = pool
  }

  /// What holds at that moment.
  func inForce(at now: Instant) async throws -> [ForeignChain.InForce] {
    while try await takeMore(now) {}
    if let folded, folded.at <= now, now - folded.at < Self.stands { return folded.inForce }
    alerts.forget(endedBefore: now)
    let inForce = alerts.chains(at: now).flatMap(\.inForce)
    folded = (inForce, now)
    return inForce
  }

  /// - Returns: whether there is more.
  private func takeMore(_ now: Instant) async throws -> Bool {
    let limit = 200
    let rows = try await pool.query(
      """
      select place, sender, identifier, sent, document from foreign_messages where place > \(reached) and sent > \(now - Self.oldest)
      order by place limit \(Int64(limit))
      """)
    for row in rows {
      let (place, sender, identifier, sent, document) = try row.decode(Int64.self, String.self, String.self, Instant.self, String.self)
      // A document may be a feed of several, as it came where it could not be written anew.
      for case .success(let reading) in (try? CAPReader.readAll(Array(document.utf8))) ?? []
      where reading.alert.sender == sender && reading.alert.identifier == identifier && reading.alert.sent == sent {
        alerts.take(reading.alert)
      }
      reached = max(reached, place)
      folded = nil
    }
    return rows.count == limit
  }
}
