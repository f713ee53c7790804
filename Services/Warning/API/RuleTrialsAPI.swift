import Broker
import Foundation
import HTTP
import JSON
import ServiceKit
import Time
import WarningDomain

/// What the past says of a rule before it goes live: what it would have fired, and the model that announces one gauge by another.
struct RuleTrialsAPI: Sendable {
  let history: ReadingHistory
  let clock: @Sendable () -> Instant

  private struct SimulateBody: Decodable, KnownFields, Sendable {
    static let fields = ["rule", "days", "events", "truth", "announces"]
    let rule: Rule
    let days: Int
    let events: [Instant]?
    let truth: Condition?
    let announces: Int?
  }

  private struct FitBody: Decodable, KnownFields, Sendable {
    static let fields = ["gaugeA", "gaugeB", "days", "step", "longestLag"]
    let gaugeA: Int64
    let gaugeB: Int64
    let days: Int
    let step: Int?
    let longestLag: Int?
  }

  var routes: [Route] {
    let officers = Access.roles(.warningOfficer)
    return [
      Route(
        .post, "/warnings/rules:simulate", access: officers,
        info: info("What a rule would have done on the last days' readings, by the code that would have watched", .ruleSimulation, "Simulation")
      ) { try await simulate($0) },
      Route(
        .post, "/warnings/rules:fit", access: officers,
        info: info("The model of an upstream condition, fitted on the last days' readings of two gauges, and how far it can be trusted", .ruleFit, "RuleFit")
      ) { try await fit($0) },
    ]
  }

  private func info(_ summary: String, _ body: BodyInfo, _ answer: String) -> RouteInfo {
    RouteInfo(summary, tag: "Rules", request: body, responses: [.schema(answer)])
  }

  private func simulate(_ request: Request) async throws -> Response {
    let body = try request.decoded(SimulateBody.self)
    let problems = body.rule.problems()
    guard problems.isEmpty else { throw WarningProblems.of(RuleRefusal.problems(problems)) }
    guard body.events == nil || body.truth == nil else {
      throw Problem.badRequest(path: "truth", problem: "stands beside events", expected: "one of the two, or none")
    }
    let announces = body.announces ?? Self.usuallyAnnounces
    guard (0...Self.mostAnnounces).contains(announces) else {
      throw Problem.badRequest(path: "announces", problem: "is \(announces)", expected: "0 to \(Self.mostAnnounces) seconds")
    }
    let time = try span(days: body.days)
    var datastreams = body.rule.condition.datastreams
    if let truth = body.truth { datastreams.formUnion(truth.datastreams) }
    let reach = body.rule.condition.reach.values.max() ?? 0
    let readings = try await readings(of: datastreams, from: time.from - .seconds(reach + 2 * body.rule.staleAfter), until: time.until)
    let truth: Simulation.Truth? = body.truth.map { .condition($0) } ?? body.events.map { .times($0) }
    let simulation = Simulation.run(body.rule, over: readings, from: time.from, until: time.until, truth: truth, announces: announces)
    return .json(try WarningJSON.bytes(SimulationView(simulation, from: time.from, until: time.until)))
  }

  private func fit(_ request: Request) async throws -> Response {
    let body = try request.decoded(FitBody.self)
    guard body.gaugeA != body.gaugeB else { throw Problem.badRequest(path: "gaugeB", problem: "is gauge A itself", expected: "another datastream than gaugeA") }
    let time = try span(days: body.days)
    let options = try Self.options(step: body.step, longestLag: body.longestLag, days: body.days)
    let readings = try await readings(of: [body.gaugeA, body.gaugeB], from: time.from, until: time.until)
    let (upstream, downstream) = (readings[body.gaugeA] ?? [], readings[body.gaugeB] ?? [])
    let fit: RegressionFit
    do {
      fit = try LaggedRegression.fit(upstream: upstream, downstream: downstream, options)
    } catch {
      throw WarningProblems.of(error)
    }
    return .json(
      try WarningJSON.bytes(FitView(fit, from: time.from, until: time.until, readings: .init(gaugeA: upstream.count, gaugeB: downstream.count))))
  }

  static let mostDays = 366
  /// Seconds before an event in which a hint announces it.
  static let mostAnnounces = 604_800
  static let usuallyAnnounces = 21_600
  /// Seconds between two moments of a fit.
  static let steps = 60...86_400
  /// Seconds of travel.
  static let longestLag = 432_000

