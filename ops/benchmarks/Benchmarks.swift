import Foundation
import Time

/// The figures of this system, beside the limits of the machine that they are measured on. `ops/bench` runs it.
@main
enum Benchmarks {
  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    let words = Array(CommandLine.arguments.dropFirst())
    do {
      if words.first == "--compare", words.count == 3 {
        print(Report.compare(try report(words[1]), try report(words[2])))
      } else {
        exit(try await measure(words))
      }
    } catch {
      say("\(error)")
      exit(2)
    }
  }

  private static func measure(_ words: [String]) async throws -> Int32 {
    let known = Bench.measures.map(\.name)
    if let word = words.first(where: { !known.contains($0) }) {
      let list = Bench.measures.map { "  \($0.name.padding(toLength: 10, withPad: " ", startingAt: 0))\($0.says)" }.joined(separator: "\n")
      throw Failure("There is no measure \"\(word)\". There are:\n\(list)")
    }
    let environment = ProcessInfo.processInfo.environment
    guard let conninfo = environment["BENCH_ADMIN"] else { throw Failure("run ops/bench, which starts a PostgreSQL for it") }
    let settings = Settings(environment)
    let server = try await Server(conninfo: conninfo)
    let began = Instant.now()
    var report = Report(
      began: "\(began)", machine: await Machine.facts(folder: server.data, postgres: server.version), settings: settings.description)
    say(head(report))
    let bench = Bench(server: server, settings: settings)
    for name in words.isEmpty ? known : known.filter(words.contains) {
      do { try await bench.run(name) } catch {
        report.failures.append("\(name): \(error)")
        say("  FAILED: \(error)")
        // The next measure shall not suffer from what this one left.
        await bench.endCity()
      }
    }
    await bench.endCity()
    report.figures = await bench.figures
    try write(report, began)
    print("\n\(head(report))\n\n\(report.table)")
    for failure in report.failures { print("FAILED  \(failure)") }
    return report.failures.isEmpty ? 0 : 1
  }

  private static func head(_ report: Report) -> String {
    (report.machine + [.init(name: "began", value: report.began), .init(name: "durations", value: report.settings)])
      .map { "\($0.name.padding(toLength: 12, withPad: " ", startingAt: 0))\($0.value)" }.joined(separator: "\n")
  }

  private static func report(_ path: String) throws -> Report { try JSONDecoder().decode(Report.self, from: Data(contentsOf: URL(fileURLWithPath: path))) }

  private static func write(_ report: Report, _ began: Instant) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let folder = ".build/bench"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = folder + "/\("\(began)".prefix(19).replacing(":", with: "")).json"
    try encoder.encode(report).write(to: URL(fileURLWithPath: path))
    say("written: \(path)")
  }
}
