import Foundation
import HTTP
import JSON
import Synchronization
import Testing

@testable import dos

/// A city without sockets: knows some datastreams, keeps what it is sent, and can be told to misbehave.
private final class City: Sendable {
  struct Kept: Equatable {
    let datastream: Int64
    let time: String
    let result: JSONValue
  }

  private struct State {
    var kept: [Kept] = []
    var requests = 0
    var running: Set<Int64> = []
    var mostAtOnce = 0
    var overlapped = false
  }

  private let state = Mutex(State())
  private let names: [String: [Int64]]
  /// Asked before each batch is taken; nil lets it pass.
  private let trouble: @Sendable (Int, Int) -> Response?

  init(names: [String: [Int64]] = ["a": [1], "b": [2], "c": [3]], trouble: @escaping @Sendable (_ request: Int, _ rows: Int) -> Response? = { _, _ in nil }) {
    self.names = names
    self.trouble = trouble
  }

  var kept: [Kept] { state.withLock { $0.kept } }
  var requests: Int { state.withLock { $0.requests } }
  var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }
  var overlapped: Bool { state.withLock { $0.overlapped } }

  var transport: ImportSender.Transport {
    { [self] request throws(HTTPClientError) in
      guard let path = request.url.components(separatedBy: "http://city").last else { throw .invalid(request.url) }
      let answer: Response
      do {
        let asked = try Request(method: request.method, target: path, headers: request.headers, body: request.body ?? [])
        answer = path.contains("/Datastreams?") ? try find(asked) : try await take(asked)
      } catch let error as HTTPClientError {
        throw error
      } catch {
        answer = (error as? Problem)?.response ?? Response(status: 500)
      }
      return ClientResponse(status: answer.status, headers: answer.headers, body: answer.bytes)
    }
  }

  private func find(_ request: Request) throws -> Response {
    let filter = try request.query.required("$filter")
    let name = String(filter.split(separator: "'", maxSplits: 1)[1].dropLast()).replacing("''", with: "'")
    let list = (names[name] ?? []).map { JSONValue.object(["@iot.id": .int($0)]) }
    return .json(JSONValue.object(["value": .array(list)]).bytes)
  }

  private func take(_ request: Request) async throws -> Response {
    let groups = try JSONValue(parsing: request.body).array ?? []
    var rows: [Kept] = []
    for group in groups {
      let id = group["Datastream"]?["@iot.id"]?.int ?? 0
      for row in group["dataArray"]?.array ?? [] {
        rows.append(Kept(datastream: id, time: row.array?.first?.string ?? "", result: row.array?.last ?? .null))
      }
    }
    let ids = Set(rows.map(\.datastream))
    let number = state.withLock { state in
      state.requests += 1
      state.overlapped = state.overlapped || !state.running.isDisjoint(with: ids)
      state.running.formUnion(ids)
      state.mostAtOnce = max(state.mostAtOnce, state.running.count)
      return state.requests
    }
    await Task.yield()
    defer { state.withLock { $0.running.subtract(ids) } }
    if let answer = trouble(number, rows.count) {
      guard answer.status != 0 else { throw HTTPClientError.unreachable(url: request.target, reason: "refused") }
      return answer
    }
    return state.withLock { state in
      var said: [JSONValue] = []
      var flagged = 0
      var known = 0
      for row in rows {
        guard let number = row.result.double else {
          said.append(.string("error: result is \"\(row.result.string ?? "")\"; expected a number"))
          continue
        }
        if number > 1000 { flagged += 1 }
        if state.kept.contains(row) { known += 1 } else { state.kept.append(row) }
        said.append(.string("http://city/sensors/v1.1/Observations(\(state.kept.count))"))
      }
      var answer = Response.json(JSONValue.array(said).bytes, status: 201)
      answer.headers["DOS-Flagged"] = String(flagged)
      answer.headers["DOS-Known"] = String(known)
      return answer
    }
  }
}