  /// What keeps a fit to some tenths of a second: it holds every moment against every lag.
  private static let mostMoments = 150_000
  private static let mostLags = 500

  private static func options(step: Int?, longestLag: Int?, days: Int) throws(Problem) -> LaggedRegression.Options {
    let usual = LaggedRegression.Options()
    let options = LaggedRegression.Options(step: step ?? usual.step, longestLag: longestLag ?? usual.longestLag)
    let least = max(steps.lowerBound, (86_400 * days + mostMoments - 1) / mostMoments)
    guard (least...steps.upperBound).contains(step ?? usual.step) else {
      throw .badRequest(path: "step", problem: "is \(step ?? usual.step)", expected: "\(least) to \(steps.upperBound) seconds for \(days) days")
    }
    let most = min(Self.longestLag, mostLags * options.step)
    guard (options.step...most).contains(longestLag ?? usual.longestLag) else {
      throw .badRequest(
        path: "longestLag", problem: "is \(longestLag ?? usual.longestLag)", expected: "\(options.step) to \(most) seconds for a step of \(options.step)")
    }
    return options
  }

  private func span(days: Int) throws(Problem) -> (from: Instant, until: Instant) {
    guard (1...Self.mostDays).contains(days) else { throw .badRequest(path: "days", problem: "is \(days)", expected: "1 to \(Self.mostDays)") }
    let now = clock()
    return (now - .seconds(86_400 * days), now)
  }

  private func readings(of datastreams: Set<Int64>, from: Instant, until: Instant) async throws -> [Int64: [Reading]] {
    do {
      return try await history.readings(of: datastreams, from: from, until: until)
    } catch let error as ReadingHistory.TooMany {
      throw Problem.unprocessable("These datastreams have more than \(error.limit) readings in that time: ask for fewer days or datastreams.")
    }
  }
}

private struct SimulationView: Encodable {
  struct Firing: Encodable {
    let raised: Instant
    let since: Instant
    let cleared: Instant?
    let readings: [HintReading]
    let forecast: LevelForecast?
  }

  struct Verdict: Encodable {
    let hits: Int
    let misses: Int
    let falseAlarms: Int
    /// Seconds.
    let shortestLead: Double?
    let medianLead: Double?
  }

  let from: Instant
  let until: Instant
  let readings: Int
  let firings: [Firing]
  let verdict: Verdict?

  init(_ simulation: Simulation, from: Instant, until: Instant) {
    self.from = from
    self.until = until
    readings = simulation.readings
    firings = simulation.firings.map {
      Firing(raised: $0.raised, since: $0.since, cleared: $0.cleared, readings: $0.evidence, forecast: $0.forecast)
    }
    verdict = simulation.verdict.map {
      Verdict(
        hits: $0.hits, misses: $0.misses, falseAlarms: $0.falseAlarms, shortestLead: $0.shortestLead.map { $0 / .seconds(1) },
        medianLead: $0.medianLead.map { $0 / .seconds(1) })
    }
  }
}

/// A model as it goes into a rule, and beside it what whoever decides about that has to know.
private struct FitView: Encodable {
  struct Readings: Encodable {
    let gaugeA: Int
    let gaugeB: Int
  }

  struct Coverage: Encodable {
    let all: Double
    let rising: Double?
  }

  let model: LaggedRegression
  /// How many floods it saw.
  let floods: Int
  /// Seconds of travel.
  let lag: Int
  /// Root of the mean square, in B's unit, on floods left out; and that of saying that B stays as it is.
  let error: Double
  let errorIfUnchanged: Double
  /// The share of outcomes that lay in the 90 % band, on floods that it was not made with.
  let coverage: Coverage
  let from: Instant
  let until: Instant
  let readings: Readings

  init(_ fit: RegressionFit, from: Instant, until: Instant, readings: Readings) {
    let coverage = fit.coverage()
    model = fit.model
    floods = fit.model.floods
    lag = fit.model.lag
    error = fit.model.error
    errorIfUnchanged = fit.persistence
    self.coverage = Coverage(all: coverage.all, rising: coverage.rising)
    self.from = from
    self.until = until
    self.readings = readings
  }
}
