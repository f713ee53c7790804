import Broker
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("When the server stops hard and starts again, the broker on PostgreSQL") struct ServerStopTests {
  @Test("refuses at once while it is down, then goes on by itself, and readers miss nothing that was acknowledged", .timeLimit(.minutes(2)))
  func stop() async throws {
    try await OwnServer.running { server in
      // Opened as in production: the server flushes, or it would be refused.
      let broker = try await PostgresBroker.open(server.configuration())
      let things = topic(partitions: 1)
      try await broker.declare([things])
      let read = Mutex<[UUID]>([])
      let reader = try await broker.reader(topic: things, partition: 0, from: 0)
      let reading = Task {
        while !Task.isCancelled {
          do {
            let events = try await reader.next(limit: 50, wait: .milliseconds(200))
            read.withLock { $0 += events.map(\.event.id) }
          } catch {
            guard case BrokerError.unavailable = error else { throw error }
            try await Task.sleep(for: .milliseconds(20))
          }
        }
      }
      var acknowledged: [UUID] = []
      for round in 0..<3 {
        if round > 0 {
          try await server.stop()
          for _ in 0..<3 { try await isRefused(broker, things) }
          try await server.start()
        }
        let end = ContinuousClock.now + .seconds(20)
        var stored = 0
        while stored < 30, ContinuousClock.now < end {
          let batch = outgoing(things, ["\(round)"], partition: 0)
          if (try? await broker.publish(batch)) != nil {
            acknowledged.append(batch[0].event.id)
            stored += 1
          } else {
            try await Task.sleep(for: .milliseconds(20))
          }
        }
        #expect(stored == 30)
      }
      let end = ContinuousClock.now + .seconds(20)
      let wanted = Set(acknowledged)
      while !wanted.isSubset(of: read.withLock { $0 }), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(10)) }
      reading.cancel()
      _ = await reading.result
      let all = read.withLock { $0 }
      #expect(all.filter(wanted.contains) == acknowledged)
      #expect(Set(all).count == all.count)
      await broker.close()
    }
  }

  private func isRefused(_ broker: PostgresBroker, _ topic: Topic) async throws {
    let start = ContinuousClock.now
    do {
      _ = try await broker.publish(outgoing(topic, ["lost"], partition: 0))
      Issue.record("acknowledged while the server was down")
    } catch {
      guard case .unavailable = error else { throw error }
    }
    #expect(ContinuousClock.now - start < .seconds(2))
  }
}
