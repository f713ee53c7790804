import HTTP

/// Takes a file of readings to the city, a window of rows at a time: each window is sent in a few requests at once, and
/// when all are acknowledged the checkpoint moves. So after any crash a window may be sent twice, which the city
/// recognises (the same reading is the same fact), and none is left out.
struct ReadingsImport: Sendable {
  let plan: ImportPlan
  /// Of the checkpoint.
  let statePath: String
  let source: String
  let transport: ImportSender.Transport
  let progress: any ImportProgress

  /// The summary of the whole file, rows of earlier runs included. Throws `ImportFailure`, and `CancellationError` when interrupted.
  func run() async throws -> ImportSummary {
    let total = try ReadingRows.count(plan)
    var rows = try ReadingRows(plan)
    var summary = ImportCheckpoint.read(statePath, source: source)?.summary ?? ImportSummary()
    try rows.skip(summary.rows)
    let sender = ImportSender(plan: plan, transport: transport) { why, pause in progress.waits(why, pause) }
    var lookup = DatastreamLookup(plan.datastream, sender)
    progress.begins(at: summary.rows, of: total)
    while true {
      let window = try rows.next(plan.batch * plan.concurrency)
      guard !window.isEmpty else { break }
      try await lookup.resolve(Set(window.compactMap { row in if case .reading = row.content { row.key } else { nil } }))
      try await send(window, lookup, sender, &summary)
      summary.rows += window.count
      try ImportCheckpoint(source: source, summary: summary).write(statePath)
      progress.moves(to: summary.rows, of: total)
    }
    progress.ends()
    return summary
  }

  private func send(_ window: [ReadingRow], _ lookup: DatastreamLookup, _ sender: ImportSender, _ summary: inout ImportSummary) async throws {
    var sendable: [(row: ReadingRow, datastream: Int64)] = []
    var refused: [(line: Int, reason: String)] = []
    for row in window {
      if case .refused(let reason) = row.content {
        refused.append((row.line, reason))
        continue
      }
      switch lookup[row.key] {
      case .id(let id): sendable.append((row, id))
      case .none(let reason): refused.append((row.line, reason))
      }
    }
    let lanes = ImportBatch.lanes(sendable, count: plan.concurrency, batch: plan.batch)
    try await withThrowingTaskGroup(of: [ImportBatch.Outcome].self) { tasks in
      for lane in lanes { tasks.addTask { try await ReadingsImport.send(lane, sender) } }
      for try await outcomes in tasks {
        for outcome in outcomes {
          summary.accepted += outcome.accepted
          if let flagged = outcome.flagged { summary.flagged = (summary.flagged ?? 0) + flagged }
          if let known = outcome.known { summary.known = (summary.known ?? 0) + known }
          refused += outcome.refused
        }
      }
    }
    // In the order of the file, so that the examples are the first.
    for (line, reason) in refused.sorted(by: { $0.line < $1.line }) { summary.refuse(line: line, reason) }
  }

  private static func send(_ lane: [ImportBatch], _ sender: ImportSender) async throws -> [ImportBatch.Outcome] {
    var outcomes: [ImportBatch.Outcome] = []
    var rest = lane[...]
    while let batch = rest.popFirst() {
      var request = ClientRequest.json(.post, "\(sender.plan.api)/CreateObservations", batch.body)
      request.timeout = .seconds(60)
      request.bodyLimit = 16 << 20
      let answer = try await sender.send(request)
      switch answer.status {
      case 200, 201: outcomes.append(try batch.outcome(of: answer))
      case 413 where batch.entries.count > 1: rest = (batch.halves + rest)[...]
      case 413: outcomes.append(ImportBatch.Outcome(refused: batch.entries.map { ($0.line, "the row is too large for a request") }))
      default: throw ImportSender.refusal(answer)
      }
    }
    return outcomes
  }
}
