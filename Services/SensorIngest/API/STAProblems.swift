import HTTP
import JSON
import SensorDomain

/// What the registry's errors mean to whoever sent the request.
enum STAProblems {
  /// Runs a handler and turns what it throws into problems; what is none of ours passes on.
  static func translated<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
    do {
      return try await body()
    } catch let error as JSONRejection {
      throw Problem.badRequest(path: error.path.isEmpty ? "body" : error.path, problem: error.problem, expected: error.expected)
    } catch let error as STAQueryError {
      throw Problem.badRequest(path: error.option, problem: "at character \(error.position): \(error.problem)", expected: error.expected)
    } catch let error as RecordingFailed {
      throw error.problem
    } catch let error as IntakeRefusal {
      throw CreateObservations.problem(error)
    } catch let error as RegistryRefusal {
      throw problem(error)
    }
  }

  private static func problem(_ refusal: RegistryRefusal) -> Problem {
    switch refusal {
    case .faults(let faults):
      let errors = faults.map { Problem.FieldError(path: $0.path, problem: $0.problem, expected: $0.expected) }
      let detail = faults.map { "\($0.path): \($0.problem); expected \($0.expected)." }.joined(separator: " ")
      return .badRequest(detail, errors: errors)
    case .unknown(let kind, let id):
      return .notFound("There is no \(kind.rawValue) \(id).")
    case .ended(.thing, let id):
      return .conflict("The thing \(id) is retired and changes no more.")
    case .ended(.datastream, let id):
      return .conflict("The datastream \(id) is closed and changes no more. Open its successor.")
    case .ended(let kind, let id):
      return .notFound("The \(kind.rawValue) \(id) is no more.")
    case .taken(let kind, let id):
      return .conflict("The \(kind.rawValue) \(id) is there already.")
    case .visibilityIsForLife(let id, let visibility, let asked):
      return .conflict(
        "Datastream \(id) keeps its visibility for life. Close it and open its successor.",
        errors: [Problem.FieldError(path: "properties/dos:visibility", problem: "is \(asked.rawValue)", expected: visibility.rawValue)])
    case .observationTypeIsForLife(let id, let type, let asked):
      return .conflict(
        "Datastream \(id) keeps its observationType for life. Close it and open its successor.",
        errors: [Problem.FieldError(path: "observationType", problem: "is \(asked.rawValue)", expected: type.rawValue)])
    }
  }
}
