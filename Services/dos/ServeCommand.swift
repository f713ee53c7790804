import Foundation
import ServiceKit

/// `dos serve all|<service>...`: runs services until it is asked to stop.
enum ServeCommand {
  static let command = Command(
    "serve", "run all services in one process, or those named", arguments: .oneOrMore("all|service"), settings: ProcessSettings.serving + CityServices.settings
  ) { call in
    let services = try CityServices.named(call.arguments)
    let log = call.settings.log
    do {
      try await CityProcess(services, settings: call.settings, log: log).run(signals: Signal.stream())
      return 0
    } catch let error as SettingsRejection {
      throw error
    } catch {
      log.error("\(error)")
      return 1
    }
  }
}
