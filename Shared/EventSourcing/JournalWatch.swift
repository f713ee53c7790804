import Broker

/// Finding what other processes append: one query for the heads of all partitions, every 5 ms while others append, and rarely otherwise.
extension Journal {
  /// Watches until cancelled and wakes who waits at `commits`. What this process appends itself wakes them without it and does not make it hurry.
  public func watch() async {
    var pace = WatchPace()
    while !Task.isCancelled {
      var grown = false
      if let heads = try? await end() {
        for head in heads where commits.head(head.partition) ?? -1 < head.offset {
          commits.advance(head.partition, to: head.offset)
          grown = true
        }
      }
      try? await Task.sleep(for: pace.next(grown: grown, now: .now))
    }
  }
}

/// How long to wait until the next look.
struct WatchPace {
  static let eager = Duration.milliseconds(5)
  static let rare = Duration.milliseconds(250)
  /// Who appends once a second is met at the eager pace.
  static let patience = Duration.seconds(2)

  private var pause = rare
  private var lastGrown: ContinuousClock.Instant?

  mutating func next(grown: Bool, now: ContinuousClock.Instant) -> Duration {
    if grown {
      lastGrown = now
      pause = Self.eager
    } else if let lastGrown, now - lastGrown < Self.patience {
      pause = Self.eager
    } else {
      pause = min(pause * 2, Self.rare)
    }
    return pause
  }
}
