import ServiceKit

/// `dos migrate`: brings every database to what this program expects, and ends.
enum MigrateCommand {
  static let command = Command(
    "migrate", "bring the databases of all services, or of those named, up to date", arguments: .any("service"),
    settings: ProcessSettings.storage + CityServices.settings
  ) { call in
    let services = try CityServices.named(call.arguments.isEmpty ? ["all"] : call.arguments)
    let foundations = try await Foundations(for: services, call.settings, log: call.settings.log)
    await foundations.close()
    print("Up to date: \(services.map(\.database).joined(separator: ", "))")
    return 0
  }
}
