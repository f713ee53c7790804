import HTTP

extension ParameterInfo {
  /// The id in an address.
  static let id = ParameterInfo("id", in: .path, "The entity's @iot.id", schema: Shape.id, required: true)

  /// The options of a read (OGC 18-088, section 9.3). Expressions are a language that no JSON Schema describes: the examples show it.
  /// - Parameters:
  ///   - type: what is read, where the address alone says it.
  ///   - isOne: whether it is a single entity, of which only the form can be chosen.
  ///   - areLinks: whether links alone are answered.
  static func options(of type: STAEntityType?, isOne: Bool = false, areLinks: Bool = false) -> [ParameterInfo] {
    let text = type?.properties.first { $0.kind == .text }?.name
    let shown = [
      expression("$select", "Which properties are shown, with commas between", ["id"] + (text.map { ["\($0)", "@iot.id,\($0)"] } ?? [])),
      expression(
        "$expand", "Which navigations are shown with what they lead to, each with options of its own in parentheses",
        type.map { $0.navigations.flatMap { [$0.name, $0.isMany ? "\($0.name)($top=1;$select=id)" : "\($0.name)($select=id)"] } } ?? []),
    ]
    guard !isOne else { return shown }
    let filters = ["id ge 1", "id lt 2 or not (id eq 3)"] + (text.map { ["startswith(\($0), 'A') or \($0) ne 'B'"] } ?? [])
    return shown + [
      expression(
        "$filter", "Which entities: comparisons with eq, ne, gt, ge, lt and le, joined by and, or and not, with the functions of section 9.3.3.5", filters),
      expression("$orderby", "In which order: expressions, each with asc or desc", ["id desc"] + (text.map { ["\($0) asc,id desc"] } ?? [])),
      ParameterInfo(
        "$top", "At most so many entities; an answer holds at most \(STAQuery.maximumTop), and \(STAQuery.defaultTop) where nothing is said",
        schema: Shape.natural),
      ParameterInfo("$skip", "So many entities are left out at the beginning", schema: Shape.natural),
      ParameterInfo("$count", "Whether the answer says how many there are in all", schema: Shape.truth),
    ]
      + (type?.name == STAEntityType.observation.name && !areLinks
        ? [
          ParameterInfo(
            "$resultFormat", "Observations as rows, those of a datastream together; without $expand", schema: #"{"type":"string","const":"dataArray"}"#)
        ] : [])
  }

  private static func expression(_ name: String, _ description: String, _ examples: [String]) -> ParameterInfo {
    let shown = examples.isEmpty ? "" : #","examples":[\#(examples.map(Shape.quoted).joined(separator: ","))]"#
    return ParameterInfo(name, description, schema: #"{"type":"string","minLength":1\#(shown)}"#)
  }
}
