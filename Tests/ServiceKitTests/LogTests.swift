import Foundation
import JSON
import Synchronization
import Testing

@testable import ServiceKit

@Suite("The log")
struct LogTests {
  /// Lines as they were written.
  final class Lines: Sendable {
    private let lines = Mutex<[[UInt8]]>([])
    var all: [String] { lines.withLock { $0.map { String(decoding: $0, as: UTF8.self) } } }
    func add(_ line: [UInt8]) { lines.withLock { $0.append(line) } }
  }

  let lines = Lines()

  func log(_ form: Log.Form = .json, level: Log.Level = .info) -> Log {
    Log(level: level, form: form) { [lines] in lines.add($0) }
  }

  @Test("writes one line of JSON per event, with fields, service and correlation id")
  func json() async throws {
    await LogContext.$current.withValue(LogContext(service: "sensors")) {
      await LogContext.with(correlationID: "c-1") {
        log().with(["city": "schwerte"]).warning("slow", ["ms": 12, "ratio": .double(.nan), "good": .bool(true)])
      }
    }
    let line = try #require(lines.all.first)
    #expect(line.hasSuffix("}\n"))
    let value = try JSONValue(parsing: line)
    #expect(value["level"] == "warning")
    #expect(value["message"] == "slow")
    #expect(value["service"] == "sensors")
    #expect(value["correlation_id"] == "c-1")
    #expect(value["city"] == "schwerte")
    #expect(value["ms"] == 12)
    #expect(value["ratio"] == .null)
    #expect(value["good"] == true)
    #expect(value["time"]?.string?.hasSuffix("Z") == true)
  }

  @Test(
    "keeps whatever it is given within one line, and loses none of it",
    arguments: [
      "a\nb", "a\r\nb", "quote \" backslash \\", "\u{1b}[2Jgone", "bell \u{7} null \u{0} delete \u{7f}", "next line \u{85} separator \u{2028}\u{2029}",
      "turned \u{202e}round", "ümlaut 🚲", #"","level":"error","message":"forged"#,
    ])
  func hostile(_ text: String) throws {
    log().info(text, ["field": .string(text)])
    log(.text).info(text, ["field": .string(text)])
    #expect(lines.all.count == 2)
    for line in lines.all {
      #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) && !(0x2028...0x202e).contains($0.value) })
      #expect(line.hasSuffix("\n"))
    }
    let value = try JSONValue(parsing: lines.all[0])
    #expect(value["message"]?.string == text)
    #expect(value["field"]?.string == text)
    #expect(value["level"] == "info")
  }

  @Test("cannot be made to say another level or time by a field's name")
  func reserved() throws {
    log().info("m", ["level": "error", "time": "never", "a\nb": 1])
    let value = try JSONValue(parsing: try #require(lines.all.first))
    #expect(value["level"] == "info")
    #expect(value["_level"] == "error")
    #expect(value["a\nb"] == 1)
  }

  @Test("leaves out what is below its level without making the text of it")
  func levels() {
    func never() -> String {
      Issue.record("made a message nobody reads")
      return ""
    }
    log(level: .error).warning(never())
    log(level: .error).error("e")
    #expect(lines.all.count == 1)
  }

  @Test("writes a repeating error once per interval and says how many were left out")
  func repeating() throws {
    let log = log()
    for _ in 0..<5 { log.repeating(.error, "broker", every: .seconds(3_600), "broker away") }
    log.repeating(.error, "database", every: .seconds(3_600), "database away")
    #expect(lines.all.count == 2)
    log.repeating(.error, "broker", every: .zero, "broker away")
    #expect(try JSONValue(parsing: lines.all[2])["left_out"] == 4)
  }
}
