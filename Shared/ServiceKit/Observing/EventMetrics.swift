import EventSourcing

extension Metrics {
  /// Decisions appended to a Journal.
  public func journalAppends(topic: String) -> Counter {
    counter("dos_journal_events_total", "Decisions appended to the Journal", ["topic": topic])
  }

  /// Transactions that shared appends; fewer than appends under load.
  public func journalTransactions(topic: String) -> Counter {
    counter("dos_journal_transactions_total", "Transactions of the Journal, each with one append or several", ["topic": topic])
  }

  /// Appends that met another version than they expected.
  public func journalConflicts(topic: String) -> Counter {
    counter("dos_journal_conflicts_total", "Appends refused because a stream had moved on", ["topic": topic])
  }

  /// Events in a Journal that the broker has not acknowledged yet.
  public func forwarderLag(topic: String, partition: Int) -> Gauge {
    gauge("dos_forwarder_lag_events", "Decisions in the Journal that the broker does not have yet", ["topic": topic, "partition": String(partition)])
  }

  /// Times the forwarder began again at its checkpoint.
  public func forwarderFailures(topic: String) -> Counter {
    counter("dos_forwarder_failures_total", "Times the forwarder began again after a failure", ["topic": topic])
  }

  /// Events a projection has still to take.
  public func projectionLag(projection: String, topic: String) -> Gauge {
    gauge("dos_projection_lag_events", "Events a projection has still to take", ["projection": projection, "topic": topic])
  }

  /// How long the oldest of them has been waiting.
  public func projectionLagSeconds(projection: String, topic: String) -> Gauge {
    gauge(
      "dos_projection_lag_seconds", "Age of the oldest event a projection has still to take; 0 where there is none", ["projection": projection, "topic": topic])
  }

  /// Events a projection could not take and that wait for somebody to look.
  public func parkedEvents(projection: String, topic: String) -> Gauge {
    gauge("dos_parked_events", "Events parked because a projection could not take them", ["projection": projection, "topic": topic])
  }

  /// Bytes that wait to be sent to the broker.
  public func brokerWaiting(_ read: @escaping @Sendable () -> Double?) {
    measure("dos_broker_waiting_bytes", "Bytes that wait to be acknowledged by the broker", [:], read)
  }
}

extension JournalObserver {
  /// Tells a Journal's and its forwarder's doings to the figures and, where something failed, to the log.
  public static func metrics(_ metrics: Metrics, log: Log, topic: String) -> JournalObserver {
    let appends = metrics.journalAppends(topic: topic)
    let transactions = metrics.journalTransactions(topic: topic)
    let conflicts = metrics.journalConflicts(topic: topic)
    let failures = metrics.forwarderFailures(topic: topic)
    return JournalObserver(
      appended: { events, _ in
        appends.add(events)
        transactions.add()
      }, conflicted: { conflicts.add() },
      forwardLag: { partition, events in metrics.forwarderLag(topic: topic, partition: partition).set(Double(events)) },
      forwardFailed: { partition, reason in
        failures.add()
        log.repeating(
          .warning, "forwarder \(topic)", "the broker does not take decisions; trying again",
          ["topic": .string(topic), "partition": partition.map { .int($0) } ?? .string("all"), "reason": .string(reason)])
      })
  }
}
