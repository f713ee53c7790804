import HTTP
import ServiceKit

/// What the API's document says beyond its routes.
enum WarningDescription {
  static let openAPI = OpenAPI(
    title: "Warnings", description: words, schemas: RequestBodies.all.merging(AnswerBodies.all) { first, _ in first })

  private static let words = """
    Hints, alerts with four eyes, their deliveries, and what holds where. An app needs three of these routes: GET /warnings/active, GET /warnings/stream and \
    GET /warnings/areas.json; they are for everybody. The rest is for officers on duty and control rooms. Beyond what schemas can say: whoever wrote a message \
    does not approve it; an id or a name in a body has to be known; where an area's polygons are drawn, their rings are closed and cross nothing; the ends of a \
    span are in order, and of a rule so are its marks; lat and lon come together; a template's texts are in German and English at least, without markup and no \
    longer than its channels take; and the character U+0000 is refused wherever it stands.
    """
}

extension RouteInfo {
  /// A read.
  /// - Parameters:
  ///   - answer: the component that it answers.
  ///   - waits: whether it can be told what it has to show.
  static func read(_ summary: String, _ tag: String, _ answer: String, _ parameters: [ParameterInfo] = [], waits: Bool = true) -> RouteInfo {
    RouteInfo(summary, tag: tag, parameters: parameters + (waits ? [.position] : []), responses: [.schema(answer)], isTagged: true)
  }

  /// A decision, which is taken once per Idempotency-Key.
  /// - Parameter answer: the component that it answers; nil where it has no body.
  static func decision(
    _ summary: String, _ tag: String, _ answer: String?, takes body: BodyInfo? = nil, _ parameters: [ParameterInfo] = [], status: Int = 200
  ) -> RouteInfo {
    RouteInfo(
      summary, tag: tag, parameters: parameters + [.idempotencyKey], request: body, responses: answer.map { [.schema($0)] } ?? [], status: status,
      headers: (status == 201 ? [.location] : []) + [.position])
  }
}

extension ParameterInfo {
  /// The id in an address.
  static func id(of what: String, _ name: String = "id") -> ParameterInfo {
    ParameterInfo(name, in: .path, "The id of \(what)", schema: Shape.uuid, required: true)
  }

  static let alert = id(of: "an alert, which stays the same from its first draft to the all-clear")

  /// Which part of a list (`Query.page`), newest first.
  static let page = [
    ParameterInfo("limit", "At most so many", schema: Shape.integer(in: 1...1_000)),
    ParameterInfo("cursor", "The next of an earlier page, unchanged", schema: Shape.words), city,
  ]
  static let city = ParameterInfo("city", "Only those of this city", schema: #"{"type":"string","examples":["dortmund"]}"#)
  static let open = ParameterInfo("open", "Only those that are not over", schema: Shape.truth)
}
