import Foundation

/// Processor time that the load, the city, its PostgreSQL and its Kafka have used so far, in seconds.
struct Usage: Sendable {
  let load: Double
  let dos: Double
  let postgres: Double
  let kafka: Double
  let time = ContinuousClock.now

  init(dos: [Int32], postmaster: Int32, kafka: Int32? = nil) {
    load = Usage.own
    self.dos = dos.reduce(0) { $0 + Usage.processor($1) }
    self.kafka = kafka.map { Usage.processor($0) } ?? 0
    postgres = Usage.processes(of: postmaster).reduce(Usage.ended(postmaster)) { $0 + Usage.processor($1) }
  }

  /// Cores used since then, for people.
  func since(_ before: Usage) -> String {
    let seconds = (time - before.time) / .seconds(1)
    let times = times(since: before)
    var shares = [("load", times.load), ("dos", times.dos), ("PostgreSQL", times.postgres)]
    if kafka > 0 { shares.append(("Kafka", times.kafka)) }
    return "cores used: " + shares.map { "\($0) \(String(format: "%.2f", $1 / seconds))" }.joined(separator: ", ")
  }

  /// Seconds used since then.
  func times(since before: Usage) -> (load: Double, dos: Double, postgres: Double, kafka: Double) {
    (load - before.load, dos - before.dos, postgres - before.postgres, kafka - before.kafka)
  }

  /// Resident bytes of a process.
  static func resident(_ pid: Int32) -> Double { value("VmRSS", in: "/proc/\(pid)/status") }

  /// Bytes that a server's processes hold together; what they share counts once.
  static func proportional(of postmaster: Int32) -> Double {
    processes(of: postmaster).reduce(0) { $0 + value("Pss", in: "/proc/\($1)/smaps_rollup") }
  }

  private static func value(_ name: String, in path: String) -> Double {
    let line = Machine.lines(path).first { $0.hasPrefix(name + ":") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) * 1_024
  }

  /// Of this process and of the programs it ran to their end, wrk among them.
  private static var own: Double {
    // utime, stime, cutime, cstime of `ProcessInfo` itself: fields 14 to 17 of proc(5).
    fields("self").map { ($0[11] + $0[12] + $0[13] + $0[14]) / ticks } ?? 0
  }

  private static func processor(_ pid: Int32) -> Double { fields("\(pid)").map { ($0[11] + $0[12]) / ticks } ?? 0 }

  private static func ended(_ pid: Int32) -> Double { fields("\(pid)").map { ($0[13] + $0[14]) / ticks } ?? 0 }

  private static let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))

  /// The fields after the name, which may hold blanks: index 0 is field 3.
  private static func fields(_ pid: String) -> [Double]? {
    guard let text = Machine.lines("/proc/\(pid)/stat").first, let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
    return fields.count > 15 ? fields : nil
  }

  private static func processes(of parent: Int32) -> [Int32] {
    let all = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    return [parent] + all.filter { fields("\($0)").map { Int32($0[1]) } == parent }
  }
}
