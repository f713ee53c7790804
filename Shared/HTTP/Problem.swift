import JSON

/// What went wrong, as problem details (RFC 9457), said so that the caller knows what to do.
public struct Problem: Error, Sendable, Equatable {
  /// One wrong part of a request.
  public struct FieldError: Sendable, Equatable {
    /// Where, as a path of names: `Datastream/unitOfMeasurement/symbol`, or a parameter's name: `$top`.
    public var path: String
    public var problem: String
    /// What would be right.
    public var expected: String

    public init(path: String, problem: String, expected: String) {
      self.path = path
      self.problem = problem
      self.expected = expected
    }
  }

  public var status: Int
  public var title: String
  public var detail: String
  /// A URI reference that names the kind of problem; `about:blank` where the status says it all.
  public var type: String
  public var errors: [FieldError]
  /// Whole seconds after which a repeat makes sense.
  public var retryAfter: Int?
  /// Fields of the answer beside the body, such as `Allow`.
  public var headers: Headers

  public init(
    status: Int, title: String? = nil, detail: String, type: String = "about:blank", errors: [FieldError] = [], retryAfter: Int? = nil, headers: Headers = [:]
  ) {
    self.status = status
    self.title = title ?? Status.reason(status)
    self.detail = detail
    self.type = type
    self.errors = errors
    self.retryAfter = retryAfter
    self.headers = headers
  }

  public static func badRequest(_ detail: String, errors: [FieldError] = []) -> Problem { Problem(status: 400, detail: detail, errors: errors) }

  /// 400 for one parameter or field.
  public static func badRequest(path: String, problem: String, expected: String) -> Problem {
    badRequest("\(path): \(problem); expected \(expected).", errors: [FieldError(path: path, problem: problem, expected: expected)])
  }

  /// 400 for a body that is not what it should be.
  public init(_ rejection: JSONRejection) {
    self = .badRequest(path: rejection.path.isEmpty ? "body" : rejection.path, problem: rejection.problem, expected: rejection.expected)
  }

  public static func unauthorized(_ detail: String) -> Problem {
    Problem(status: 401, detail: detail, headers: ["WWW-Authenticate": "Bearer"])
  }

  public static func forbidden(_ detail: String) -> Problem { Problem(status: 403, detail: detail) }
  public static func notFound(_ detail: String) -> Problem { Problem(status: 404, detail: detail) }

  public static func methodNotAllowed(_ method: String, allow: [String]) -> Problem {
    let names = allow.joined(separator: ", ")
    return Problem(status: 405, detail: "\(method) is not possible here; possible: \(names).", headers: ["Allow": names])
  }

  public static func conflict(_ detail: String, errors: [FieldError] = []) -> Problem { Problem(status: 409, detail: detail, errors: errors) }
  public static func preconditionFailed(_ detail: String) -> Problem { Problem(status: 412, detail: detail) }

  public static func payloadTooLarge(limit: Int) -> Problem {
    Problem(status: 413, detail: "The body is larger than the \(limit) bytes this takes; send it in smaller parts.")
  }

  public static func unsupportedMediaType(_ given: String?, accepted: [String]) -> Problem {
    let names = accepted.joined(separator: ", ")
    return Problem(status: 415, detail: "Content-Type is \(given ?? "missing"); this takes \(names), in UTF-8.", headers: ["Accept": names])
  }

  public static func unprocessable(_ detail: String, errors: [FieldError] = []) -> Problem { Problem(status: 422, detail: detail, errors: errors) }

  public static func tooManyRequests(_ detail: String = "Too many requests.", retryAfter: Int) -> Problem {
    Problem(status: 429, detail: detail, retryAfter: retryAfter)
  }

  /// Tells nothing about the cause; the log does, under the correlation id.
  public static func internalError(correlationID: String) -> Problem {
    Problem(status: 500, detail: "Something went wrong here. The log knows it as \(correlationID).")
  }

  /// What a request came to whose client did not wait for its answer. There is no status for it, since nobody is left to read one; proxies log this number.
  static let left = Problem(status: 499, title: "Client Closed Request", detail: "The client left before the answer.")

  public static func unavailable(_ detail: String, retryAfter: Int = 1) -> Problem { Problem(status: 503, detail: detail, retryAfter: retryAfter) }
}

extension Problem {
  /// The answer as `application/problem+json`.
  public var response: Response { response(correlationID: nil) }

  func response(correlationID: String?) -> Response {
    var answer = Response(status: status, headers: headers, body: .bytes(json(correlationID: correlationID)))
    answer.headers["Content-Type"] = "application/problem+json"
    if let retryAfter { answer.headers["Retry-After"] = String(retryAfter) }
    return answer
  }

  private func json(correlationID: String?) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.key("type")
      json.string(type)
      json.key("title")
      json.string(title)
      json.key("status")
      json.int(status)
      json.key("detail")
      json.string(detail)
      if let correlationID {
        json.key("correlationId")
        json.string(correlationID)
      }
      if !errors.isEmpty {
        json.key("errors")
        json.array { json in
          for error in errors { error.write(to: &json) }
        }
      }
    }
    return json.bytes
  }
}

extension Problem.FieldError {
  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.key("path")
      json.string(path)
      json.key("problem")
      json.string(problem)
      json.key("expected")
      json.string(expected)
    }
  }
}
