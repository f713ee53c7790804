import Foundation

extension Bench {
  /// `dos replay` of the registry and of the rollups, from the command's start to its end, with nothing else going on.
  func replay() async throws {
    let (city, _) = try await filled()
    // So many that the command's own start, the new tables' statistics and the swap, a third of a second together, count for little.
    try await city.register(settings.isQuick ? 2_000 : 100_000)
    _ = try await city.catchUp()
    try await server.analyze()
    let registry = try await city.sensors.query("select count(*) from journal_events")[0].value(Int64.self, at: 0)
    let seconds = try await replayed("registry")
    add(Figure(measure: "replay", name: "registry", value: Double(registry) / seconds, unit: "events/s", aim: .atLeast(100_000)))
    let events = try await city.broker.query(
      "select count(*) from events e join topics t on t.id = e.topic where t.name like 'dos.sensors.observations.%'")[0].value(Int64.self, at: 0)
    let rows = try await city.sensors.query("select count(*) from observations")[0].value(Int64.self, at: 0)
    let rollups = try await replayed("rollups")
    add(Figure(measure: "replay", name: "rollups, events of 10 readings", value: Double(events) / rollups, unit: "events/s", aim: .atLeast(100_000)))
    add(Figure(measure: "replay", name: "rollups, readings", value: Double(rows) / rollups, unit: "readings/s", limit: try await limits.plainCopy()))
  }

  private func replayed(_ name: String) async throws -> Double {
    say("replay: \(name)")
    let began = ContinuousClock.now
    let output = try await Command.output(".build/release/dos", ["replay", name, "--log-level", "warning"])
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    say("  \(String(format: "%.2f", seconds)) s: \(output.split(separator: "\n").last ?? "")")
    return seconds
  }
}
