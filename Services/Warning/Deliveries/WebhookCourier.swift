import Broker
import EventSourcing
import Foundation
import HTTP
import JSON
import ServiceKit
import Time
import WarningDomain

/// Posts letters as CloudEvents (structured mode, JSON), signed as Standard Webhooks says: `webhook-id`, `webhook-timestamp`, and in `webhook-signature`
/// `v1,` with the base64 of HMAC-SHA256 over `id.timestamp.body`. The id stays the same however often it is sent.
///
/// An answer may carry counts of pushes, `{"accepted": 1000, "sent": 990, "failed": 10}`.
struct WebhookCourier: Courier {
  let channel = Channel.webhook
  let atOnce = 64
  let client: HTTPClient
  let clock: @Sendable () -> Instant

  /// A target that has not answered by then gets it again.
  static let timeout = Duration.seconds(30)

  func bring(_ letter: Letter, _ parcel: Parcel, to target: DeliveryTarget) async -> DeliveryOutcome {
    let id = letter.id(parcel)
    let body: [UInt8]
    do {
      body = try Self.body(letter, id: id, city: target.city, at: clock())
    } catch {
      return .failed("it cannot be written: \(error)", mayHaveArrived: false, lasting: true)
    }
    let timestamp = String(clock().milliseconds / 1_000)
    var headers: Headers = ["Content-Type": "application/cloudevents+json", "webhook-id": id, "webhook-timestamp": timestamp]
    if let secret = target.secret {
      let signature = Hashing.hmacSHA256(Array("\(id).\(timestamp).".utf8) + body, key: Array(secret.utf8))
      headers["webhook-signature"] = "v1," + Data(signature).base64EncodedString()
    }
    do throws(HTTPClientError) {
      let answer = try await client.send(
        ClientRequest(.post, target.address, headers: headers, body: body, timeout: Self.timeout, connectTimeout: .seconds(10), bodyLimit: 64 << 10))
      return Self.outcome(answer)
    } catch {
      return .failed(error.description, mayHaveArrived: error.mayHaveArrived, lasting: !error.isTransient)
    }
  }

  static func body(_ letter: Letter, id: String, city: String, at time: Instant) throws -> [UInt8] {
    let (type, data): (String, [UInt8]) =
      switch letter {
      case .alert(let alert): try WarningCoding.published.encode(.published(alert))
      case .hint(let hint): ("de.dos2030.warnings.hint-page.v1", try WarningJSON.bytes(HintPage(hint)))
      case .request(let chain, let draft): ("de.dos2030.warnings.request-page.v1", try WarningJSON.bytes(RequestPage(chain, draft)))
      }
    var json = JSONWriter()
    json.object { json in
      for (name, value) in [
        ("specversion", "1.0"), ("id", id), ("source", "/\(city)/warnings"), ("type", type), ("time", time.rfc3339), ("datacontenttype", "application/json"),
      ] {
        json.key(name: name)
        json.string(value)
      }
      json.key("data")
      json.raw(data)
    }
    return json.bytes
  }

  /// 2xx is taken; 408, 425, 429 and 5xx may pass; anything else would be answered the same again.
  static func outcome(_ answer: ClientResponse) -> DeliveryOutcome {
    guard !answer.isSuccess else {
      let counts = try? JSONDecoder().decode(Counts.self, from: Data(answer.body))
      return .delivered(Receipt(accepted: counts?.accepted, sent: counts?.sent, failed: counts?.failed))
    }
    let passes = answer.status >= 500 || [408, 425, 429].contains(answer.status)
    return .failed(
      "answered \(answer.status)", mayHaveArrived: answer.status >= 500, lasting: !passes, retryAfter: answer.retryAfter.map { .seconds(min($0, 300)) })
  }

  private struct Counts: Decodable {
    let accepted: Int?
    let sent: Int?
    let failed: Int?
  }
}

/// A hint as it pages whoever is on duty.
struct HintPage: Encodable {
  let hint: UUID
  let level: Int
  let finding: Finding

  init(_ hint: Hint) {
    self.hint = hint.id
    level = hint.level
    finding = hint.finding
  }
}

/// A request as it pages a control room.
struct RequestPage: Encodable {
  let alert: UUID
  let message: UUID
  let city: String
  let kind: MessageKind
  let content: AlertContent

  init(_ chain: AlertChain, _ draft: Draft) {
    alert = chain.id
    message = draft.message
    city = chain.city
    kind = draft.kind
    content = draft.content
  }
}
