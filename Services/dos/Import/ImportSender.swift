import Foundation
import HTTP
import JSON

/// Sends requests until they are answered: what is temporary is tried again, what is not is said at once.
struct ImportSender: Sendable {
  typealias Transport = @Sendable (ClientRequest) async throws(HTTPClientError) -> ClientResponse

  let plan: ImportPlan
  let transport: Transport
  /// Told before each pause: why, and for how long.
  let waiting: @Sendable (String, Duration) -> Void

  private static let longestPause = Duration.seconds(10)
  private static let longestWish = 60

  /// The first answer that is not temporary, whatever it says.
  func send(_ request: ClientRequest) async throws -> ClientResponse {
    var request = request
    if let token = plan.token { request.headers["Authorization"] = "Bearer \(token)" }
    let giveUp = ContinuousClock.now + plan.patience
    var pause = plan.pause
    while true {
      let trouble: String
      var wish: Duration?
      do throws(HTTPClientError) {
        let answer = try await transport(request)
        guard ImportSender.isTemporary(answer.status) else { return answer }
        trouble = "status \(answer.status)"
        wish = answer.retryAfter.map { .seconds(max(0, min($0, ImportSender.longestWish))) }
      } catch {
        if error == .cancelled { throw CancellationError() }
        guard error.isTransient else { throw ImportFailure.answer(error.description) }
        trouble = error.description
      }
      // Spread, so that many importers do not come back at the same moment.
      let next = max(wish ?? .zero, pause * Double.random(in: 0.5...1))
      guard ContinuousClock.now + next < giveUp else { throw ImportFailure.gaveUp(last: trouble) }
      waiting(trouble, next)
      try await Task.sleep(for: next)
      pause = min(pause * 2, ImportSender.longestPause)
    }
  }

  /// A SensorThings document; 4xx ends the import.
  func get(_ path: String) async throws -> JSONValue {
    let answer = try await send(ClientRequest(.get, "\(plan.api)/\(path)", timeout: .seconds(30)))
    guard answer.isSuccess else { throw ImportSender.refusal(answer) }
    return try ImportSender.json(answer)
  }

  static func json(_ answer: ClientResponse) throws(ImportFailure) -> JSONValue {
    do { return try JSONValue(parsing: answer.body) } catch { throw .answer("\(error)") }
  }

  static func refusal(_ answer: ClientResponse) -> ImportFailure {
    let detail = (try? JSONValue(parsing: answer.body))?["detail"]?.string
    return .refused(status: answer.status, detail: detail ?? String(answer.text.prefix(300)))
  }

  private static func isTemporary(_ status: Int) -> Bool {
    status == 408 || status == 429 || (502...504).contains(status)
  }
}
