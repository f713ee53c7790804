import Foundation
import HTTP
import JSON

/// Why the simulation cannot go on with what it was doing.
enum DemoFailure: Error, CustomStringConvertible {
  case refused(path: String, status: Int, text: String)
  case unreachable(HTTPClientError)
  case answer(String)

  var description: String {
    switch self {
    case .refused(let path, let status, let text): "\(path) was answered with \(status): \(text)"
    case .unreachable(let error): "the server cannot be reached: \(error)"
    case .answer(let what): "the server's answer cannot be used: \(what)"
    }
  }

  /// Whether the same may go well later: the server restarts, or asks for patience.
  var isTransient: Bool {
    switch self {
    case .refused(_, let status, _): status == 429 || status >= 500
    case .unreachable: true
    case .answer: false
    }
  }
}

/// The few calls of the SensorThings API that the simulation makes.
struct DemoAPI: Sendable {
  var client: HTTPClient
  /// For example `http://127.0.0.1:8080/sensors/v1.1`.
  var root: String
  var operatorToken: String
  var deviceToken: String

  /// The entity of that name, with what `expand` names.
  func find(_ set: String, name: String, expand: String? = nil) async throws(DemoFailure) -> JSONValue? {
    let quoted = "'" + name.replacing("'", with: "''") + "'"
    var query = "$top=1&$filter=" + escaped("name eq \(quoted)")
    if let expand { query += "&$expand=" + expand }
    return try await get("\(set)?\(query)")["value"]?.array?.first
  }

  /// Creates an entity and returns it. A repeat with the same key creates nothing new.
  func create(_ set: String, _ body: [UInt8], key: String) async throws(DemoFailure) -> JSONValue {
    let visible = Data(key.utf8).base64EncodedString()
    return try await send(.json(.post, "\(root)/\(set)", body, headers: ["Authorization": "Bearer \(operatorToken)", "Idempotency-Key": visible]))
  }

  /// Sends readings; returns one answer per row.
  func createObservations(_ body: [UInt8]) async throws(DemoFailure) -> JSONValue {
    try await send(.json(.post, "\(root)/CreateObservations", body, headers: ["Authorization": "Bearer \(deviceToken)"]))
  }

  func get(_ path: String) async throws(DemoFailure) -> JSONValue {
    try await send(ClientRequest(.get, "\(root)/\(path)"))
  }

  private func send(_ request: ClientRequest) async throws(DemoFailure) -> JSONValue {
    let response: ClientResponse
    do { response = try await client.send(request) } catch { throw .unreachable(error) }
    let path = String(request.url.dropFirst(root.count))
    guard response.isSuccess else { throw .refused(path: path, status: response.status, text: response.text) }
    do { return try JSONValue(parsing: response.body) } catch { throw .answer("\(path): \(error)") }
  }

  private func escaped(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
  }
}
