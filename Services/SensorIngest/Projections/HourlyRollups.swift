import EventSourcing
import Postgres
import Time

/// One hour (UTC) of one datastream.
struct ObservationHour: Hashable, Sendable {
  let datastream: Int64
  let start: Instant

  init(datastream: Int64, start: Instant) {
    self.datastream = datastream
    self.start = start
  }

  init(_ key: ObservationKey) {
    datastream = key.datastream
    start = Instant(milliseconds: key.phenomenonTime.milliseconds / 3_600_000 * 3_600_000)
  }
}

/// Computes rows of `observation_hours` from the stored readings of the hour, so that revisions and withdrawals need no rule of their own and the order of
/// arrival leaves no trace.
enum HourlyRollups {
  static let table = ProjectionTable(name: "observation_hours", key: ["datastream_id", "hour"])

  /// Computes these hours anew.
  static func recompute(_ hours: Set<ObservationHour>, in tables: TableNames = TableNames(), on connection: isolated PostgresConnection) throws {
    guard !hours.isEmpty else { return }
    let datastreams = hours.map(\.datastream)
    let starts = hours.map(\.start)
    _ = try connection.execute(
      """
      delete from \(tables[table.name]) h using unnest(\(datastreams), \(starts)) touched(datastream_id, hour)
      where h.datastream_id = touched.datastream_id and h.hour = touched.hour
      """)
    // The moments are bounds of the index and of the partitions; the lateral join reads one hour at a time.
    _ = try connection.execute(
      """
      insert into \(tables[table.name]) (datastream_id, hour, readings, plausible, minimum, maximum, total)
      select touched.datastream_id, touched.hour, found.* from unnest(\(datastreams), \(starts)) touched(datastream_id, hour)
      cross join lateral (
        select count(*) as readings, \(unsafe: sums) from observations o
        where o.datastream_id = touched.datastream_id and o.phenomenon_time >= touched.hour
          and o.phenomenon_time < touched.hour + interval '1 hour' and not o.withdrawn
      ) found where found.readings > 0
      """)
  }

  /// Computes the hours of some datastreams in one partition of the stored rows, whose bounds are those of hours, into tables that have none of them yet.
  /// - Parameter datastreams: nil for all of them.
  static func build(
    from partition: String, _ datastreams: ClosedRange<Int64>?, in tables: TableNames, on connection: isolated PostgresConnection
  ) throws {
    let some: SQL = datastreams.map { "and datastream_id between \($0.lowerBound) and \($0.upperBound)" } ?? ""
    _ = try connection.execute(
      """
      insert into \(tables[table.name]) (datastream_id, hour, readings, plausible, minimum, maximum, total)
      select datastream_id, date_trunc('hour', phenomenon_time, 'UTC'), count(*), \(unsafe: sums)
      from \(identifier: partition) o where not o.withdrawn \(some) group by 1, 2
      """)
  }

  /// What is implausible is kept and counted, and would spoil every mean.
  static let sums = """
    count(number) filter (where not implausible), min(number) filter (where not implausible), max(number) filter (where not implausible),
    sum(number::numeric) filter (where not implausible)
    """
}
