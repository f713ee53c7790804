import Foundation

/// What the figures were measured on.
enum Machine {
  struct Fact: Codable, Sendable {
    let name: String
    let value: String
  }

  static func facts(folder: String, postgres: String) async -> [Fact] {
    let cpu = lines("/proc/cpuinfo").first { $0.hasPrefix("model name") }?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
    let memory = lines("/proc/meminfo").first { $0.hasPrefix("MemTotal") }?.split(separator: " ").dropFirst().first.flatMap { Double($0) }
    let disk = try? await Command.output("df", ["--output=source,fstype", folder]).split(separator: "\n").last.map(String.init)
    let wrk = try? await Command("wrk", ["--version"]).run().output.split(separator: " ").prefix(2).joined(separator: " ")
    let nginx = try? await Command("nginx", ["-v"]).run().output.trimmingCharacters(in: .whitespacesAndNewlines)
    return [
      Fact(name: "processor", value: "\(cpu ?? "unknown"), \(ProcessInfo.processInfo.activeProcessorCount) cores"),
      Fact(name: "memory", value: memory.map { "\(Int($0 / 1_048_576)) GiB" } ?? "unknown"),
      Fact(name: "disk", value: (disk ?? nil) ?? "unknown"),
      Fact(name: "kernel", value: lines("/proc/sys/kernel/osrelease").first ?? "unknown"),
      Fact(name: "PostgreSQL", value: postgres), Fact(name: "tools", value: [wrk, nginx].compactMap { $0 }.joined(separator: ", ")),
      Fact(
        name: "commit",
        value: (try? await Command.output("git", ["describe", "--always", "--dirty"]))?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"),
    ]
  }

  static func lines(_ path: String) -> [String] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").map(String.init)
  }
}
