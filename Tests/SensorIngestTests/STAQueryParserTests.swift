import Testing
import Time

@testable import SensorIngest

@Suite("A query's options")
struct STAQueryParserTests {
  private func parse(_ options: (String, String)...) throws -> STAQuery { try STAQueryParser.parse(options.map { (name: $0.0, value: $0.1) }) }

  private func path(_ names: String..., at position: Int) -> STAExpression { .path(names, position: position) }

  @Test("give a page, an order, a count and a selection")
  func plain() throws {
    let query = try parse(("$top", "5"), ("$skip", "10"), ("$count", "true"), ("$orderby", "name desc,@iot.id"), ("$select", "name,@iot.id"))
    #expect(query.top == 5)
    #expect(query.skip == 10)
    #expect(query.count)
    #expect(query.orderBy == [STAOrder(path("name", at: 1), descending: true), STAOrder(path("@iot.id", at: 11))])
    #expect(query.select == [STAName("name", position: 1), STAName("@iot.id", position: 6)])
  }

  @Test("hold at most 10,000 entities and 100 where nothing is asked")
  func limits() throws {
    #expect(try parse(("$top", "20000")).limit == 10_000)
    #expect(try parse().limit == 100)
  }

  @Test("expand with options of their own, over several levels")
  func expand() throws {
    let query = try parse(("$expand", "Datastreams($expand=Observations($orderby=phenomenonTime desc;$top=1);$select=name),Locations"))
    #expect(query.expand.map(\.navigation.text) == ["Datastreams", "Locations"])
    let inner = try #require(query.expand.first?.query)
    #expect(inner.select?.map(\.text) == ["name"])
    let observations = try #require(inner.expand.first)
    #expect(observations.navigation.text == "Observations")
    #expect(observations.query.top == 1)
    #expect(observations.query.orderBy.map(\.descending) == [true])
  }

  @Test("expand a path as its levels")
  func expandPath() throws {
    let query = try parse(("$expand", "Datastreams/Observations,Datastreams/Sensor"))
    #expect(query.expand.map(\.navigation.text) == ["Datastreams"])
    #expect(query.expand.first?.query.expand.map(\.navigation.text) == ["Observations", "Sensor"])
  }

  @Test("bind not before and, and before or, and arithmetic before comparisons")
  func precedence() throws {
    let expected = STAExpression.or(
      .comparison(.eq, path("a", at: 1), .literal(.int(1))),
      .and(
        .comparison(.gt, path("b", at: 11), .arithmetic(.add, .literal(.int(2)), .arithmetic(.mul, .literal(.int(3)), .literal(.int(4))))),
        .not(.comparison(.lt, path("c", at: 38), .literal(.number(0.5))))))
    #expect(try STAQueryParser.filter("a eq 1 or b gt 2 add 3 mul 4 and not c lt 0.5") == expected)
  }

  @Test("read literals of every kind")
  func literals() throws {
    let may = try #require(Instant(rfc3339: "2020-05-01T00:00:00Z"))
    let june = try #require(Instant(rfc3339: "2020-06-01T00:00:00+02:00"))
    let cases: [(String, STALiteral)] = [
      ("null", .null), ("true", .bool(true)), ("-5", .int(-5)), ("1e3", .number(1_000)), ("'it''s'", .string("it's")), ("''", .string("")),
      ("2020-05-01T00:00:00Z", .instant(may)), ("2020-05-01T00:00:00Z/2020-06-01T00:00:00+02:00", .interval(may, june)),
      ("duration'PT1H30M'", .duration(5_400)), ("geography'POINT (7 51)'", .geography("POINT (7 51)")),
    ]
    for (text, literal) in cases {
      #expect(try STAQueryParser.filter("x eq \(text)") == .comparison(.eq, path("x", at: 1), .literal(literal)))
    }
  }

  @Test("call functions")
  func functions() throws {
    #expect(
      try STAQueryParser.filter("substringof('Park', name)") == .call("substringof", [.literal(.string("Park")), path("name", at: 21)], position: 1))
    #expect(try STAQueryParser.filter("phenomenonTime lt now()") == .comparison(.lt, path("phenomenonTime", at: 1), .call("now", [], position: 19)))
  }

  @Test(
    "are refused with the place and what would be right",
    arguments: [
      ("$top", "-1", 1, "is -1"), ("$top", "abc", 1, "is \"abc\""), ("$top", "1.5", 1, "is 1.5"), ("$skip", "", 1, "is nothing more"),
      ("$skip", "9007199254740992", 1, "is 9007199254740992"), ("$expand", "Datastreams($skip=9223372036854775807)", 19, "is 9223372036854775807"),
      ("$format", "dataArray", 1, "is no query option"), ("$resultFormat", "csv", 1, "has \"csv\""), ("$count", "yes", 1, "is \"yes\""),
      ("$orderby", "name down", 6, "has \"down\""),
      ("$filter", "result gt", 10, "has nothing more"),
      ("$filter", "(result gt 5", 13, "has nothing more"), ("$filter", "result gt 5)", 12, "has ) after its end"),
      ("$filter", "name eq 'x", 9, "begins a text that does not end"), ("$filter", "name eq 2020-13-01T00:00:00Z", 9, "has the time 2020-13-01T00:00:00Z"),
      ("$filter", "a = 1", 3, "has = after its end"), ("$filter", "name eq \"x\"", 9, "has \"\"\""), ("$filter", "and", 1, "has \"and\""),
      ("$filter", "a//b eq 1", 1, "has \"a//b\""), ("$filter", "x eq 0x10", 6, "has 0x10"), ("$expand", "Datastreams($top)", 17, "has )"),
      ("$expand", "Datastreams($tip=1)", 13, "is no query option"), ("$filtre", "x", 1, "is no query option"),
      ("$filter", "a; drop table things", 2, "has ; after its end"),
    ])
  func refused(option: String, value: String, position: Int, problem: String) {
    let error = #expect(throws: STAQueryError.self) { try parse((option, value)) }
    #expect(error?.position == position)
    #expect(error?.problem == problem)
  }

  @Test("are refused where one stands there twice")
  func repeated() {
    #expect(throws: STAQueryError.self) { try parse(("$top", "1"), ("$top", "1")) }
  }

  @Test("are refused where they are too deep, too many or too long, whatever they hold")
  func bounds() {
    #expect(throws: STAQueryError.self) { try STAQueryParser.filter(String(repeating: "(", count: 8_000)) }
    #expect(throws: STAQueryError.self) { try STAQueryParser.filter(String(repeating: "not ", count: 2_000) + "x") }
    #expect(throws: STAQueryError.self) { try STAQueryParser.filter("x" + String(repeating: " or x", count: 1_000)) }
    #expect(throws: STAQueryError.self) { try STAQueryParser.filter("'" + String(repeating: "x", count: 10_000) + "'") }
    let nested = String(repeating: "A($expand=", count: 400) + "B" + String(repeating: ")", count: 400)
    #expect(throws: STAQueryError.self) { try parse(("$expand", nested)) }
  }
}
