import EventSourcing
import Postgres
import SensorDomain
import Time

/// Writes what a batch of the registry's decisions comes to into its tables: a statement or two per table, however many events there are. Each row depends on
/// the events of the registry's one partition and on nothing else.
struct RegistryTables {
  /// The names in the order in which they are created, with the columns that key them.
  static let keys: [(table: String, key: [String])] = [
    ("things", ["id"]), ("locations", ["id"]), ("thing_locations", ["thing_id", "location_id"]), ("historical_locations", ["id"]),
    ("historical_location_locations", ["historical_location_id", "location_id"]), ("sensors", ["id"]), ("observed_properties", ["id"]),
    ("features_of_interest", ["id"]), ("datastreams", ["id"]),
  ]

  /// Where the tables are: the live ones, or those that a replay builds beside them.
  let tables: TableNames

  func write(_ folding: RegistryFolding, on connection: isolated PostgresConnection) throws {
    // What goes makes room first: in the log a row may go and one of the same key come.
    var statements = gone(folding.places) + gone(folding.things, "things") + gone(folding.datastreams, "datastreams")
    statements += changes(folding.things) + changes(folding.datastreams)
    statements += catalogue(folding) + histories(folding.places)
    _ = try connection.pipeline(statements)
    try begin(folding.things, on: connection)
    try begin(folding.datastreams, on: connection)
  }

  // MARK: - Things

  private func begin(_ things: LifeFolding<Thing>, on connection: isolated PostgresConnection) throws {
    guard !things.begun.isEmpty else { return }
    let columns = ["id", "name", "description", "properties", "city", "governance", "registered_at", "retired_at"]
    _ = try connection.copy(into: tables.name("things"), columns: columns) { writer in
      for (id, row) in things.begun.sorted(by: { $0.key < $1.key }) {
        let thing = row.content
        try writer.row(
          id, thing.name, thing.description, thing.shownProperties.column, thing.city.rawValue, thing.governance.column, row.began, row.ended)
      }
    }
  }

  private func changes(_ things: LifeFolding<Thing>) -> [SQL] {
    var statements: [SQL] = []
    if !things.changed.isEmpty {
      let (ids, contents) = (Array(things.changed.keys), Array(things.changed.values))
      statements.append(
        """
        update \(tables["things"]) t set name = c.name, description = c.description, properties = c.properties, governance = c.governance
        from unnest(\(ids), \(contents.map(\.name)), \(contents.map(\.description)), \(contents.map(\.shownProperties.column)),
          \(contents.map(\.governance.column))) c(id, name, description, properties, governance) where t.id = c.id
        """)
    }
    return statements + ends(things, "things", "retired_at")
  }

  // MARK: - Datastreams

  private func begin(_ datastreams: LifeFolding<Datastream>, on connection: isolated PostgresConnection) throws {
    guard !datastreams.begun.isEmpty else { return }
    let columns = [
      "id", "thing_id", "sensor_id", "observed_property_id", "name", "description", "unit", "observation_type", "plausible_min", "plausible_max", "visibility",
      "reporting", "city", "governance", "properties", "opened_at", "closed_at",
    ]
    _ = try connection.copy(into: tables.name("datastreams"), columns: columns) { writer in
      for (id, row) in datastreams.begun.sorted(by: { $0.key < $1.key }) {
        let stream = row.content
        try writer.row(
          id, stream.thing, stream.sensor, stream.observedProperty, stream.name, stream.description, stream.unitOfMeasurement.shown.column,
          stream.observationType.rawValue, stream.plausibleRange?.min, stream.plausibleRange?.max, stream.visibility.rawValue, stream.reporting.column,
          stream.city.rawValue, stream.governance.column, stream.shownProperties.column, row.began, row.ended)
      }
    }
  }

  private func changes(_ datastreams: LifeFolding<Datastream>) -> [SQL] {
    var statements: [SQL] = []
    if !datastreams.changed.isEmpty {
      let (ids, contents) = (Array(datastreams.changed.keys), Array(datastreams.changed.values))
      var sql: SQL = """
        update \(tables["datastreams"]) d set name = c.name, description = c.description, unit = c.unit, plausible_min = c.plausible_min,
          plausible_max = c.plausible_max, reporting = c.reporting, governance = c.governance, properties = c.properties
        from unnest(\(ids), \(contents.map(\.name)), \(contents.map(\.description)), \(contents.map(\.unitOfMeasurement.shown.column)),
        """
      sql += " \(contents.map { $0.plausibleRange?.min }), \(contents.map { $0.plausibleRange?.max }), \(contents.map(\.reporting.column)),"
      sql += """
         \(contents.map(\.governance.column)), \(contents.map(\.shownProperties.column)))
        c(id, name, description, unit, plausible_min, plausible_max, reporting, governance, properties) where d.id = c.id
        """
      statements.append(sql)
    }
    return statements + ends(datastreams, "datastreams", "closed_at")
  }

  // MARK: - Things and datastreams

