import HTTP
import JSON
import SensorDomain
import Time

/// HistoricalLocations: made when a thing is relocated; noted, corrected and withdrawn by hand. A thing's place does not change by it.
extension RegistryRoutes {
  func historicalLocations() -> [Route] {
    [
      post(.historicalLocation, "Note where a thing was") { commands, _, body in
        let noted = try await commands.noteHistory(body)
        return Self.written(201, noted)
      },
      patch(.historicalLocation, "Correct when or where a thing was") { commands, request, body in
        let (thing, known) = try await history(request)
        return Self.written(200, try await commands.changeHistory(thing, known, body))
      },
      delete(.historicalLocation, "Withdraw one") { commands, request, _ in
        let (thing, known) = try await history(request)
        try await commands.withdrawHistory(known.historicalLocation, of: thing)
        return STAService.Written(status: 200)
      },
    ]
  }

  private static func written(_ status: Int, _ noted: Relocation) -> STAService.Written {
    STAService.Written(status: status, type: .historicalLocation, id: noted.historicalLocation, values: [("time", .string(noted.time.rfc3339))])
  }

  /// The thing that it belongs to, and what is known of it.
  private func history(_ request: Request) async throws -> (thing: Int64, Relocation) {
    let id = try request.integerParameter("id")
    try await service.caughtUp([])
    let rows = try await service.pool.query(
      """
      select h.thing_id, h.time, array(select p.location_id from historical_location_locations p where p.historical_location_id = h.id order by 1)
      from historical_locations h where h.id = \(id)
      """)
    guard let row = rows.first else { throw Problem.notFound("There is no HistoricalLocation \(id).") }
    let (thing, time, locations) = try row.decode(Int64.self, Instant.self, [Int64].self)
    return (thing, Relocation(locations: locations, historicalLocation: id, time: time))
  }
}

extension RegistryCommands {
  fileprivate static let historyFields = ["time", "Thing", "Locations"]

  fileprivate mutating func noteHistory(_ value: JSONValue) async throws -> Relocation {
    let body = try STABody(value, path: "", known: Self.historyFields)
    guard let thing = try body["Thing"].flatMap({ (value) throws(JSONRejection) in try STABody.link(value, path: "Thing") }) else {
      throw JSONRejection(path: "Thing", problem: "the field is missing", expected: "{\"@iot.id\": ...} of a thing")
    }
    guard let time = try self.time(body) else { throw JSONRejection(path: "time", problem: "the field is missing", expected: "a time with a zone") }
    let locations = try await links(Location.self, body, "Locations")
    return try await note(Relocation(locations: locations, historicalLocation: draw("historical_locations"), time: time), of: thing)
  }

  fileprivate mutating func changeHistory(_ thing: Int64, _ known: Relocation, _ value: JSONValue) async throws -> Relocation {
    let body = try STABody(value, path: "", known: Self.historyFields)
    if body.has("Thing") { throw JSONRejection(path: "Thing", problem: "cannot change", expected: "a new HistoricalLocation of the other thing") }
    let locations = try await links(Location.self, body, "Locations")
    return try await note(
      Relocation(
        locations: locations.isEmpty ? known.locations : locations, historicalLocation: known.historicalLocation, time: self.time(body) ?? known.time),
      of: thing)
  }

  fileprivate mutating func withdrawHistory(_ id: Int64, of thing: Int64) async throws {
    switch try await unit.state(ThingDecider.self, thing) {
    case .active(let own, _), .retired(let own): try check(own.city, at: "Thing")
    case .unknown, .deleted: break
    }
    try await unit.decide(ThingDecider.self, thing, .withdrawHistory(id: thing, historicalLocation: id))
  }

  private mutating func note(_ relocation: Relocation, of thing: Int64) async throws -> Relocation {
    _ = try await activeThing(thing)
    try await unit.decide(ThingDecider.self, thing, .noteHistory(id: thing, relocation))
    return relocation
  }

  private func time(_ body: STABody) throws(JSONRejection) -> Instant? {
    guard let text = try body.optionalText("time") else { return nil }
    guard let time = Instant(rfc3339: text) else {
      throw JSONRejection(path: "time", problem: "'\(text.prefix(40))' is no time", expected: "a time with a zone, as 2026-11-21T10:00:00Z")
    }
    return time
  }
}
