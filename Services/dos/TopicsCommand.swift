import Broker
import ServiceKit

/// `dos topics`: what the services publish, and who answers for it. `dos topics grow`: more partitions.
enum TopicsCommand {
  static let list = Command("topics", "list the topics with visibility, retention and owner, as they are made") { _ in
    print(text(CityServices.list.flatMap(\.topics) + [GrowingBroker.topic]))
    return 0
  }

  static let grow = Command(
    "topics grow", "give topics of facts more partitions, while the city is stopped", arguments: .oneOrMore("topic=partitions"),
    settings: ProcessSettings.storage + CityServices.settings
  ) { call in
    let wanted = try call.arguments.map(growth)
    let growing = TopicGrowing(try await CityServices.own(call.settings), call.settings, log: call.settings.log)
    for (topic, count) in wanted {
      let before = try await growing.grow(topic, to: count)
      print("\(topic): \(before) partitions, \(count) from now on.")
    }
    return 0
  }

  private static func growth(_ word: String) throws(SettingsRejection) -> (topic: String, count: Int) {
    let sides = word.split(separator: "=", omittingEmptySubsequences: false)
    guard sides.count == 2, let count = Int(sides[1]), count > 0 else {
      throw SettingsRejection([.wrongArguments(expected: "a topic and a number of partitions, such as dos.sensors.observations.public=32, and not \"\(word)\"")]
      )
    }
    return (String(sides[0]), count)
  }

  static func text(_ topics: [Topic]) -> String {
    topics.sorted { $0.name < $1.name }.map { topic in
      let governance = topic.governance
      let retention =
        switch governance.retention {
        case .forever: "for ever"
        case .days(let days): "\(days) days"
        }
      return """
        \(topic.name)
          partitions  \(topic.partitions)
          visibility  \(topic.visibility.rawValue)
          kept        \(retention)
          owner       \(governance.owner)
          purpose     \(governance.purpose)
          legal basis \(governance.legalBasis)
          successor   \(governance.successor)
        """
    }.joined(separator: "\n")
  }
}
