import SensorIngest
import ServiceKit
import Warning

/// The services there are. `all` is another name in the list.
enum CityServices {
  static let list: [any Service] = [SensorIngestService(), WarningService()]

  /// The services that words on the command line name, each once and in the order of the list.
  static func named(_ words: [String]) throws(SettingsRejection) -> [any Service] {
    let names = list.map(\.name)
    for word in words where word != "all" && !names.contains(word) {
      throw SettingsRejection([.wrongArguments(expected: "all or some of the services \(names.joined(separator: ", ")), and not \"\(word)\"")])
    }
    return words.contains("all") ? list : list.filter { words.contains($0.name) }
  }

  /// The settings of all services: one may stand in a file that several processes read.
  static var settings: [Setting] { list.flatMap(\.settings) }
}
