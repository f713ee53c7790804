import Synchronization
import Testing

@testable import ServiceKit

@Suite("Metrics")
struct MetricsTests {
  @Test("are written in Prometheus' text format, in order, with everything escaped")
  func exposition() {
    let metrics = Metrics()
    metrics.counter("b_total", "Things\nthat \\ happened", ["route": "/a\"b\\c\nd"]).add(3)
    metrics.counter("b_total", "Things\nthat \\ happened", ["route": "/a\"b\\c\nd"]).add()
    metrics.gauge("a", "A level").set(1.5)
    metrics.measure("c", "Measured", ["partition": "1"]) { .infinity }
    metrics.measure("c", "Measured", ["partition": "0"]) { nil }
    let histogram = metrics.histogram("d_seconds", "Durations", ["method": "GET"], buckets: [0.1, 1])
    for value in [0.05, 0.1, 0.5, 7, .nan] { histogram.observe(value) }
    #expect(
      metrics.exposition() == """
        # HELP a A level
        # TYPE a gauge
        a 1.5
        # HELP b_total Things\\nthat \\\\ happened
        # TYPE b_total counter
        b_total{route="/a\\"b\\\\c\\nd"} 4
        # HELP c Measured
        # TYPE c gauge
        c{partition="1"} +Inf
        # HELP d_seconds Durations
        # TYPE d_seconds histogram
        d_seconds_bucket{method="GET",le="0.1"} 2
        d_seconds_bucket{method="GET",le="1"} 3
        d_seconds_bucket{method="GET",le="+Inf"} 4
        d_seconds_sum{method="GET"} 7.65
        d_seconds_count{method="GET"} 4

        """)
  }

  @Test("count right when many add at once, and never fall")
  func concurrent() async {
    let metrics = Metrics()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<1_000 {
            metrics.counter("n_total", "N").add()
            metrics.gauge("g", "G").add(0.5)
          }
        }
      }
    }
    metrics.counter("n_total", "N").add(-5)
    #expect(metrics.counter("n_total", "N").value == 8_000)
    #expect(metrics.gauge("g", "G").value == 4_000)
  }

  @Test("say which check of the process is bad, and that it is not ready then")
  func health() async {
    let metrics = Metrics()
    let health = Health()
    let broker = Mutex(HealthCheck.State.bad("it does not answer"))
    health.add(HealthCheck("broker") { broker.withLock { $0 } })
    health.add(HealthCheck("database dos_stub") { .good })
    health.started()
    await health.report().tell(metrics)
    #expect(metrics.exposition().contains("dos_check_good{check=\"broker\"} 0\ndos_check_good{check=\"database dos_stub\"} 1\n"))
    #expect(metrics.exposition().contains("dos_ready 0\n"))

    broker.withLock { $0 = .good }
    await health.report().tell(metrics)
    #expect(metrics.exposition().contains("dos_check_good{check=\"broker\"} 1\n"))
    #expect(metrics.exposition().contains("dos_ready 1\n"))

    health.stopping()
    await health.report().tell(metrics)
    #expect(metrics.exposition().contains("dos_ready 0\n"))
  }

  @Test("tell what the process takes of its machine")
  func process() throws {
    let metrics = Metrics()
    ProcessFigures.declare(in: metrics)
    let lines = metrics.exposition().split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
    let values = Dictionary(uniqueKeysWithValues: lines.map { (String($0[0]), Double($0[1])) })
    let memory = try #require(values["process_resident_memory_bytes"] ?? nil)
    let open = try #require(values["process_open_fds"] ?? nil)
    let limit = try #require(values["process_max_fds"] ?? nil)
    #expect(memory > 1_000_000 && memory < 1e12)
    #expect(open >= 3 && open <= limit)
  }
}
