/// The media type of a request's body against what a route takes.
enum MediaType {
  /// 415 where a body comes with another type, or with another charset than UTF-8 (RFC 8259, section 8.1).
  static func check(_ request: Request, accepts: [String]) throws(Problem) {
    guard !request.body.isEmpty, !accepts.isEmpty else { return }
    let given = request.headers["Content-Type"]
    guard let given else { throw .unsupportedMediaType(nil, accepted: accepts) }
    let parts = given.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
    guard let type = parts.first, accepts.contains(type) else { throw .unsupportedMediaType(given, accepted: accepts) }
    for parameter in parts.dropFirst() where parameter.hasPrefix("charset=") {
      let charset = parameter.dropFirst(8).filter { $0 != "\"" }
      guard charset == "utf-8" || charset == "utf8" else { throw .unsupportedMediaType(given, accepted: accepts) }
    }
  }
}
