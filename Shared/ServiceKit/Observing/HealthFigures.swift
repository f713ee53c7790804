extension Health {
  /// Asks every check every five seconds and tells the figures, so that whoever is woken knows which of them is bad.
  public func watch(_ metrics: Metrics) -> Part {
    Part("health's watch") { [self] ready in
      ready()
      while !Task.isCancelled {
        await report().tell(metrics)
        try? await Task.sleep(for: .seconds(5))
      }
    }
  }
}

extension Health.Report {
  /// Sets `dos_ready` and, for each check, `dos_check_good` to 1 or 0.
  func tell(_ metrics: Metrics) {
    metrics.gauge("dos_ready", "Whether the process may be sent requests").set(isReady ? 1 : 0)
    for (name, state) in states {
      metrics.gauge("dos_check_good", "Whether a check of /health/ready is good", ["check": name]).set(state == .good ? 1 : 0)
    }
  }
}
