import EventSourcing
import Foundation
import Postgres
import Testing

struct JournalMeasurement {
  @Test(
    "Appends per second beside raw single-row inserts of the same run, printed",
    .enabled(if: ProcessInfo.processInfo.environment["DOS_MEASURE"] != nil, "set DOS_MEASURE to measure"))
  func appends() async throws {
    try await withJournal(partitions: 16, size: 16) { journal, pool in
      try await pool.execute("create table raw (id bigint generated always as identity primary key, stream text, data json)")
      for writers in [1, 16] {
        let raw = try await rate(writers) { writer, _ in
          try await pool.execute("insert into raw (stream, data) values (\("s\(writer)"), \(#"{"n":1}"#)::json)")
        }
        let appended = try await rate(writers) { writer, turn in try await journal.note("\(writers)-\(writer)-\(turn)", .noStream, #"{"n":1}"#) }
        print("\(writers) writers: \(Int(raw)) raw inserts/s, \(Int(appended)) appends/s, \(appended / raw) of raw")
      }
    }
  }

  private func rate(_ writers: Int, _ work: @escaping @Sendable (Int, Int) async throws -> Void) async throws -> Double {
    let start = ContinuousClock.now
    let end = start + .seconds(4)
    let count = try await withThrowingTaskGroup(of: Int.self) { group in
      for writer in 0..<writers {
        group.addTask {
          var turn = 0
          while ContinuousClock.now < end {
            try await work(writer, turn)
            turn += 1
          }
          return turn
        }
      }
      return try await group.reduce(0, +)
    }
    return Double(count) / ((ContinuousClock.now - start) / .seconds(1))
  }
}
