import Foundation
import Synchronization
import Time

/// The log of a process: one line per event on standard error, JSON for machines, plain text on a terminal.
///
/// Whatever a message or a field holds, it stays within its line. What the current task belongs to (`LogContext`) is added by itself.
public struct Log: Sendable {
  /// How much an event matters to whoever runs the city.
  public enum Level: String, Sendable, CaseIterable, Comparable {
    case debug, info, warning, error

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    public static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
  }

  /// How a line looks.
  public enum Form: String, Sendable, CaseIterable {
    case json, text
    /// Text when standard error is a terminal, else JSON.
    case automatic
  }

  /// The value of a field.
  public enum Value: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringInterpolation {
    case string(String)
    case int(Int)
    case double(Double)
    case bool(Bool)

    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
  }

  public typealias Fields = KeyValuePairs<String, Value>

  public let level: Level
  private let form: Form
  private let bound: [(String, Value)]
  private let write: @Sendable ([UInt8]) -> Void
  private let repetitions: Repetitions

  /// - Parameter write: takes each whole line with its line break; standard error unless told.
  public init(level: Level = .info, form: Form = .automatic, write: @escaping @Sendable ([UInt8]) -> Void = Log.standardError) {
    self.level = level
    self.form = form == .automatic ? (isatty(2) == 1 ? .text : .json) : form
    self.write = write
    bound = []
    repetitions = Repetitions()
  }

  private init(_ log: Log, adding fields: Fields) {
    level = log.level
    form = log.form
    write = log.write
    repetitions = log.repetitions
    bound = log.bound + fields.map { ($0.key, $0.value) }
  }

  /// The same log with fields that every line carries.
  public func with(_ fields: Fields) -> Log { Log(self, adding: fields) }

  public func debug(_ message: @autoclosure () -> String, _ fields: Fields = [:]) { line(.debug, message, fields) }
  public func info(_ message: @autoclosure () -> String, _ fields: Fields = [:]) { line(.info, message, fields) }
  public func warning(_ message: @autoclosure () -> String, _ fields: Fields = [:]) { line(.warning, message, fields) }
  public func error(_ message: @autoclosure () -> String, _ fields: Fields = [:]) { line(.error, message, fields) }

  /// Writes what happens again and again at most once per `interval`; the next line says how many were left out.
  ///
  /// - Parameter key: what makes two events the same, for example the name of the part and of the trouble; keep it from a bounded set.
  public func repeating(
    _ level: Level, _ key: String, every interval: Duration = .seconds(10), _ message: @autoclosure () -> String, _ fields: Fields = [:]
  ) {
    guard level >= self.level, let leftOut = repetitions.admit(key, every: interval) else { return }
    line(level, message, fields, leftOut: leftOut)
  }

  private func line(_ level: Level, _ message: () -> String, _ fields: Fields, leftOut: Int = 0) {
    guard level >= self.level else { return }
    var all = bound
    let context = LogContext.current
    if let service = context.service { all.append(("service", .string(service))) }
    if let correlation = context.correlationID { all.append(("correlation_id", .string(correlation))) }
    all += fields.map { ($0.key, $0.value) }
    if leftOut > 0 { all.append(("left_out", .int(leftOut))) }
    // A name twice in one object is no JSON everybody reads alike; what was said last holds.
    all = all.enumerated().filter { index, field in !all[(index + 1)...].contains { $0.0 == field.0 } }.map(\.element)
    let line = LogLine(time: .now(), level: level, message: message(), fields: all)
    write(form == .text ? line.text : line.json)
  }

  /// Writes with one system call, so that lines of several threads and processes do not mix.
  public static let standardError: @Sendable ([UInt8]) -> Void = { line in
    // Nobody is left to tell when standard error itself is gone.
    _ = line.withUnsafeBytes { Foundation.write(2, $0.baseAddress, $0.count) }
  }
}

/// What the current task is part of; every line of its log carries it.
public struct LogContext: Sendable {
  /// The request or event that set this off, as `X-Correlation-ID` and the CloudEvents extension carry it.
  public var correlationID: String?
  public var service: String?

  @TaskLocal public static var current = LogContext()

  public init(correlationID: String? = nil, service: String? = nil) {
    self.correlationID = correlationID
    self.service = service
  }

  /// Runs `body` as part of a request or an event.
  public static func with<T>(correlationID: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T) async rethrows -> T {
    var context = current
    context.correlationID = correlationID
    return try await $current.withValue(context, operation: body)
  }
}

/// When each repeating event was last written.
private final class Repetitions: Sendable {
  private struct Entry {
    var written: ContinuousClock.Instant
    var leftOut = 0
  }

  private let entries = Mutex<[String: Entry]>([:])

  /// The number of events left out since the last line, or nil when this one is to be left out too.
  func admit(_ key: String, every interval: Duration) -> Int? {
    let now = ContinuousClock.now
    return entries.withLock { entries in
      // Keys come from a bounded set; should one not, memory still stays bounded.
      if entries.count > 1_000 { entries.removeAll() }
      guard let entry = entries[key], now - entry.written < interval else {
        let leftOut = entries[key]?.leftOut ?? 0
        entries[key] = Entry(written: now)
        return leftOut
      }
      entries[key]?.leftOut += 1
      return nil
    }
  }
}
