import Foundation
import Postgres
import SensorDomain

/// Writes the registry's decisions into its tables. Each row depends on the events of the registry's one partition and on nothing else.
struct RegistryTables {
  /// The names in the order in which they are created, with the columns that key them.
  static let keys: [(table: String, key: [String])] = [
    ("things", ["id"]), ("locations", ["id"]), ("thing_locations", ["thing_id", "location_id"]), ("historical_locations", ["id"]),
    ("historical_location_locations", ["historical_location_id", "location_id"]), ("sensors", ["id"]), ("observed_properties", ["id"]),
    ("features_of_interest", ["id"]), ("datastreams", ["id"]),
  ]

  /// Where a table is: the live one, or one that a replay builds beside it.
  let name: @Sendable (String) -> String

  init(_ name: @escaping @Sendable (String) -> String = { $0 }) { self.name = name }

  private func table(_ table: String) -> SQL { "\(identifier: name(table))" }

  /// Statements that travel together: one round trip for so many.
  private static let together = 500

  func apply(_ events: [RegistryEvent], on connection: isolated PostgresConnection) throws {
    var waiting: [SQL] = []
    for event in events {
      waiting += try statements(event)
      guard waiting.count >= Self.together else { continue }
      _ = try connection.pipeline(waiting)
      waiting = []
    }
    _ = try connection.pipeline(waiting)
  }

  private func statements(_ event: RegistryEvent) throws -> [SQL] {
    switch event {
    case .thing(let event): try statements(event)
    case .datastream(let event): try statements(event)
    case .location(.registered(let record)), .location(.changed(let record)): try upsert(record)
    case .location(.withdrawn(let withdrawn)):
      [
        "delete from \(table("locations")) where id = \(withdrawn.id)", "delete from \(table("thing_locations")) where location_id = \(withdrawn.id)",
        // A place in the past that is no place any more says nothing.
        """
        delete from \(table("historical_locations")) h where exists (select 1 from \(table("historical_location_locations")) p
          where p.historical_location_id = h.id and p.location_id = \(withdrawn.id)) and not exists (
          select 1 from \(table("historical_location_locations")) p where p.historical_location_id = h.id and p.location_id <> \(withdrawn.id))
        """,
        "delete from \(table("historical_location_locations")) where location_id = \(withdrawn.id)",
      ]
    case .sensor(.registered(let record)), .sensor(.changed(let record)): try upsert(record)
    case .sensor(.withdrawn(let withdrawn)): ["delete from \(table("sensors")) where id = \(withdrawn.id)"]
    case .observedProperty(.registered(let record)), .observedProperty(.changed(let record)): try upsert(record)
    case .observedProperty(.withdrawn(let withdrawn)): ["delete from \(table("observed_properties")) where id = \(withdrawn.id)"]
    case .featureOfInterest(.registered(let record)), .featureOfInterest(.changed(let record)): try upsert(record)
    case .featureOfInterest(.withdrawn(let withdrawn)): ["delete from \(table("features_of_interest")) where id = \(withdrawn.id)"]
    }
  }

  // MARK: - Things

  private func statements(_ event: ThingEvent) throws -> [SQL] {
    switch event {
    case .registered(let event):
      let thing = event.thing
      return [
        """
        insert into \(table("things")) (id, name, description, properties, city, governance, registered_at)
        values (\(event.id), \(thing.name), \(thing.description), \(try json(thing.shownProperties)), \(thing.city.rawValue), \(try json(thing.governance)),
          \(event.time))
        """
      ]
    case .changed(let event):
      let thing = event.thing
      return [
        """
        update \(table("things")) set name = \(thing.name), description = \(thing.description), properties = \(try json(thing.shownProperties)),
          governance = \(try json(thing.governance)) where id = \(event.id)
        """
      ]
    case .relocated(let event):
      let move = event.relocation
      return [
        "delete from \(table("thing_locations")) where thing_id = \(event.id)",
        "insert into \(table("thing_locations")) (thing_id, location_id) select \(event.id), unnest(\(move.locations))",
      ] + noted(move, thing: event.id)
    case .historyNoted(let event): return noted(event.relocation, thing: event.thing)
    case .historyWithdrawn(let event):
      return [
        "delete from \(table("historical_locations")) where id = \(event.historicalLocation)",
        "delete from \(table("historical_location_locations")) where historical_location_id = \(event.historicalLocation)",
      ]
    case .retired(let event):
      return ["update \(table("things")) set retired_at = \(event.time) where id = \(event.id)"]
    case .deleted(let event):
      return [
        """
        delete from \(table("historical_location_locations")) where historical_location_id in (
          select id from \(table("historical_locations")) where thing_id = \(event.id))
        """,
        "delete from \(table("historical_locations")) where thing_id = \(event.id)",
        "delete from \(table("thing_locations")) where thing_id = \(event.id)", "delete from \(table("things")) where id = \(event.id)",
      ]
    }
  }

