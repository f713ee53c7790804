import HTTP
import TestSupport

extension Ledger {
  /// Longer than anything the server may take before it says 503.
  private static let patience = Duration.seconds(30)

  /// Sends until it is acknowledged, or gives up, as senders do: then nobody knows what became of it.
  ///
  /// - Parameters:
  ///   - excused: answers beside success and 503 that there may be, and after which nothing is sent again.
  ///   - givesUp: now and then.
  ///   - goesOn: whether it is worth sending again.
  /// - Returns: the acknowledgement, and when what was acknowledged was sent.
  mutating func persist(
    _ request: ClientRequest, over client: HTTPClient, excusing excused: Set<Int> = [], givesUp: Bool = true, random: inout SeededRandom,
    while goesOn: () -> Bool
  ) async -> (ClientResponse, begun: ContinuousClock.Instant)? {
    var request = request
    request.timeout = Self.patience
    while true {
      let begun = ContinuousClock.now
      do throws(HTTPClientError) {
        let answer = try await client.send(request)
        longest = max(longest, begun.duration(to: .now))
        if answer.isSuccess {
          acknowledged += 1
          return (answer, begun)
        }
        guard answer.status == 503, answer.retryAfter != nil else {
          if !excused.contains(answer.status) {
            unexpected.append("\(request.method.rawValue) \(request.url): \(answer.status) \(answer.text.prefix(300))")
          }
          return nil
        }
        refused += 1
      } catch .timedOut(_, _, sent: true) {
        hung += 1
      } catch {
        broken += 1
      }
      if !goesOn() || givesUp && random.oneIn(5) { return nil }
      // Sooner than Retry-After asks for: a patient sender would prove less.
      try? await Task.sleep(for: random.duration(20...200))
    }
  }
}
