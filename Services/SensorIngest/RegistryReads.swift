import Broker
import EventSourcing
import HTTP

/// Waits until the registry's read model has what was decided.
struct RegistryReads: Sendable {
  let journal: Journal
  let positions: ReadPositions

  /// For standard clients, that name no position: what this process had acknowledged when the read came, for at most 250 ms.
  static let patience = Duration.milliseconds(250)
  /// For a reader that names a position.
  static let positionPatience = Duration.seconds(5)

  /// Returns when the read model has what this process acknowledged, or the time is up.
  func ownWrites() async {
    guard let head = journal.commits.head(0) else { return }
    _ = try? await positions.wait(beyond: head, in: 0, atMost: Self.patience)
  }

  /// As above for who decides by what it reads: 503 where the read model does not come there in time, since a wrong answer would be final.
  func surely() async throws {
    if let head = journal.commits.head(0) { try await reach(head, in: 0) }
  }

  /// As above with what anybody had acknowledged, this process or another one that may have been killed since.
  func surelyAll() async throws {
    for head in try await journal.end() { try await reach(head.offset, in: head.partition) }
  }

  private func reach(_ offset: Int64, in partition: Int) async throws {
    do {
      try await positions.wait(for: .broker(partition: partition, offset: offset), timeout: Self.positionPatience)
    } catch ReadPositions.Failure.timeout {
      throw Problem.unavailable("The registry has not taken in yet what was acknowledged last. Sending the same again is safe.")
    } catch ReadPositions.Failure.parked {
      // What waits for an operator keeps nobody else out.
    }
  }

  /// Returns when the read model has what the reader's header names; 503 where it does not come there in time, 409 where an event before it is parked.
  func named(_ named: [BrokerPosition]) async throws {
    for position in named where position.topic == journal.topic.name {
      do {
        try await positions.wait(for: .broker(partition: position.partition, offset: position.offset), timeout: Self.positionPatience)
      } catch ReadPositions.Failure.timeout {
        throw Problem.unavailable("The registry has not come to \(position.topic)/\(position.partition)/\(position.offset) yet. Try again.")
      } catch ReadPositions.Failure.parked(let stream, _) {
        throw Problem.conflict("An event of \(stream) could not be taken into the read model and waits for an operator.")
      }
    }
  }
}
