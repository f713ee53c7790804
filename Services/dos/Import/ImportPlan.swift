/// What to import, whither, and how: everything that the command line says.
struct ImportPlan: Sendable {
  /// How a row names its datastream.
  enum DatastreamColumn: Sendable, Equatable, CustomStringConvertible {
    /// The column holds ids.
    case id(String)
    /// The column holds names of datastreams.
    case name(String)
    /// The column holds values of one of the datastreams' properties.
    case property(String, String)

    var column: String {
      switch self {
      case .id(let column), .name(let column), .property(_, let column): column
      }
    }

    var description: String {
      switch self {
      case .id: "id"
      case .name: "name"
      case .property(let property, _): "property \(property)"
      }
    }
  }

  var file: String
  /// Of the city: `http://127.0.0.1:8080`.
  var url: String
  var token: String?
  var timeColumn: String
  var valueColumn: String
  var datastream: DatastreamColumn
  var delimiter: Character = ","
  /// Rows per request, at most.
  var batch = 1000
  /// Requests at once.
  var concurrency = 4
  /// How long one request is tried again before the import gives up (it goes on where it was when started anew).
  var patience: Duration = .seconds(600)
  /// The first pause before a repeat; doubled each time up to ten seconds.
  var pause: Duration = .milliseconds(250)

  var api: String { (url.hasSuffix("/") ? String(url.dropLast()) : url) + "/sensors/v1.1" }

  /// What a checkpoint must agree with, beside the file: the same rows to the same place in the same way.
  var signature: String { [api, timeColumn, valueColumn, "\(datastream)", datastream.column, String(delimiter)].joined(separator: "|") }
}

/// Why an import ends before the file does.
enum ImportFailure: Error, Sendable, Equatable, CustomStringConvertible {
  case file(String)
  /// The server did not come back within the patience.
  case gaveUp(last: String)
  case refused(status: Int, detail: String)
  case answer(String)
  case state(String)

  var description: String {
    switch self {
    case .file(let why): "The file cannot be read: \(why)."
    case .gaveUp(let last): "The city does not answer (\(last)). What it acknowledged is noted: the same command goes on from there."
    case .refused(let status, let detail): "The city refused the import with \(status): \(detail)"
    case .answer(let what): "The city's answer cannot be used: \(what)."
    case .state(let why): "The state file cannot be written: \(why)."
    }
  }
}
