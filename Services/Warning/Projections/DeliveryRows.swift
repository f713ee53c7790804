import EventSourcing
import Foundation
import JSON
import Postgres
import Time
import WarningDomain

/// The parcels of one destination: one under way, others behind it.
struct DeliveryRows {
  let stream: String
  let tables: TableNames

  func apply(_ event: DeliveryEvent, on connection: isolated PostgresConnection) throws {
    switch event {
    case .handed(let event):
      let destination = event.destination
      let parcel = event.parcel
      try connection.execute(
        """
        insert into \(tables["deliveries"]) (stream, message, subject, channel, target, kind, status, attempts, handed, changed)
        values (\(stream), \(parcel.message), \(destination.subject), \(destination.channel.rawValue), \(destination.target as UUID?), \(parcel.kind.rawValue),
          'waiting', 0, \(event.at), \(event.at))
        """)
      let limit = parcel.expires
      if destination.channel.means == .confirmed {
        try WarningProjection.deadlines.set(Deadline(stream: stream, kind: DeadlineKind.expire.rawValue, due: limit), on: connection, tables: tables)
      }
      try takeNext(event.at, on: connection)
    case .attempted(let event):
      try connection.execute(
        """
        update \(tables["deliveries"]) set status = 'attempting', attempts = \(Int32(event.attempt)), next = null, changed = \(event.at)
        where stream = \(stream) and message = \(event.message)
        """)
      try WarningProjection.deadlines.clear(DeadlineKind.attempt.rawValue, of: stream, on: connection, tables: tables)
      let lost = event.at + DeliveryDecider.attemptLimit
      try WarningProjection.deadlines.set(Deadline(stream: stream, kind: DeadlineKind.lose.rawValue, due: lost), on: connection, tables: tables)
    case .delivered(let event):
      try connection.execute(
        """
        update \(tables["deliveries"]) set status = 'delivered', next = null, reason = null, receipt = \(try WarningJSON.text(event.receipt))::json,
          changed = \(event.at) where stream = \(stream) and message = \(event.message)
        """)
      try finish(event.at, on: connection)
    case .failed(let event):
      try connection.execute(
        """
        update \(tables["deliveries"]) set status = 'due', reason = \(event.reason), next = \(event.next), changed = \(event.at)
        where stream = \(stream) and message = \(event.message)
        """)
      try WarningProjection.deadlines.clear(DeadlineKind.lose.rawValue, of: stream, on: connection, tables: tables)
      try WarningProjection.deadlines.set(
        Deadline(stream: stream, kind: DeadlineKind.attempt.rawValue, due: event.next), on: connection, tables: tables)
    case .givenUp(let event):
      try connection.execute(
        """
        update \(tables["deliveries"]) set status = 'given-up', next = null, reason = \(event.reason.map { "\(event.why.rawValue): \($0)" } ?? event.why.rawValue),
          changed = \(event.at) where stream = \(stream) and message = \(event.message)
        """)
      try finish(event.at, on: connection)
    }
  }

  /// What was under way is through: the one behind it is due.
  private func finish(_ at: Instant, on connection: isolated PostgresConnection) throws {
    try WarningProjection.deadlines.clear(DeadlineKind.attempt.rawValue, of: stream, on: connection, tables: tables)
    try WarningProjection.deadlines.clear(DeadlineKind.lose.rawValue, of: stream, on: connection, tables: tables)
    try takeNext(at, on: connection)
  }

  private func takeNext(_ at: Instant, on connection: isolated PostgresConnection) throws {
    let moved = try connection.query(
      """
      update \(tables["deliveries"]) set status = 'due', next = \(at) where stream = \(stream)
        and message = (select message from \(tables["deliveries"]) where stream = \(stream) and status = 'waiting' order by handed, message limit 1)
        and not exists (select 1 from \(tables["deliveries"]) where stream = \(stream) and status in ('due', 'attempting'))
      returning channel
      """)
    guard let channel = try moved.first?.value(String.self, at: 0).asChannel else {
      if try connection.query("select 1 from \(tables["deliveries"]) where stream = \(stream) and status in ('due', 'attempting')").isEmpty {
        try WarningProjection.deadlines.clear(stream, on: connection, tables: tables)
      }
      return
    }
    if channel.means == .sent {
      try WarningProjection.deadlines.set(Deadline(stream: stream, kind: DeadlineKind.attempt.rawValue, due: at), on: connection, tables: tables)
    }
  }
}

extension String {
  fileprivate var asChannel: Channel? { Channel(rawValue: self) }
}
