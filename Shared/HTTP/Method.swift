/// The methods the house knows (RFC 9110, section 9). Any other is 501.
public enum Method: String, Sendable, Hashable, CaseIterable {
  case get = "GET"
  case head = "HEAD"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"
  case options = "OPTIONS"
  /// Known, and no route is ever one: it would show a caller's credentials to whoever made the caller ask.
  case trace = "TRACE"
}