  private func gone<Content>(_ lives: LifeFolding<Content>, _ table: String) -> [SQL] {
    lives.gone.isEmpty ? [] : [delete(from: table, where: "id", Array(lives.gone))]
  }

  private func ends<Content>(_ lives: LifeFolding<Content>, _ table: String, _ column: String) -> [SQL] {
    if lives.ended.isEmpty { return [] }
    return [
      """
      update \(tables[table]) t set \(identifier: column) = c.time from unnest(\(Array(lives.ended.keys)), \(Array(lives.ended.values))) c(id, time)
      where t.id = c.id
      """
    ]
  }

  private func delete(from table: String, where column: String, _ ids: [Int64]) -> SQL {
    "delete from \(tables[table]) where \(identifier: column) = any(\(ids))"
  }

  // MARK: - Places

  private func gone(_ places: PlaceFolding) -> [SQL] {
    var statements: [SQL] = []
    let (histories, placed) = ("historical_locations", "historical_location_locations")
    if case let removed = places.removed, !removed.isEmpty {
      statements += [
        "delete from \(tables[placed]) p using \(tables[histories]) h where h.id = p.historical_location_id and h.thing_id = any(\(removed))",
        delete(from: histories, where: "thing_id", removed),
      ]
    }
    if case let locations = places.locations, !locations.isEmpty {
      statements += [
        // A place in the past that is no place any more says nothing.
        """
        delete from \(tables[histories]) h where exists (select 1 from \(tables[placed]) p
          where p.historical_location_id = h.id and p.location_id = any(\(locations))) and not exists (
          select 1 from \(tables[placed]) p where p.historical_location_id = h.id and p.location_id <> all(\(locations)))
        """,
        delete(from: placed, where: "location_id", locations), delete(from: "thing_locations", where: "location_id", locations),
      ]
    }
    if case let withdrawn = places.withdrawn, !withdrawn.isEmpty { statements.append(delete(from: histories, where: "id", withdrawn)) }
    if case let anew = places.histories, !anew.isEmpty { statements.append(delete(from: placed, where: "historical_location_id", anew)) }
    if case let things = places.things, !things.isEmpty { statements.append(delete(from: "thing_locations", where: "thing_id", things)) }
    return statements
  }

  private func histories(_ places: PlaceFolding) -> [SQL] {
    var statements: [SQL] = []
    if case let noting = places.noting, !noting.isEmpty {
      let pairs = noting.flatMap { history in history.locations.map { (history.id, $0) } }
      statements += [
        """
        insert into \(tables["historical_locations"]) (id, thing_id, time)
        select * from unnest(\(noting.map(\.id)), \(noting.map(\.thing)), \(noting.map(\.time))) on conflict (id) do update set time = excluded.time
        """,
        """
        insert into \(tables["historical_location_locations"]) (historical_location_id, location_id)
        select * from unnest(\(pairs.map(\.0)), \(pairs.map(\.1)))
        """,
      ]
    }
    if case let standing = places.standing, !standing.isEmpty {
      statements.append(
        "insert into \(tables["thing_locations"]) (thing_id, location_id) select * from unnest(\(standing.map(\.thing)), \(standing.map(\.location)))")
    }
    return statements
  }

  // MARK: - The catalogue

  private func catalogue(_ folding: RegistryFolding) -> [SQL] {
    entries(folding.locations, "locations", ["encoding_type", "location", "feature_id"]) { entries in
      "\(entries.map(\.encodingType)), \(entries.map(\.location.column)), \(entries.map(\.featureOfInterest))"
    }
      + entries(folding.sensors, "sensors", ["encoding_type", "metadata"]) { entries in
        "\(entries.map(\.encodingType)), \(entries.map(\.metadata.column))"
      }
      + entries(folding.observedProperties, "observed_properties", ["definition"]) { entries in "\(entries.map(\.definition))" }
      + entries(folding.features, "features_of_interest", ["encoding_type", "feature"]) { entries in
        "\(entries.map(\.encodingType)), \(entries.map(\.feature.column))"
      }
  }

  /// - Parameter own: the values of the columns that only this kind of entry has.
  private func entries<Entry: CatalogueEntry>(_ entries: [Int64: Entry?], _ table: String, _ columns: [String], _ own: ([Entry]) -> SQL) -> [SQL] {
    var statements: [SQL] = []
    let withdrawn = entries.filter { $0.value == nil }.map(\.key)
    if !withdrawn.isEmpty { statements.append(delete(from: table, where: "id", withdrawn)) }
    let listed = entries.compactMap { id, entry in entry.map { (id: id, entry: $0) } }.sorted { $0.id < $1.id }
    if !listed.isEmpty {
      let names = ["name", "description", "properties"] + columns
      let entries = listed.map(\.entry)
      statements.append(
        """
        insert into \(tables[table]) (id, \(unsafe: names.joined(separator: ", ")))
        select * from unnest(\(listed.map(\.id)), \(entries.map(\.name)), \(entries.map(\.description)), \(entries.map { $0.properties?.column }), \(own(entries)))
        on conflict (id) do update set \(unsafe: names.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
        """)
    }
    return statements
  }
}
