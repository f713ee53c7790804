import Postgres
import SensorIngest

/// What a newer version might do to the database of the sensors' service: a step in each scope that the version under test does not know.
enum LaterSchema {
  /// What an instance says of such a step when it starts.
  static let warning = "a newer program has migrated further"

  /// A column in every table, so that whoever counts on a table's columns being those it knows is found out; a table, an index.
  private static func sql(_ scope: String) -> String {
    """
    do $$
    declare
      v_table regclass;
    begin
      for v_table in
        select oid::regclass from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      loop
        execute format('alter table %s add column later_\(scope) text not null default ''later''', v_table);
      end loop;
    end $$;
    alter table observations add column beyond_\(scope) bigint;
    create table later_\(scope) (id bigint primary key);
    create index on observations (later_\(scope));
    """
  }

  /// As its start would, while the city runs.
  static func apply(to city: RunningCity) async throws {
    let pool = PostgresPool(city.database.configuration(database: "dos_sensors"), size: 1)
    for steps in try SensorIngestService().migrations() {
      let version = steps.migrations.count + 1
      let later = Migration(version: version, name: "000\(version)_later.sql", sql: sql(steps.scope.filter(\.isLetter)))
      try await Migrations.apply(steps.migrations + [later], scope: steps.scope, to: pool)
    }
    await pool.close()
  }
}
