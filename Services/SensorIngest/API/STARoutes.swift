import HTTP
import JSON
import ServiceKit

/// The routes that all entity types share: collections, entities, what is reached from them, and single properties.
struct STARoutes: Sendable {
  let service: STAService

  /// - Parameter skipping: patterns that a resource answers itself.
  func routes(skipping own: Set<String> = []) -> [Route] {
    var routes: [Route] = []
    for type in service.model.types {
      let set = "\(STAService.prefix)/\(type.set)"
      let entity = set + "({id})"
      add(&routes, own, set, "The \(type.set)", type, Read(type, [type.set])) { try await read(type, $0, nil, []) }
      add(&routes, own, set + "/$ref", "The links of the \(type.set)", type, Read(type, ["References"])) { try await read(type, $0, nil, ["$ref"]) }
      add(&routes, own, entity, "A \(type.name)", type, Read(type, [type.name], path: [.id])) { try await read(type, $0, $0.integerParameter("id"), []) }
      // Literal, since a POST to the same address is: literals win, whatever the method.
      for navigation in type.navigations {
        guard let target = service.model.target(of: navigation) else { continue }
        let answer = navigation.isMany ? target.set : target.name
        add(&routes, own, "\(entity)/\(navigation.name)", "The \(navigation.name) of a \(type.name)", type, Read(target, [answer], path: [.id])) { request in
          try await read(type, request, request.integerParameter("id"), [navigation.name])
        }
      }
      for depth in 1...5 {
        let names = ["first", "second", "third", "fourth", "fifth"].prefix(depth)
        let pattern = entity + names.map { "/{\($0)}" }.joined()
        let steps = steps(Array(names), from: type)
        add(&routes, own, pattern, "What is reached from a \(type.name), or one of its properties", type, Read(nil, [], path: [.id] + steps)) { request in
          try await read(type, request, request.integerParameter("id"), names.map { try request.parameter($0) })
        }
      }
    }
    return routes
  }

  private func add(
    _ routes: inout [Route], _ own: Set<String>, _ pattern: String, _ summary: String, _ type: STAEntityType, _ read: Read, handler: @escaping Route.Handler
  ) {
    guard !own.contains(pattern) else { return }
    routes.append(
      Route(.get, pattern, access: .everyone, accepts: [], info: read.info(summary, tag: type.set)) { request in
        try await STAProblems.translated {
          try await service.caughtUp(try DOSPosition.read(request))
          // Readings are waited for only where the address asks for some.
          if request.target.contains("Observation") { try await service.readingsCaughtUp(request, try Self.datastream(type, request)) }
          return try await handler(request)
        }
      })
  }

  /// The segments of an address, with one way along them as examples.
  private func steps(_ names: [String], from type: STAEntityType) -> [ParameterInfo] {
    var at = type
    return names.enumerated().map { index, name in
      let types = index == 0 ? [type] : service.model.types
      let ways = at.navigations.lazy.compactMap { way in service.model.target(of: way).map { (way, $0) } }
      guard index < names.count - 1, let (way, target) = ways.first else {
        return step(name, from: types, isAlone: names.count == 1, example: at.properties.first?.name ?? "id")
      }
      at = target
      return step(name, from: types, isAlone: false, example: way.isMany ? "\(way.name)(1)" : way.name)
    }
  }

