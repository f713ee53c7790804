import Foundation
import TestSupport
import JSON
import Synchronization
import Time

/// Reads `/sensors/live` as a browser's EventSource would: whenever the stream ends it opens it again where it stood.
final class LiveReader: Sendable {
  /// What came, in its order.
  struct Heard: Sendable {
    var values: [Ledger.Place: [Double]] = [:]
    var resets = 0
    var lastID: String?
  }

  private let city: RunningCity
  private let files = Mutex<[String]>([])
  private let reading = Mutex<Task<Void, Never>?>(nil)

  /// Opens the stream and waits until it tells what happens, with a thing of its own.
  static func open(_ city: RunningCity) async throws -> LiveReader {
    let datastream = try await city.registerStation("Live", token: try await city.token("sensor-operator"))
    let device = try await city.token("device")
    let reader = LiveReader(city)
    try await Browser.until("the live stream tells what happens") {
      _ = try await city.post("/sensors/v1.1/Datastreams(\(datastream))/Observations", ["result": 1], token: device)
      return try !reader.heard().values.isEmpty
    }
    return reader
  }

  private init(_ city: RunningCity) {
    self.city = city
    reading.withLock { $0 = Task { await self.read() } }
  }

  /// Times the stream was opened.
  var openings: Int { files.withLock { $0.count } }

  /// What was heard so far.
  func heard() throws -> Heard {
    var heard = Heard()
    for file in files.withLock({ $0 }) { try Self.parse(file, into: &heard) }
    return heard
  }

  func stop() async {
    let task = reading.withLock { $0.take() }
    task?.cancel()
    await task?.value
  }

  private func read() async {
    while !Task.isCancelled {
      let last = (try? heard())?.lastID
      let file = city.home + "/live-\(UUID().uuidString)"
      files.withLock { $0.append(file) }
      // Whoever comes back may come to any instance.
      let url = city.urls[openings % city.urls.count]
      let arguments = ["-sSN", "-o", file, url + "/sensors/live"] + (last.map { ["-H", "Last-Event-ID: \($0)"] } ?? [])
      guard let curl = try? Program("/usr/bin/curl", arguments) else { return }
      while curl.isRunning, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(20)) }
      curl.signal(SIGTERM)
      curl.waitForEnd()
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Whole events only: a stream may be cut anywhere.
  private static func parse(_ file: String, into heard: inout Heard) throws {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return }
    let blocks = text.components(separatedBy: "\n\n").dropLast()
    for block in blocks {
      var fields: [Substring: String] = [:]
      for line in block.split(separator: "\n") {
        let sides = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if sides.count == 2 { fields[sides[0]] = sides[1].trimmingCharacters(in: .whitespaces) }
      }
      if let id = fields["id"] { heard.lastID = id }
      if fields["event"] == "reset" { heard.resets += 1 }
      guard fields["event"] == "observations", let data = fields["data"] else { continue }
      let value = try JSONValue(parsing: Array(data.utf8))
      guard let datastream = value["datastream"]?.int else { continue }
      for observation in value["observations"]?.array ?? [] {
        guard let time = observation["phenomenonTime"]?.string.flatMap({ Instant(rfc3339: $0) }), let number = observation["result"]?.double else { continue }
        heard.values[Ledger.Place(datastream: datastream, time: time.milliseconds), default: []].append(number)
      }
    }
  }
}

extension Ledger {
  /// Acknowledged readings that a reader of the live stream did not hear of, or whose last word there is an old one.
  func missing(in heard: LiveReader.Heard) -> [String] {
    readings.compactMap { place, sent in
      guard sent.contains(where: { $0.id != nil }) else { return nil }
      let values = heard.values[place] ?? []
      return Self.possible(sent).contains(values.last) ? nil : "\(place): sent \(sent), heard \(values)"
    }
  }
}
