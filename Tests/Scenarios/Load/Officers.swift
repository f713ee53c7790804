import HTTP
import JSON
import TestSupport
import Time

/// One who drafts and one who approves: an alert after the other, each with what follows it, every command under a key of its own.
struct Officers: Sendable {
  private let url: String
  private let client: HTTPClient
  private let drafting: String
  private let approving: String
  private let notes: LoadNotes
  private let number: Int
  private let pause: Duration
  private var random: SeededRandom
  private var ledger = WarningLedger()
  private var serial = 0

  init(_ city: String, _ client: HTTPClient, drafting: String, approving: String, notes: LoadNotes, number: Int, seed: UInt64, pause: Duration) {
    url = city
    self.client = client
    self.drafting = drafting
    self.approving = approving
    self.notes = notes
    self.number = number
    self.pause = pause
    random = SeededRandom(seed: seed &+ UInt64(number) &* 0xD1B5_4A32_D192_ED03)
  }

  /// Works until told to stop.
  mutating func run() async -> WarningLedger {
    while !notes.isStopping {
      await alert()
      try? await Task.sleep(for: pause)
    }
    return ledger
  }

  /// From the draft to the end, as far as the city answers and nobody gives up.
  private mutating func alert() async {
    serial += 1
    // Some are over before everybody has heard of them.
    let isShort = random.oneIn(6)
    let until = Instant.now() + .seconds(isShort ? 20 : 7_200)
    let waits = random.oneIn(2)
    let content = Self.content("Übungslast \(number)-\(serial)", in: ["Hörde"], until: until)
    guard let drafted = await command("/warnings/alerts", ["content": content]), let alert = drafted["id"]?.string,
      var head = await issue(drafted, alert, isShort: isShort)
    else { return }
    if isShort { return }
    if waits { await settled(alert) }
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      let wider = Self.content("Übungslast \(number)-\(serial), weiter", in: ["Hörde", "Aplerbeck"], until: until)
      guard let drafted = await command("/warnings/\(alert)/update", ["refersTo": .string(head), "content": wider]), let next = await issue(drafted, alert)
      else { return }
      head = next
      if waits { await settled(alert) }
    }
    if random.oneIn(4) { return }
    let ending = random.oneIn(2) ? "all-clear" : "cancel"
    let texts = Warnings.texts("Vorbei \(number)-\(serial)", event: "Hochwasser")
    guard let drafted = await command("/warnings/\(alert)/\(ending)", ["refersTo": .string(head), "texts": texts]) else { return }
    _ = await issue(drafted, alert)
  }

  private static func content(_ headline: String, in districts: [String], until: Instant) -> JSONValue {
    Warnings.content(headline, event: "Hochwasser", in: districts, until: until, channels: ["app", "webhook", "cap-feed"])
  }

  /// Waits until the last message is with everybody, or nobody waits any more.
  private mutating func settled(_ alert: String) async {
    let request = ClientRequest(.get, "\(url)/warnings/\(alert)/deliveries", headers: ["Authorization": "Bearer \(drafting)"], bodyLimit: 8 << 20)
    while !notes.isStopping {
      let rows = try? await JSONValue(parsing: client.send(request).body)["deliveries"]?.array
      let own = (rows ?? []).filter { $0["message"]?.string?.lowercased() == ledger.messages.last?.id }
      if !own.isEmpty, own.allSatisfy({ $0["status"]?.string == "delivered" }) {
        ledger.messages[ledger.messages.count - 1].isAwaited = true
        return
      }
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  /// - Returns: the message, once it is acknowledged as issued.
  private mutating func issue(_ drafted: JSONValue, _ alert: String, isShort: Bool = false) async -> String? {
    guard let draft = drafted["draft"], let message = draft["message"]?.string?.lowercased(), let revision = draft["revision"] else {
      ledger.load.unexpected.append("a draft without a message: \(drafted)")
      return nil
    }
    // What is short may be over before an outage is: then nobody may issue it any more.
    let excused: Set<Int> = isShort ? [422] : []
    guard await command("/warnings/\(alert)/submit", .null, excusing: excused) != nil else { return nil }
    let key = nextKey()
    let issued = await command("/warnings/\(alert)/approve", ["revision": revision], by: approving, key: key, excusing: excused)
    ledger.messages.append(WarningLedger.Message(id: message, isAcknowledged: issued != nil))
    guard let issued else { return nil }
    check(issued, message)
    // Some press twice.
    if random.oneIn(3), let again = await command("/warnings/\(alert)/approve", ["revision": revision], by: approving, key: key) { check(again, message) }
    try? await Task.sleep(for: pause)
    return message
  }

  private mutating func check(_ issued: JSONValue, _ message: String) {
    let head = issued["head"] ?? .null
    if head["message"]?.string?.lowercased() != message { ledger.load.unexpected.append("approved \(message), and out is \(head)") }
  }

  private mutating func nextKey() -> String {
    serial += 1
    return "shift-\(number)-\(serial)"
  }

  private mutating func command(
    _ path: String, _ body: JSONValue, by token: String? = nil, key: String? = nil, excusing excused: Set<Int> = []
  ) async -> JSONValue? {
    let headers: Headers = ["Authorization": "Bearer \(token ?? drafting)", "Idempotency-Key": key ?? nextKey()]
    let request: ClientRequest =
      body == .null ? ClientRequest(.post, url + path, headers: headers) : .json(.post, url + path, body.bytes, headers: headers)
    guard let (answer, begun) = await ledger.load.persist(request, over: client, excusing: excused, random: &random, while: { [notes] in !notes.isStopping })
    else { return nil }
    notes.command(begun: begun)
    return try? JSONValue(parsing: answer.body)
  }
}
