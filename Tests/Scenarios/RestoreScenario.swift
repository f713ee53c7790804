import Foundation
import HTTP
import JSON
import Postgres
import TestSupport
import Testing
import Time

/// What `ops/backup` and `ops/restore` promise, with both as an administrator runs them.
@Suite("A city and its backup", .serialized)
struct RestoreScenario {
  @Test("comes back on an empty machine with everything acknowledged before the backup, and whoever has seen more is stopped and told what is gone")
  func comesBack() async throws {
    try await RunningCity.with { city in
      let token = try await city.token("sensor-operator")
      let kept = try await [Station.register("Rathaus", in: city, token), Station.register("Ruhrwiesen", in: city, token)]
      let load = try await MixedLoad(on: city, senders: 4, seed: 20_300_101)
      let begun = ContinuousClock.now
      try await Browser.until("the load is under way") { load.isAcknowledged(after: begun) }

      let backups = city.home + "-backups"
      defer { try? FileManager.default.removeItem(atPath: backups) }
      let made = try await city.script("backup", ["--postgres", city.database.conninfo, backups])
      #expect(made.code == 0, "\(made.output)")
      let backedUp = ContinuousClock.now
      try await Browser.until("the load goes on after the backup") { load.isAcknowledged(after: backedUp) }
      let gone = try await Station.register("Phoenixsee", in: city, token)
      let ledger = try await load.finish()
      #expect(ledger.unexpected == [])
      let seen = try await city.registryCheckpoint(caughtUpWith: gone)

      let refused = try await city.script("restore", ["--replace", "--data", city.database.data, backups])
      #expect(refused.code == 1 && refused.output.contains("Parts of this city are running"), "\(refused.output)")
      await city.end(with: SIGKILL)
      try await city.database.stop(.immediate)
      for lost in [city.database.data, city.home + "/development-key"] { try FileManager.default.removeItem(atPath: lost) }

      let restored = try await city.script("restore", ["--data", city.database.data, backups])
      #expect(restored.code == 0 && restored.output.contains("No checkpoint lies beyond what was restored."), "\(restored.output)")
      try #require(restored.output.contains("dos_sensors: epoch "))
      try await city.database.start()
      try await standsStillAndIsRebuilt(city, seen)

      for station in kept {
        #expect(try await city.get("/sensors/v1.1/Things(\(station.thing))")["name"]?.string == station.name)
        let found = try await city.get("/sensors/v1.1/Datastreams(\(station.datastream))/Observations", query: [("$orderby", "phenomenonTime")])
        #expect(found["value"]?.array?.compactMap { $0["result"]?.double } == Station.results)
        #expect(found["value"]?.array?.compactMap { $0["@iot.id"]?.int }.sorted() == station.readings.sorted())
      }
      await #expect(throws: RunningCity.Failure.self) { try await city.get("/sensors/v1.1/Things(\(gone.thing))") }

      // The token is of the key from before.
      let new = try await Station.register("Hafen", in: city, token)
      let things = ledger.things.values.compactMap { $0 } + [gone.thing]
      let readings = ledger.readings.values.flatMap { $0 }.compactMap(\.id) + gone.readings
      #expect(new.thing > things.max() ?? 0)
      #expect(new.readings.min() ?? 0 > readings.max() ?? .max)
      for projection in ["registry", "rollups", "observations"] {
        let (code, output) = try await city.run(["replay", projection, "--verify"] + city.storage)
        #expect(code == 0 && output.contains("0 differences"), "\(projection): \(output)")
      }
    }
  }

  /// Gives the registry's read model the checkpoint it had when all was lost, as if its database had not been restored with the others.
  private func standsStillAndIsRebuilt(_ city: RunningCity, _ seen: RegistryCheckpoint) async throws {
    let epochBegan = try await city.placeRegistryCheckpoint(seen)
    try city.launchServer()
    var report = ""
    try await Browser.until("the registry stands still") {
      report = try await city.health("ready").text
      return report.contains("stands still")
    }
    #expect(report.contains("began without the events \(epochBegan) to \(seen.position - 1); stopped, rebuild with dos replay"), "\(report)")
    let (code, output) = try await city.run(["replay", "registry"] + city.storage)
    #expect(code == 0 && output.contains("built anew"), "\(output)")
    try await Browser.until("the city is ready") { try await city.health("ready").status == 200 }
  }

