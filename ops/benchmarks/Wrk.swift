import Foundation

/// Load by `wrk`, which costs next to nothing, with requests that a script of its own makes.
struct Wrk: Sendable {
  /// What wrk saw; latencies in milliseconds.
  struct Outcome: Sendable {
    let requests: Double
    let seconds: Double
    let bytes: Double
    let p50: Double
    let p99: Double
    var rate: Double { requests / seconds }
    var bytesEach: Double { bytes / requests }
  }

  let connections: Int
  var threads = 1
  /// Lua: sets wrk's fields or defines `init` and `request`.
  var script = ""

  /// - Throws: `Failure` where a request failed or was answered with another status than 2xx.
  func run(_ url: String, seconds: Int) async throws -> Outcome {
    let file = FileManager.default.temporaryDirectory.path + "/bench-\(UUID().uuidString).lua"
    try (script + Self.report).write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    let output = try await Command.output(
      "wrk", ["-t\(threads)", "-c\(connections)", "-d\(seconds)s", "--timeout", "10s", "--latency", "-s", file, url])
    guard let line = output.split(separator: "\n").last(where: { $0.hasPrefix("@ ") }) else { throw Failure("wrk said nothing: \(output.suffix(500))") }
    let numbers = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    try expect(numbers.count == 7 && numbers[0] > 0, "wrk got no answer: \(output.suffix(500))")
    try expect(numbers[3] == 0 && numbers[4] == 0, "\(Int(numbers[3])) connections or requests failed, \(Int(numbers[4])) were answered with an error")
    return Outcome(requests: numbers[0], seconds: numbers[1] / 1e6, bytes: numbers[2], p50: numbers[5] / 1e3, p99: numbers[6] / 1e3)
  }

  /// Requests to these paths in turn.
  static func paths(_ paths: [String], connections: Int) -> Wrk {
    let list = paths.map { "'\($0)'" }.joined(separator: ",")
    return Wrk(
      connections: connections,
      script: """
        local paths, requests, turn = {\(list)}, {}, 0
        function init() for i, path in ipairs(paths) do requests[i] = wrk.format('GET', path) end end
        function request() turn = turn % #requests + 1; return requests[turn] end

        """)
  }

  private static let report = """
    function done(summary, latency)
      local e = summary.errors
      io.write(string.format('@ %d %d %d %d %d %f %f\\n', summary.requests, summary.duration, summary.bytes,
        e.connect + e.read + e.write + e.timeout, e.status, latency:percentile(50), latency:percentile(99)))
    end
    """
}
