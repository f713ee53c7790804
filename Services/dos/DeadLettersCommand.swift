import ServiceKit

/// `dos dead-letters list|retry`: the events that projections could not take.
enum DeadLettersCommand {
  private static let projection = SettingKey<String?>.text("projection", "NAME", sources: .commandLine, help: "Only those of one projection")

  static let list = Command(
    "dead-letters list", "list the events that projections could not take, with the cause",
    settings: [projection.setting] + ProcessSettings.storage + CityServices.settings
  ) { call in
    let only = call.settings[projection]
    var count = 0
    try await eachBox(call) { box in
      for note in try await box.list() where only == nil || note.projection == only {
        count += 1
        print("\(note.parkedAt.rfc3339)  \(note.projection)  \(note.stream)  \(note.event)\n  \(note.cause)")
      }
    }
    print(count == 0 ? "Nothing is parked." : "\(count) parked.")
    return 0
  }

  static let retry = Command(
    "dead-letters retry", "try what is parked again, in order", settings: [projection.setting] + ProcessSettings.storage + CityServices.settings
  ) { call in
    let only = call.settings[projection]
    var done = 0
    var left = 0
    try await eachBox(call) { box in
      done += try await box.retry(projection: only)
      left += try await box.list().count { only == nil || $0.projection == only }
    }
    print("\(done) went through, \(left) still parked.")
    return left == 0 ? 0 : 1
  }

  private static func eachBox(_ call: Command.Call, _ body: (any DeadLetterBox) async throws -> Void) async throws {
    let foundations = try await Foundations(for: CityServices.own(call.settings), call.settings, log: call.settings.log)
    do {
      for service in foundations.services { try await body(try await service.deadLetters(foundations.context(for: service))) }
    } catch {
      await foundations.close()
      throw error
    }
    await foundations.close()
  }
}