  @Test("has no backup that is not complete: what a killed run left is cleared, and a damaged one is refused")
  func incomplete() async throws {
    try await RunningCity.with { city in
      let backups = city.home + "-backups"
      defer { try? FileManager.default.removeItem(atPath: backups) }
      let leftover = backups + "/2030-01-01T00-00-00Z.unfinished"
      try FileManager.default.createDirectory(atPath: leftover + "/postgres", withIntermediateDirectories: true)
      let none = try await city.script("restore", [backups])
      #expect(none.code == 1 && none.output.contains("There is no backup in \(backups)"), "\(none.output)")
      let unfinished = try await city.script("restore", [leftover])
      #expect(unfinished.code == 1 && unfinished.output.contains("was never finished"), "\(unfinished.output)")

      for _ in 0..<2 {
        let made = try await city.script("backup", ["--keep", "1", "--postgres", city.database.conninfo, backups])
        #expect(made.code == 0, "\(made.output)")
      }
      let all = try FileManager.default.contentsOfDirectory(atPath: backups).filter { !$0.hasPrefix(".") }
      let backup = try backups + "/" + #require(all.first)
      #expect(all.count == 1 && !FileManager.default.fileExists(atPath: leftover), "\(all)")
      let away = try await city.script("backup", ["--postgres", "host=/nowhere user=postgres", backups])
      #expect(away.code == 1 && away.output.contains("PostgreSQL cannot be asked"), "\(away.output)")

      await city.end(with: SIGTERM)
      let running = try await city.script("restore", ["--replace", "--data", city.database.data, backup])
      #expect(running.code == 1 && running.output.contains("A PostgreSQL runs on"), "\(running.output)")
      try await city.database.stop(.fast)
      let filled = try await city.script("restore", ["--data", city.database.data, backup])
      #expect(filled.code == 1 && filled.output.contains("There is a city already"), "\(filled.output)")

      try "16".write(toFile: backup + "/postgres/global/pg_filenode.map", atomically: false, encoding: .utf8)
      let target = city.home + "-data"
      let damaged = try await city.script("restore", ["--data", target, backup])
      #expect(damaged.code == 1 && damaged.output.contains("The backup is not what it was"), "\(damaged.output)")
      #expect(!FileManager.default.fileExists(atPath: target))
    }
  }
}

/// Where a subscription stands.
private struct RegistryCheckpoint: Sendable {
  let position: Int64
  let epoch: Int64
  let journalOffset: Int64
}

extension RunningCity {
  /// Runs a script of `ops` with this city's home, to its end.
  fileprivate func script(_ name: String, _ arguments: [String]) async throws -> (code: Int32, output: String) {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let path = home + "/script-\(UUID().uuidString)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, "DOS_HOME": home, "DOS_UNSAFE_DURABILITY": "1"]
    let code = try await Program(root.appendingPathComponent("ops/\(name)").path, arguments, environment: environment, output: descriptor).end()
    return (code, try String(contentsOfFile: path, encoding: .utf8))
  }

  /// Where the registry's read model stands, once it has taken what made a station.
  fileprivate func registryCheckpoint(caughtUpWith station: Station? = nil) async throws -> RegistryCheckpoint {
    if let station { #expect(try await get("/sensors/v1.1/Things(\(station.thing))")["name"]?.string == station.name) }
    return try await withSensors { pool in
      let rows = try await pool.query("select position, epoch, journal_offset from dos_checkpoints where subscription = 'registry'")
      let (position, epoch, offset) = try #require(rows.first).decode(Int64.self, Int64.self, Int64.self)
      return RegistryCheckpoint(position: position, epoch: epoch, journalOffset: offset)
    }
  }

  /// Answers with the offset of the record that opens the Journal's latest epoch: the first that is not what it was before the restore.
  fileprivate func placeRegistryCheckpoint(_ checkpoint: RegistryCheckpoint) async throws -> Int64 {
    try await withSensors { pool in
      try await pool.execute(
        """
        update dos_checkpoints set position = \(checkpoint.position), epoch = \(checkpoint.epoch), journal_offset = \(checkpoint.journalOffset)
        where subscription = 'registry'
        """)
      let rows = try await pool.query("select log_offset from journal_events where stream = 'epoch/0' order by log_offset desc limit 1")
      return try #require(rows.first).decode(Int64.self)
    }
  }

  private func withSensors<T>(_ body: (PostgresPool) async throws -> T) async throws -> T {
    let pool = PostgresPool(database.configuration(database: "dos_sensors"), size: 1)
    let result: Result<T, any Error>
    do { result = .success(try await body(pool)) } catch { result = .failure(error) }
    await pool.close()
    return try result.get()
  }
}
