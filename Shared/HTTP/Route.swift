/// One thing a service answers: where, to whom, within which limits, and how it reads in the API's description.
public struct Route: Sendable {
  public typealias Handler = @Sendable (Request) async throws -> Response

  public var method: Method
  /// Literal segments with parameters in braces, also inside a segment: `/sensors/v1.1/Datastreams({id})/Observations`.
  public var pattern: String
  public var access: Access
  /// Bytes of body this takes; more is 413.
  public var bodyLimit: Int
  /// Media types of the body; another is 415. Empty: anything goes.
  public var accepts: [String]
  public var info: RouteInfo
  public var handler: Handler

  public init(
    _ method: Method, _ pattern: String, access: Access, bodyLimit: Int = 1 << 20, accepts: [String] = ["application/json"], info: RouteInfo,
    handler: @escaping Handler
  ) {
    self.method = method
    self.pattern = pattern
    self.access = access
    self.bodyLimit = bodyLimit
    self.accepts = accepts
    self.info = info
    self.handler = handler
  }
}

/// What the OpenAPI document says about a route.
public struct RouteInfo: Sendable, ExpressibleByStringLiteral {
  public var summary: String
  public var tag: String
  public var description: String
  public var parameters: [ParameterInfo]
  public var request: BodyInfo?
  /// What the answer may hold when all goes well, by its media type; empty where it has no body.
  public var responses: [BodyInfo]
  /// Of the answer when all goes well.
  public var status: Int
  /// Whether it may also be 204, without a body.
  public var mayBeEmpty: Bool
  /// Fields of the answer when all goes well.
  public var headers: [HeaderInfo]
  /// Whether the answer has an entity tag, and is 304 for who has it already (`Response.unlessUnchanged`).
  public var isTagged: Bool

  public init(
    _ summary: String, tag: String = "", description: String = "", parameters: [ParameterInfo] = [], request: BodyInfo? = nil, responses: [BodyInfo] = [],
    status: Int = 200, mayBeEmpty: Bool = false, headers: [HeaderInfo] = [], isTagged: Bool = false
  ) {
    self.summary = summary
    self.tag = tag
    self.description = description
    self.parameters = parameters
    self.request = request
    self.responses = responses
    self.status = status
    self.mayBeEmpty = mayBeEmpty
    self.headers = headers
    self.isTagged = isTagged
  }

  public init(stringLiteral summary: String) { self.init(summary) }
}

/// A parameter in the query or a header, or words about one in the path.
public struct ParameterInfo: Sendable {
  public enum Place: String, Sendable { case query, path, header }

  public var name: String
  public var place: Place
  public var description: String
  public var required: Bool
  /// A JSON Schema, as JSON text.
  public var schema: String

  public init(_ name: String, in place: Place = .query, _ description: String, schema: String = #"{"type":"string"}"#, required: Bool = false) {
    self.name = name
    self.place = place
    self.description = description
    self.required = required
    self.schema = schema
  }
}

extension ParameterInfo {
  /// What makes a command safe to repeat (the IETF draft "The Idempotency-Key HTTP Header Field").
  public static let idempotencyKey = ParameterInfo(
    "Idempotency-Key", in: .header,
    "The same request with the same key is carried out once, and a repeat gets the first answer; with another body it is 422",
    schema: #"{"type":"string","pattern":"^[!-~]{1,255}$"}"#)

  /// The tag of what the client has (RFC 9110, section 13.1.2).
  public static let ifNoneMatch = ParameterInfo(
    "If-None-Match", in: .header, "The ETag of an earlier answer: where it is still the same, this one is 304 and has no body")
}

/// A field of an answer's head.
public struct HeaderInfo: Sendable {
  public var name: String
  public var description: String
  /// A JSON Schema, as JSON text.
  public var schema: String
  /// Whether each such answer has it.
  public var isAlwaysThere: Bool

  public init(_ name: String, _ description: String, schema: String = Shape.words, isAlwaysThere: Bool = true) {
    self.name = name
    self.description = description
    self.schema = schema
    self.isAlwaysThere = isAlwaysThere
  }

  /// Where the new resource is (RFC 9110, section 10.2.2).
  public static let location = HeaderInfo("Location", "Where it is", schema: #"{"type":"string","format":"uri-reference"}"#)

  /// RFC 9110, section 8.8.3.
  public static let entityTag = HeaderInfo("ETag", "The same for the same bytes", schema: #"{"type":"string","pattern":"^\"[!#-~]*\"$"}"#)
}

/// A body as the OpenAPI document shows it.
public struct BodyInfo: Sendable {
  public var contentType: String
  /// A JSON Schema, as JSON text; `{"$ref":"#/components/schemas/Thing"}` for one handed to `openAPI`.
  public var schema: String
  /// One that works, as JSON text.
  public var example: String?

  /// Text of any media type.
  public static func text(_ contentType: String, example: String? = nil) -> BodyInfo {
    BodyInfo(schema: Shape.words, contentType: contentType, example: example.map(Shape.quoted))
  }

  public init(schema: String, contentType: String = "application/json", example: String? = nil) {
    self.contentType = contentType
    self.schema = schema
    self.example = example
  }

  /// A schema of the document's components, by name.
  public static func schema(_ name: String, contentType: String = "application/json", example: String? = nil) -> BodyInfo {
    BodyInfo(schema: Shape.named(name), contentType: contentType, example: example)
  }
}