private struct Quiet: ImportProgress {
  func begins(at row: Int, of total: Int) {}
  func moves(to row: Int, of total: Int) {}
  func waits(_ why: String, _ pause: Duration) {}
  func ends() {}
}

/// A folder of its own for one test, removed afterwards.
@discardableResult
private func withFolder<T>(_ body: (String) async throws -> T) async throws -> T {
  let folder = NSTemporaryDirectory() + "import-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

private func plan(_ folder: String, _ csv: String, batch: Int = 2, concurrency: Int = 2, patience: Duration = .seconds(20)) throws -> ImportPlan {
  let file = folder + "/readings.csv"
  try csv.write(toFile: file, atomically: true, encoding: .utf8)
  return ImportPlan(
    file: file, url: "http://city/", token: "t", timeColumn: "at", valueColumn: "free", datastream: .name("place"), batch: batch, concurrency: concurrency,
    patience: patience, pause: .milliseconds(1))
}

private func run(_ plan: ImportPlan, _ city: City, _ folder: String) async throws -> ImportSummary {
  let source = "\(try ImportCheckpoint.identity(of: plan.file)) \(plan.signature)"
  let job = ReadingsImport(plan: plan, statePath: folder + "/state.json", source: source, transport: city.transport, progress: Quiet())
  return try await job.run()
}

/// Readings of a, b and c in turn, a minute apart.
private func readings(_ count: Int) -> String {
  let rows = (0..<count).map { number in
    let (hour, minute) = (number / 60, number % 60)
    return "2020-06-01T\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute):00Z,\(["a", "b", "c"][number % 3]),\(number)"
  }
  return "at,place,free\n" + rows.joined(separator: "\n") + "\n"
}

@Suite("dos import")
struct ImportTests {
  @Test("accounts for every row, and says why one was refused")
  func summary() async throws {
    try await withFolder { folder in
      let csv = """
        at,place,free
        2020-06-01T00:00:00Z,a,5
        2020-06-01T00:01:00+02:00,b,5000
        2020-06-01T00:02:00,a,5
        2020-06-01T00:03:00Z,nowhere,5
        2020-06-01T00:04:00Z,a,full
        2020-06-01T00:05:00Z,a,
        2020-06-01T00:06:00Z,a
        2020-06-01T00:00:00Z,a,5
        """
      let city = City()
      let summary = try await run(plan(folder, csv), city, folder)
      #expect(summary.rows == 8)
      #expect(summary.accepted == 3)
      #expect(summary.flagged == 1)
      #expect(summary.known == 1)
      #expect(summary.refused == 5)
      #expect(summary.exitCode == 1)
      #expect(summary.reasons.values.flatMap(\.examples).map { String($0.prefix(7)) }.sorted() == ["line 4:", "line 5:", "line 6:", "line 7:", "line 8:"])
      #expect(summary.text.contains("no datastream has the name \"nowhere\""))
      #expect(Set(city.kept.map(\.time)) == ["2020-06-01T00:00:00.000Z", "2020-05-31T22:01:00.000Z"])
    }
  }

  @Test("sends a datastream's readings in the order of the file, one request at a time, and several datastreams at once")
  func order() async throws {
    try await withFolder { folder in
      let city = City()
      let summary = try await run(plan(folder, readings(100), batch: 5, concurrency: 3), city, folder)
      #expect(summary.accepted == 100)
      #expect(summary.exitCode == 0)
      #expect(!city.overlapped)
      for id in 1...3 {
        let times = city.kept.filter { $0.datastream == Int64(id) }.map(\.time)
        #expect(times == times.sorted())
      }
    }
  }

  @Test("goes on after the last acknowledged window, with the same sums in the end", arguments: [1, 3, 7, 12])
  func resume(_ dies: Int) async throws {
    try await withFolder { folder in
      let weak = City { request, _ in request >= dies ? Response(status: 503) : nil }
      let broken = try plan(folder, readings(50), patience: .milliseconds(20))
      await #expect(throws: ImportFailure.self) { try await run(broken, weak, folder) }
      let strong = City()
      let summary = try await run(plan(folder, readings(50)), strong, folder)
      #expect(summary.rows == 50)
      #expect(summary.accepted == 50)
      let all = Set(weak.kept.map(\.time)).union(strong.kept.map(\.time))
      #expect(all.count == 50)
      // Windows of four rows: what a finished window held is not sent again.
      #expect(strong.kept.count >= 50 - weak.kept.count)
      #expect(weak.kept.count - (50 - strong.kept.count) < 4)
    }
  }

  @Test("tries again what is temporary, as often as it takes")
  func retries() async throws {
    try await withFolder { folder in
      let city = City { request, _ in
        switch request {
        case 1: Response(status: 503, headers: ["Retry-After": "0"])
        case 2: Response(status: 429)
        case 3: Response(status: 0)
        case 5: Response(status: 502)
        default: nil
        }
      }
      let summary = try await run(plan(folder, readings(20)), city, folder)
      #expect(summary.accepted == 20)
      #expect(city.kept.count == 20)
    }
  }

  @Test("waits as long as the city asks for")
  func retryAfter() async throws {
    let pauses = Pauses()
    let city = City { request, _ in request == 1 ? Response(status: 429, headers: ["Retry-After": "1"]) : nil }
    let plan = ImportPlan(file: "", url: "http://city", timeColumn: "", valueColumn: "", datastream: .id("x"), pause: .milliseconds(1))
    let sender = ImportSender(plan: plan, transport: city.transport) { _, pause in pauses.add(pause) }
    let answer = try await sender.send(.json(.post, "http://city/sensors/v1.1/CreateObservations", Array("[]".utf8)))
    #expect(answer.status == 201)
    #expect(pauses.all == [.seconds(1)])
  }

  @Test("halves what is too large, down to a row")
  func tooLarge() async throws {
    try await withFolder { folder in
      let city = City { _, rows in rows > 2 ? Response(status: 413) : nil }
      let summary = try await run(plan(folder, readings(30), batch: 10, concurrency: 1), city, folder)
      #expect(summary.accepted == 30)
      let narrow = City { _, _ in Response(status: 413) }
      let csv = "at,place,free\n2020-06-02T00:00:00Z,a,1\n"
      #expect(try await run(plan(folder, csv), narrow, folder).refused == 1)
    }
  }

  @Test("stops at once where a repeat cannot help")
  func stops() async throws {
    try await withFolder { folder in
      let city = City { _, _ in Problem.forbidden("This needs a device.").response }
      await #expect(throws: ImportFailure.refused(status: 403, detail: "This needs a device.")) {
        try await run(plan(folder, readings(10)), city, folder)
      }
      let odd = City { _, _ in .json(Array("[\"x\"]".utf8), status: 201) }
      await #expect(throws: ImportFailure.self) { try await run(plan(folder, readings(10)), odd, folder) }
    }
  }

  @Test("refuses rows whose key names more than one datastream")
  func ambiguous() async throws {
    try await withFolder { folder in
      let city = City(names: ["a": [1, 9], "b": [2], "c": []])
      let summary = try await run(plan(folder, readings(9)), city, folder)
      #expect(summary.accepted == 3)
      #expect(summary.reasons["more than one datastream has the name …"]?.count == 3)
      #expect(summary.reasons["no datastream has the name …"]?.count == 3)
    }
  }

  @Test("says which column is missing")
  func columns() async throws {
    try await withFolder { folder in
      await #expect(throws: ImportFailure.file("there is no column 'at'; there are 'time', 'place', 'free'")) {
        try await run(plan(folder, "time,place,free\n"), City(), folder)
      }
    }
  }

  @Test("keeps numbers to the last digit and takes the rest as truth value or text")
  func values() {
    let cases: [(String, String?)] = [
      ("5", "5"), ("-0.10", "-0.10"), ("1e3", "1e3"), ("123456789012345.678901", "123456789012345.678901"), ("true", "true"), ("NaN", "\"NaN\""),
      ("05", "\"05\""), ("a\"b", "\"a\\\"b\""), ("[1]", "\"[1]\""), ("null", "\"null\""), ("", nil),
    ]
    for (text, json) in cases { #expect(ReadingRows.result(text).map { String(decoding: $0, as: UTF8.self) } == json, "\(text)") }
  }

  @Test("counts reasons together that differ only in numbers and names")
  func reasons() {
    var summary = ImportSummary()
    for line in 1...9 { summary.refuse(line: line, "2031-01-0\(line)T00:00:00.000Z lies in the future of \"sensor \(line)\"") }
    #expect(summary.reasons.count == 1)
    #expect(summary.reasons.values.first?.count == 9)
    #expect(summary.reasons.values.first?.examples.count == 3)
    for kind in 0..<200 { summary.refuse(line: 10, "reason " + String(repeating: "x", count: kind)) }
    #expect(summary.reasons.count <= 51)
    #expect(summary.refused == 209)
  }

  @Test("notes how far it is for this file and this import alone")
  func checkpoint() async throws {
    try await withFolder { folder in
      let path = folder + "/state.json"
      var checkpoint = ImportCheckpoint(source: "x", summary: ImportSummary(rows: 5, accepted: 5))
      try checkpoint.write(path)
      checkpoint.summary.rows = 6
      try checkpoint.write(path)
      #expect(ImportCheckpoint.read(path, source: "x") == checkpoint)
      #expect(ImportCheckpoint.read(path, source: "y") == nil)
      #expect(ImportCheckpoint.read(folder + "/none", source: "x") == nil)
      try "{".write(toFile: path, atomically: true, encoding: .utf8)
      #expect(ImportCheckpoint.read(path, source: "x") == nil)
      #expect(throws: ImportFailure.self) { try checkpoint.write(folder + "/none/state.json") }
    }
  }

  @Test("knows a file by its content, not by its name")
  func identity() async throws {
    try await withFolder { folder in
      let (one, copy, grown) = (folder + "/1", folder + "/2", folder + "/3")
      try readings(100).write(toFile: one, atomically: true, encoding: .utf8)
      try readings(100).write(toFile: copy, atomically: true, encoding: .utf8)
      try readings(101).write(toFile: grown, atomically: true, encoding: .utf8)
      let identity = try ImportCheckpoint.identity(of: one)
      #expect(try ImportCheckpoint.identity(of: copy) == identity)
      #expect(try ImportCheckpoint.identity(of: grown) != identity)
      #expect(throws: ImportFailure.self) { try ImportCheckpoint.identity(of: folder + "/none") }
    }
  }

  @Test("tells its progress in lines where nobody watches a terminal")
  func lines() {
    let said = Said()
    let progress = ImportProgressText(isTerminal: false) { said.add($0) }
    progress.begins(at: 0, of: 1000)
    for row in stride(from: 1, through: 1000, by: 1) { progress.moves(to: row, of: 1000) }
    progress.ends()
    #expect(said.all.count == 11)
    #expect(said.all.last?.hasPrefix("100 %, 1000 of 1000 rows") == true)
    #expect(said.all.allSatisfy { $0.hasSuffix("\n") && !$0.contains("\r") })
  }
}

private final class Pauses: Sendable {
  private let list = Mutex<[Duration]>([])
  func add(_ pause: Duration) { list.withLock { $0.append(pause) } }
  var all: [Duration] { list.withLock { $0 } }
}

private final class Said: Sendable {
  private let list = Mutex<[String]>([])
  func add(_ text: String) { list.withLock { $0.append(text) } }
  var all: [String] { list.withLock { $0 } }
}
