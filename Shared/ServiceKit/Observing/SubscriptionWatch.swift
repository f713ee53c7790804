public import EventSourcing
import Synchronization
import Time

/// Keeps an eye on a service's subscriptions: how far behind they are and what is parked, for metrics and for readiness.
///
/// A partition that stands still, or a lag beyond the limit, makes the process unready: its reads would be old.
public final class SubscriptionWatch: Sendable {
  /// Events a projection may be behind before its reads count as old.
  public static let lagLimit: Int64 = 100_000

  private let subscriptions: [Subscription]
  private let metrics: Metrics
  private let log: Log
  private let lags: Mutex<[Int64]>

  public init(_ subscriptions: [Subscription], metrics: Metrics, log: Log) {
    self.subscriptions = subscriptions
    self.metrics = metrics
    self.log = log
    lags = Mutex([Int64](repeating: 0, count: subscriptions.count))
  }

  /// Looks every five seconds.
  public var part: Part {
    Part("subscriptions' watch") { [self] ready in
      ready()
      while !Task.isCancelled {
        for index in subscriptions.indices {
          await look(at: index)
          await tellProgress(of: subscriptions[index])
        }
        try? await Task.sleep(for: .seconds(5))
      }
    }
  }

  /// One check per subscription.
  public var checks: [HealthCheck] {
    subscriptions.indices.map { index in
      let subscription = subscriptions[index]
      return HealthCheck("projection \(subscription.name) of \(subscription.source.topic.name)") { [self] in state(of: index) }
    }
  }

  private func look(at index: Int) async {
    let subscription = subscriptions[index]
    let topic = subscription.source.topic.name
    do {
      let lag = try await subscription.lag().values.reduce(0, +)
      let oldest = lag > 0 ? try await subscription.oldestWaiting() : nil
      let parked = try await subscription.parked()
      lags.withLock { $0[index] = lag }
      metrics.projectionLag(projection: subscription.name, topic: topic).set(Double(lag))
      let age = oldest.map { Double(max(0, Instant.now().milliseconds - $0.milliseconds)) / 1_000 } ?? 0
      metrics.projectionLagSeconds(projection: subscription.name, topic: topic).set(age)
      metrics.parkedEvents(projection: subscription.name, topic: topic).set(Double(parked))
      if parked > 0 {
        log.repeating(
          .warning, "parked \(subscription.name) \(topic)", every: .seconds(300), "events are parked: see dos dead-letters list",
          ["projection": .string(subscription.name), "topic": .string(topic), "events": .int(parked)])
      }
    } catch {
      // The databases have checks of their own, which say so.
      log.repeating(.warning, "watch \(subscription.name)", "cannot tell how far a projection is", ["reason": .string("\(error)")])
    }
  }

  private func tellProgress(of subscription: Subscription) async {
    do {
      try await subscription.tellProgress()
    } catch {
      log.repeating(
        .warning, "progress \(subscription.name)", every: .seconds(300), "the broker's tools cannot be told how far a projection is",
        ["reason": .string("\(error)")])
    }
  }

  private func state(of index: Int) -> HealthCheck.State {
    for (partition, state) in subscriptions[index].partitions.sorted(by: { $0.key < $1.key }) {
      if case .stopped(let reason) = state { return .bad("partition \(partition) stands still: \(reason)") }
    }
    let lag = lags.withLock { $0[index] }
    return lag <= Self.lagLimit ? .good : .bad("\(lag) events behind")
  }
}
