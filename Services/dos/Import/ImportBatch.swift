import HTTP
import JSON

/// Rows of some datastreams that go in one request, and how their answers are read.
struct ImportBatch: Sendable {
  struct Entry: Sendable {
    let line: Int
    let datastream: Int64
    let row: ReadingRow
  }

  /// In the order of the request.
  let entries: [Entry]

  /// What the city said to each row.
  struct Outcome: Sendable {
    var refused: [(line: Int, reason: String)] = []
    var accepted = 0
    /// Nil where the city does not tell, this and the next.
    var flagged: Int?
    var known: Int?
  }

  /// Bytes of a body, well below the 8 MiB that the route takes.
  private static let sizeLimit = 4 << 20

  /// One lane of batches per request that may be under way. A datastream's rows stay in one lane, in the order of the
  /// file, and each lane is sent one batch after the other: so readings of a datastream arrive in order.
  static func lanes(_ rows: [(row: ReadingRow, datastream: Int64)], count: Int, batch: Int) -> [[ImportBatch]] {
    var byDatastream: [Int64: [Entry]] = [:]
    for (row, datastream) in rows { byDatastream[datastream, default: []].append(Entry(line: row.line, datastream: datastream, row: row)) }
    var lanes = [[Entry]](repeating: [], count: max(1, count))
    for (_, entries) in byDatastream.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
      guard let shortest = lanes.indices.min(by: { lanes[$0].count < lanes[$1].count }) else { continue }
      lanes[shortest] += entries
    }
    return lanes.filter { !$0.isEmpty }.map { cut($0, batch) }
  }

  private static func cut(_ entries: [Entry], _ batch: Int) -> [ImportBatch] {
    var batches: [ImportBatch] = []
    var current: [Entry] = []
    var size = 0
    for entry in entries {
      let bytes = entry.bytes
      if !current.isEmpty, current.count >= batch || size + bytes > sizeLimit {
        batches.append(ImportBatch(entries: current))
        current = []
        size = 0
      }
      current.append(entry)
      size += bytes
    }
    if !current.isEmpty { batches.append(ImportBatch(entries: current)) }
    return batches
  }

  /// OGC SensorThings 1.1, section 13.2: one group per datastream, `[phenomenonTime, result]` per row.
  var body: [UInt8] {
    var json = JSONWriter(capacity: entries.count * 48 + 256)
    json.beginArray()
    var open: Int64?
    for entry in entries {
      if open != entry.datastream {
        if open != nil { ImportBatch.closeGroup(&json) }
        ImportBatch.openGroup(entry.datastream, &json)
        open = entry.datastream
      }
      guard case .reading(let time, let result) = entry.row.content else { continue }
      json.beginArray()
      json.instant(time)
      json.raw(result)
      json.endArray()
    }
    if open != nil { ImportBatch.closeGroup(&json) }
    json.endArray()
    return json.bytes
  }

  private static func openGroup(_ datastream: Int64, _ json: inout JSONWriter) {
    json.beginObject()
    json.key("Datastream")
    json.object { json in
      json.key("@iot.id")
      json.int(datastream)
    }
    json.key("components")
    json.array { json in
      json.string("phenomenonTime")
      json.string("result")
    }
    json.key("dataArray")
    json.beginArray()
  }

  private static func closeGroup(_ json: inout JSONWriter) {
    json.endArray()
    json.endObject()
  }

  /// One string per row: a link, or a text that begins with `error`. The fields `DOS-Flagged` and `DOS-Known`, where
  /// the city sends them, say how many of the accepted rows are implausible, and how many it had before.
  func outcome(of answer: ClientResponse) throws(ImportFailure) -> Outcome {
    guard let list = try ImportSender.json(answer).array else { throw .answer("CreateObservations did not answer with a list") }
    guard list.count == entries.count else { throw .answer("CreateObservations answered \(list.count) rows of \(entries.count)") }
    var outcome = Outcome()
    for (entry, said) in zip(entries, list) {
      guard let text = said.string else { throw .answer("CreateObservations answered a row with something else than a text") }
      if text.hasPrefix("error") {
        let reason = text.dropFirst(5).drop { $0 == ":" || $0 == " " }
        outcome.refused.append((entry.line, reason.isEmpty ? "no reason given" : String(reason)))
      } else {
        outcome.accepted += 1
      }
    }
    outcome.flagged = answer.headers["DOS-Flagged"].flatMap(Int.init)
    outcome.known = answer.headers["DOS-Known"].flatMap(Int.init)
    return outcome
  }

  /// Both halves, for a request that was too large.
  var halves: [ImportBatch] {
    let middle = entries.count / 2
    return [ImportBatch(entries: Array(entries[..<middle])), ImportBatch(entries: Array(entries[middle...]))]
  }
}

extension ImportBatch.Entry {
  fileprivate var bytes: Int {
    if case .reading(_, let result) = row.content { result.count + 40 } else { 0 }
  }
}
