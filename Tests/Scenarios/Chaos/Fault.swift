/// What happens to a city's programs and their disk.
enum Fault: String, CaseIterable, Sendable {
  /// SIGKILL to one process of the city, its forwarder with it.
  case killedInstance
  case killedInstances
  /// SIGKILL to the process of the warnings, where they have one.
  case killedWarnings
  case killedPostgres
  /// SIGKILL to one process of PostgreSQL: the others follow, and it recovers by itself.
  case killedBackend
  case killedKafka
  /// Everything at once, as when the power goes and comes back.
  case killedAll
  /// SIGSTOP, for shorter or longer than a lease lasts, and SIGCONT.
  case pausedInstance
  case pausedWarnings
  case pausedPostgres
  case pausedKafka
  /// Every connection to PostgreSQL and Kafka, while all of them live.
  case cutConnections
  /// No room is left for PostgreSQL nor Kafka, for a moment.
  case fullDisk

  /// What may happen to a city, as often as it stands here.
  static func urn(for city: RunningCity) -> [Fault] {
    var urn: [Fault] = [
      .killedInstance, .killedInstance, .killedInstance, .killedInstance, .killedPostgres, .killedPostgres, .killedPostgres, .killedBackend, .killedAll,
      .pausedInstance, .pausedInstance, .pausedPostgres, .cutConnections,
    ]
    if city.kafka != nil { urn += [.killedKafka, .killedKafka, .killedKafka, .pausedKafka, .killedInstances, .cutConnections] }
    if city.warnsApart { urn += [.killedWarnings, .killedWarnings, .killedWarnings, .pausedWarnings] }
    if city.disk != nil { urn.append(.fullDisk) }
    return urn
  }
}
