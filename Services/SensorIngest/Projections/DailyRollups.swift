import EventSourcing
import Postgres
import Time

/// Computes rows of `observation_days`: days of the city, added up from the hours they are made of.
enum DailyRollups {
  static let table = ProjectionTable(name: "observation_days", key: ["datastream_id", "day"])

  /// Computes the days of these hours anew; the hours must be right already.
  static func recompute(_ hours: Set<ObservationHour>, in tables: TableNames = TableNames(), on connection: isolated PostgresConnection) throws {
    struct Day: Hashable {
      let datastream: Int64
      let day: CityDay
    }
    let days = Set(hours.map { Day(datastream: $0.datastream, day: CityDay($0.start)) })
    guard !days.isEmpty else { return }
    let datastreams = days.map(\.datastream)
    let starts = days.map(\.day.start)
    let ends = days.map(\.day.end)
    let names = days.map(\.day.iso8601)
    _ = try connection.execute(
      """
      delete from \(tables[table.name]) d using unnest(\(datastreams), \(names)) touched(datastream_id, day)
      where d.datastream_id = touched.datastream_id and d.day = touched.day::date
      """)
    _ = try connection.execute(
      """
      insert into \(tables[table.name]) (datastream_id, day, readings, plausible, minimum, maximum, total)
      select touched.datastream_id, touched.day::date, found.*
      from unnest(\(datastreams), \(names), \(starts), \(ends)) touched(datastream_id, day, starts, ends)
      cross join lateral (
        select sum(readings)::bigint as readings, \(unsafe: sums) from \(tables[HourlyRollups.table.name]) h
        where h.datastream_id = touched.datastream_id and h.hour >= touched.starts and h.hour < touched.ends
      ) found where found.readings > 0
      """)
  }

  /// Computes all days from the hours beside them, into a table that has none yet.
  static func build(in tables: TableNames, on connection: isolated PostgresConnection) throws {
    _ = try connection.execute(
      """
      insert into \(tables[table.name]) (datastream_id, day, readings, plausible, minimum, maximum, total)
      select datastream_id, (hour at time zone 'Europe/Berlin')::date, sum(readings)::bigint, \(unsafe: sums)
      from \(tables[HourlyRollups.table.name]) group by 1, 2
      """)
  }

  static let sums = "sum(plausible)::bigint, min(minimum), max(maximum), sum(total)"
}
