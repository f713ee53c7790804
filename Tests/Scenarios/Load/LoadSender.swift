import Foundation
import HTTP
import JSON
import TestSupport
import Time

/// One of those who send at once: its own things, its own places, one request after the other.
struct LoadSender: Sendable {
  private let city: RunningCity
  private let client: HTTPClient
  private let operatorToken: String
  private let deviceToken: String
  private let notes: LoadNotes
  private let number: Int
  private let pause: Duration
  /// Each sender has an instance of its own, as behind a proxy that keeps to what it chose.
  private let url: String
  private let instance: Int
  private var random: SeededRandom
  private var ledger = Ledger()
  private var datastreams: [Int64] = []
  /// Places that were written before, the latest last.
  private var places: [Ledger.Place] = []
  private var serial = 0

  /// 1 June 2020.
  private static let firstTime: Int64 = 1_590_969_600_000

  init(city: RunningCity, client: HTTPClient, operatorToken: String, deviceToken: String, notes: LoadNotes, number: Int, seed: UInt64, pause: Duration) {
    self.city = city
    self.client = client
    self.operatorToken = operatorToken
    self.deviceToken = deviceToken
    self.notes = notes
    self.number = number
    self.pause = pause
    instance = number % city.urls.count
    url = city.urls[instance]
    random = SeededRandom(seed: seed &+ UInt64(number) &* 0xA076_1D64_78BD_642F)
  }

  /// Sends until it is told to stop.
  mutating func run() async -> Ledger {
    while !notes.isStopping {
      switch Int.random(in: 0..<20, using: &random) {
      case _ where datastreams.isEmpty, 0: await register()
      case 1..<12: await single()
      default: await array()
      }
      if pause > .zero { try? await Task.sleep(for: pause) }
    }
    return ledger
  }

  private mutating func register() async {
    serial += 1
    let name = "Station \(number)-\(serial)"
    ledger.things[name] = .some(nil)
    let request = ClientRequest.json(
      .post, url + "/sensors/v1.1/Things", RunningCity.station(name).bytes,
      headers: ["Authorization": "Bearer \(operatorToken)", "Idempotency-Key": name.replacing(" ", with: "-")])
    guard let (answer, begun) = await persist(request) else { return }
    guard let id = (try? JSONValue(parsing: answer.body))?["@iot.id"]?.int else { return ledger.unexpected.append("a thing without an id: \(answer.text)") }
    ledger.things[name] = id
    notes.registration(begun: begun, instance)
    // The read model follows within moments, or once the database is there again.
    while !notes.isStopping {
      if let found = try? await city.get("/sensors/v1.1/Things(\(id))/Datastreams")["value"]?.array?.first?["@iot.id"]?.int {
        datastreams.append(found)
        return
      }
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  private mutating func single() async {
    let (place, value) = next(besides: [])
    let index = note(place, value)
    let body: JSONValue = ["phenomenonTime": .string(Instant(milliseconds: place.time).rfc3339), "result": .number(value)]
    let request = ClientRequest.json(
      .post, url + "/sensors/v1.1/Datastreams(\(place.datastream))/Observations", body.bytes, headers: ["Authorization": "Bearer \(deviceToken)"])
    guard let (answer, begun) = await persist(request) else { return }
    guard let id = (try? JSONValue(parsing: answer.body))?["@iot.id"]?.int else { return ledger.unexpected.append("a reading without an id: \(answer.text)") }
    ledger.readings[place]?[index].id = id
    notes.reading(begun: begun, instance)
  }

  private mutating func array() async {
    var rows: [(place: Ledger.Place, value: Double, index: Int)] = []
    for _ in 0..<Int.random(in: 2...30, using: &random) {
      let (place, value) = next(besides: Set(rows.map(\.place)))
      rows.append((place, value, note(place, value)))
    }
    // The answer has one line per row, in the order of the groups.
    rows.sort { $0.place.datastream < $1.place.datastream }
    var groups: [JSONValue] = []
    for datastream in Set(rows.map(\.place.datastream)).sorted() {
      let array = rows.filter { $0.place.datastream == datastream }.map { row -> JSONValue in
        [.string(Instant(milliseconds: row.place.time).rfc3339), .number(row.value)]
      }
      groups.append(["Datastream": ["@iot.id": .int(datastream)], "components": ["phenomenonTime", "result"], "dataArray": .array(array)])
    }
    let request = ClientRequest.json(
      .post, url + "/sensors/v1.1/CreateObservations", JSONValue.array(groups).bytes, headers: ["Authorization": "Bearer \(deviceToken)"])
    guard let (answer, begun) = await persist(request) else { return }
    let lines = (try? JSONValue(parsing: answer.body))?.array ?? []
    guard lines.count == rows.count else { return ledger.unexpected.append("\(lines.count) answers for \(rows.count) rows: \(answer.text.prefix(300))") }
    for (row, line) in zip(rows, lines) {
      guard let id = line.string.flatMap({ Int64($0.split(separator: "(").last?.dropLast() ?? "") }) else {
        ledger.unexpected.append("a row was answered with \(line)")
        continue
      }
      ledger.readings[row.place]?[row.index].id = id
    }
    notes.reading(begun: begun, instance)
  }

  /// A new place mostly; now and then an earlier one, with what it was sent last or with another value.
  private mutating func next(besides taken: Set<Ledger.Place>) -> (Ledger.Place, Double) {
    serial += 1
    // Within what is plausible, and another one for each of ninety thousand.
    let value = Double(serial % 90_000) / 1_000 - 40
    if random.oneIn(4), let place = places.suffix(200).randomElement(using: &random), !taken.contains(place), let last = ledger.readings[place]?.last {
      return (place, random.oneIn(2) ? last.value : value)
    }
    let datastream = datastreams[Int.random(in: 0..<datastreams.count, using: &random)]
    return (Ledger.Place(datastream: datastream, time: Self.firstTime + Int64(serial) * 60_000), value)
  }

  private mutating func note(_ place: Ledger.Place, _ value: Double) -> Int {
    if ledger.readings[place] == nil { places.append(place) }
    ledger.readings[place, default: []].append(Ledger.Sent(value: value, id: nil))
    return (ledger.readings[place]?.count ?? 1) - 1
  }

  private mutating func persist(_ request: ClientRequest) async -> (ClientResponse, begun: ContinuousClock.Instant)? {
    await ledger.persist(request, over: client, random: &random) { [notes] in !notes.isStopping }
  }
}
