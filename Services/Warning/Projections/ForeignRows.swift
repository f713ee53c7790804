import EventSourcing
import Foundation
import Postgres

struct ForeignRows {
  let stream: String
  let place: Int64
  let tables: TableNames

  func apply(_ event: ForeignReceived, on connection: isolated PostgresConnection) throws {
    try connection.execute(
      """
      insert into \(tables["foreign_messages"]) (stream, sender, identifier, sent, document, place)
      values (\(stream), \(event.sender), \(event.identifier), \(event.sent), \(event.document), \(place)) on conflict (stream) do nothing
      """)
  }
}
