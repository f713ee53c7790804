import EventSourcing
import Postgres
import SensorDomain
import Time

/// What a batch made of the stored readings, as far as hours and days are concerned.
struct StoredReadings {
  /// Rows of datastreams and times that had none before. They add to their hours.
  var added: [StoredObservation] = []
  /// Hours in which a row was replaced or withdrawn. They are computed anew.
  var changed: Set<ObservationHour> = []
}

/// Keeps `observation_hours` and `observation_days` in the transaction that stores the readings.
///
/// A row that was not there before is added to its hour and day: it is stored once, whatever comes twice, and sums of `numeric` do not depend on the order. All
/// else (revisions, withdrawals) is computed anew from the stored rows, so that it needs no rule of its own.
enum Rollups {
  static func update(_ stored: StoredReadings, on connection: isolated PostgresConnection) throws {
    let fresh = stored.added.filter { !stored.changed.contains(ObservationHour($0.key)) }
    let hours = stored.changed.union(fresh.map { ObservationHour($0.key) })
    guard !hours.isEmpty else { return }
    try HourlyRollups.recompute(stored.changed, on: connection)
    try DailyRollups.recompute(stored.changed, on: connection)
    let answers = try connection.pipeline([TouchedHours.question, addition(of: fresh.filter { !$0.withdrawn })])
    try TouchedHours.note(hours, answer: answers[0], on: connection)
  }

  private static func addition(of rows: [StoredObservation]) -> SQL {
    """
    with added(datastream_id, hour, readings, plausible, minimum, maximum, total) as (
      select datastream_id, hour, count(*), \(unsafe: HourlyRollups.sums)
      from unnest(\(rows.map(\.key.datastream)), \(rows.map { ObservationHour($0.key).start }), \(rows.map(\.observation.result.number)),
        \(rows.map(\.implausible))) o(datastream_id, hour, number, implausible) group by 1, 2
    ), hours as (
      insert into observation_hours as known (\(unsafe: columns("hour"))) select * from added
      on conflict (datastream_id, hour) do update set \(unsafe: sums)
    )
    insert into observation_days as known (\(unsafe: columns("day")))
    select datastream_id, (hour at time zone 'Europe/Berlin')::date, sum(readings)::bigint, \(unsafe: DailyRollups.sums) from added group by 1, 2
    on conflict (datastream_id, day) do update set \(unsafe: sums)
    """
  }

  private static func columns(_ span: String) -> String { "datastream_id, \(span), readings, plausible, minimum, maximum, total" }

  /// `least` and `greatest` pass over null, a sum does not.
  private static let sums = """
    readings = known.readings + excluded.readings, plausible = known.plausible + excluded.plausible,
    minimum = least(known.minimum, excluded.minimum), maximum = greatest(known.maximum, excluded.maximum),
    total = case when known.total is null then excluded.total when excluded.total is null then known.total else known.total + excluded.total end
    """
}

extension ObservedResult {
  fileprivate var number: Double? { if case .number(let number) = self { number } else { nil } }
}