  /// What a segment may say: a way to other entities, a property, or how it is shown.
  private func step(_ name: String, from types: [STAEntityType], isAlone: Bool, example: String) -> ParameterInfo {
    let several = types.flatMap { $0.navigations.filter(\.isMany).map(\.name) }
    // An entity's navigations have routes of their own, where something may be posted too.
    let navigations = isAlone ? [] : types.flatMap { $0.navigations.map(\.name) }
    let words = navigations + types.flatMap { $0.properties.map(\.name) } + ["id", #"\$ref"#, #"\$value"#]
    let one = several.isEmpty ? "" : #"(\#(Set(several).sorted().joined(separator: "|")))\([1-9][0-9]{0,14}\)|"#
    let pattern = #"^(\#(one)\#(Set(words).sorted().joined(separator: "|")))$"#
    return ParameterInfo(
      name, in: .path, "A navigation, of several one by its id, as Datastreams(17); or a property, $value after it, or $ref",
      schema: #"{"type":"string","pattern":\#(Shape.quoted(pattern)),"examples":[\#(Shape.quoted(example))]}"#)
  }

  /// Goes along the segments of a path, for example `Datastreams`, `17`, [`Thing`, `name`, `$value`].
  private func read(_ type: STAEntityType, _ request: Request, _ id: Int64?, _ segments: [String]) async throws -> Response {
    guard let id else { return try await service.collection(request, type, .all, isReference: segments == ["$ref"]) }
    var type = type
    var scope = STAReader.Scope.id(type.name == STAEntityType.observation.name ? try await service.holding(id) : id)
    var rest = segments[...]
    while let segment = rest.popFirst() {
      if segment == "$ref", rest.isEmpty { return try await service.single(request, type, scope, isReference: true) }
      let (name, inner) = try Self.split(segment)
      guard let navigation = type.navigation(name), let target = service.model.target(of: navigation) else {
        guard inner == nil, let property = type.property(name) ?? (name == "id" ? Self.id : nil) else {
          let near = nearestName(to: name, among: type.names)
          throw Problem.notFound("A \(type.name) has no \(name.prefix(60)). Perhaps \(near ?? type.names.joined(separator: ", ")) is meant.")
        }
        return try await self.property(property, of: type, scope, request, rest)
      }
      // What is left behind must be there, and be seen, before it leads on.
      let here = try await found(type, scope, request)
      scope = .reached(from: type, id: here, navigation)
      type = target
      if let inner {
        guard navigation.isMany, try await holds(type, scope, inner, request) else { throw STAService.absent(type, .id(inner)) }
        scope = .id(inner)
      } else if navigation.isMany {
        let isReference = rest.first == "$ref"
        guard rest.count == (isReference ? 1 : 0) else { throw Problem.notFound("\(name) is a collection; name one of it, as \(name)(1).") }
        return try await service.collection(request, type, scope, isReference: isReference)
      }
    }
    return try await service.single(request, type, scope)
  }

  /// The datastream whose readings alone an address asks for.
  private static func datastream(_ type: STAEntityType, _ request: Request) throws -> Int64? {
    guard type.name == STAEntityType.datastream.name, request.path.hasSuffix(")/Observations") else { return nil }
    return try request.integerParameter("id")
  }

  private static let id = STAProperty("id", .int, "{t}.id")

  /// `Datastreams(5)` as its name and id.
  private static func split(_ segment: String) throws(Problem) -> (String, Int64?) {
    guard let open = segment.firstIndex(of: "("), segment.hasSuffix(")") else { return (segment, nil) }
    let text = segment[segment.index(after: open)...].dropLast()
    guard let id = Int64(text), id > 0, String(id) == text else { throw .notFound("\"\(text.prefix(40))\" is no id: ids are whole numbers above zero.") }
    return (String(segment[..<open]), id)
  }

  private func found(_ type: STAEntityType, _ scope: STAReader.Scope, _ request: Request) async throws -> Int64 {
    var query = STAQuery()
    query.select = []
    guard let entity = try await service.reader(request).entity(type, scope, query) else { throw STAService.absent(type, scope) }
    return entity.id
  }

  private func holds(_ type: STAEntityType, _ scope: STAReader.Scope, _ id: Int64, _ request: Request) async throws -> Bool {
    var query = STAQuery()
    query.select = []
    query.filter = .comparison(.eq, .path(["id"], position: 1), .literal(.int(id)))
    return try await service.reader(request).entity(type, scope, query) != nil
  }

  /// One property as `{"name": ...}`, or alone with `/$value`.
  private func property(
    _ property: STAProperty, of type: STAEntityType, _ scope: STAReader.Scope, _ request: Request, _ rest: ArraySlice<String>
  ) async throws -> Response {
    guard rest.isEmpty || Array(rest) == ["$value"] else { throw Problem.notFound("After \(property.name) there is only $value.") }
    // They change nothing here; one that is wrong is not passed over.
    _ = try service.query(request)
    var query = STAQuery()
    query.select = [STAName(property.name, position: 1)]
    guard let entity = try await service.reader(request).entity(type, scope, query) else { throw STAService.absent(type, scope) }
    guard let value = try entity.value(of: property) else { return .noContent }
    if rest.isEmpty {
      var writer = JSONWriter()
      writer.beginObject()
      writer.key(name: property.name == "id" ? "@iot.id" : property.name)
      writer.raw(value)
      writer.endObject()
      return .json(writer.bytes)
    }
    // A text stands without its quotes, everything else as JSON.
    if let text = try JSONValue(parsing: value).string { return .text(text) }
    return .text(String(decoding: value, as: UTF8.self))
  }
}

/// What a read's description says: what its options are about, and what it answers.
private struct Read {
  /// Nil where the whole address tells.
  let type: STAEntityType?
  let answers: [String]
  let path: [ParameterInfo]

  init(_ type: STAEntityType?, _ answers: [String], path: [ParameterInfo] = []) {
    self.type = type
    self.answers = answers
    self.path = path
  }

  func info(_ summary: String, tag: String) -> RouteInfo {
    let bodies: [BodyInfo] = type == nil ? [BodyInfo(schema: Shape.free), .text("text/plain")] : answers.map { .schema($0) }
    return RouteInfo(
      summary, tag: tag,
      parameters: path + ParameterInfo.options(of: type, isOne: answers == type.map { [$0.name] }, areLinks: answers == ["References"]) + [.position],
      responses: bodies, mayBeEmpty: type == nil)
  }
}