  private func noted(_ relocation: Relocation, thing: Int64) -> [SQL] {
    let id = relocation.historicalLocation
    return [
      """
      insert into \(table("historical_locations")) (id, thing_id, time) values (\(id), \(thing), \(relocation.time))
      on conflict (id) do update set time = excluded.time
      """,
      "delete from \(table("historical_location_locations")) where historical_location_id = \(id)",
      "insert into \(table("historical_location_locations")) (historical_location_id, location_id) select \(id), unnest(\(relocation.locations))",
    ]
  }

  // MARK: - Datastreams

  private func statements(_ event: DatastreamEvent) throws -> [SQL] {
    switch event {
    case .opened(let event):
      let stream = event.datastream
      var sql: SQL = "insert into \(table("datastreams")) (id, thing_id, sensor_id, observed_property_id, name, description, unit, observation_type,"
      sql += " plausible_min, plausible_max, visibility, reporting, city, governance, properties, opened_at) values (\(event.id), \(stream.thing),"
      sql += " \(stream.sensor), \(stream.observedProperty), \(stream.name), \(stream.description), \(try json(stream.unitOfMeasurement.shown)),"
      sql +=
        " \(stream.observationType.rawValue), \(stream.plausibleRange?.min as Double?), \(stream.plausibleRange?.max as Double?), \(stream.visibility.rawValue),"
      sql += " \(try json(stream.reporting)), \(stream.city.rawValue), \(try json(stream.governance)), \(try json(stream.shownProperties)), \(event.time))"
      return [sql]
    case .changed(let event):
      let stream = event.datastream
      var sql: SQL = "update \(table("datastreams")) set name = \(stream.name), description = \(stream.description),"
      sql +=
        " unit = \(try json(stream.unitOfMeasurement.shown)), plausible_min = \(stream.plausibleRange?.min as Double?), plausible_max = \(stream.plausibleRange?.max as Double?),"
      sql += " reporting = \(try json(stream.reporting)), governance = \(try json(stream.governance)), properties = \(try json(stream.shownProperties))"
      sql += " where id = \(event.id)"
      return [sql]
    case .closed(let event):
      return ["update \(table("datastreams")) set closed_at = \(event.time) where id = \(event.id)"]
    case .deleted(let event):
      return ["delete from \(table("datastreams")) where id = \(event.id)"]
    }
  }

  // MARK: - The catalogue

  private func upsert(_ record: CatalogueRecord<Location>) throws -> [SQL] {
    let entry = record.entry
    return [
      """
      insert into \(table("locations")) (id, name, description, encoding_type, location, properties, feature_id)
      values (\(record.id), \(entry.name), \(entry.description), \(entry.encodingType), \(try json(entry.location)),
        \(try entry.properties.map(json) as JSONText?), \(entry.featureOfInterest as Int64?))
      on conflict (id) do update set name = excluded.name, description = excluded.description, encoding_type = excluded.encoding_type,
        location = excluded.location, properties = excluded.properties, feature_id = excluded.feature_id
      """
    ]
  }

  private func upsert(_ record: CatalogueRecord<Sensor>) throws -> [SQL] {
    let entry = record.entry
    return [
      """
      insert into \(table("sensors")) (id, name, description, encoding_type, metadata, properties)
      values (\(record.id), \(entry.name), \(entry.description), \(entry.encodingType), \(try json(entry.metadata)), \(try entry.properties.map(json) as JSONText?))
      on conflict (id) do update set name = excluded.name, description = excluded.description, encoding_type = excluded.encoding_type,
        metadata = excluded.metadata, properties = excluded.properties
      """
    ]
  }

  private func upsert(_ record: CatalogueRecord<ObservedProperty>) throws -> [SQL] {
    let entry = record.entry
    return [
      """
      insert into \(table("observed_properties")) (id, name, definition, description, properties)
      values (\(record.id), \(entry.name), \(entry.definition), \(entry.description), \(try entry.properties.map(json) as JSONText?))
      on conflict (id) do update set name = excluded.name, definition = excluded.definition, description = excluded.description,
        properties = excluded.properties
      """
    ]
  }

  private func upsert(_ record: CatalogueRecord<FeatureOfInterest>) throws -> [SQL] {
    let entry = record.entry
    return [
      """
      insert into \(table("features_of_interest")) (id, name, description, encoding_type, feature, properties)
      values (\(record.id), \(entry.name), \(entry.description), \(entry.encodingType), \(try json(entry.feature)), \(try entry.properties.map(json) as JSONText?))
      on conflict (id) do update set name = excluded.name, description = excluded.description, encoding_type = excluded.encoding_type,
        feature = excluded.feature, properties = excluded.properties
      """
    ]
  }

  private func json(_ value: some Encodable) throws -> JSONText {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return JSONText(Array(try encoder.encode(value)))
  }
}
