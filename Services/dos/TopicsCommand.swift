import Broker
import ServiceKit

/// `dos topics`: what the services publish, and who answers for it.
enum TopicsCommand {
  static let command = Command("topics", "list the topics with visibility, retention and owner") { _ in
    print(text(CityServices.list.flatMap(\.topics)))
    return 0
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
