import Foundation

/// What the process takes of its machine, under the names that Prometheus' client libraries give it
/// (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics), so that any dashboard knows them.
enum ProcessFigures {
  /// Declares memory and descriptors; each is read from `/proc` when the figures are, and left out where that cannot be.
  static func declare(in metrics: Metrics) {
    metrics.measure("process_resident_memory_bytes", "Memory the process has in use") { residentBytes }
    metrics.measure("process_open_fds", "Files and connections that are open") { openFiles }
    metrics.measure("process_max_fds", "Files and connections that may be open") { openFilesLimit }
  }

  private static var residentBytes: Double? {
    // proc(5): the second number of statm is the resident set, in pages.
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first.flatMap { Double($0) }
    return pages.map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) }
  }

  private static var openFiles: Double? {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double($0.count) }
  }

  private static var openFilesLimit: Double? {
    (try? String(contentsOfFile: "/proc/self/limits", encoding: .utf8))?
      .split(separator: "\n").first { $0.hasPrefix("Max open files") }?
      .split(separator: " ").dropFirst(3).first.flatMap { Double($0) }
  }
}
