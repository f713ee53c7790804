import CAP
import Formats
import Glibc
import HTTP
import JSON
import SensorIngest
import Time

/// What libFuzzer calls, again and again: the target that the environment names as `FUZZ_TARGET`.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 { unsafe chosen(data, size) }

private let chosen: Fuzz.One = {
  let name = unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
  guard let target = Fuzz.targets[name] else {
    print("FUZZ_TARGET is \(name), and should be one of: \(Fuzz.targets.keys.sorted().joined(separator: " "))")
    exit(2)
  }
  return target
}()

/// What is found is written where libFuzzer says, and belongs into the tests.
enum Fuzz {
  typealias One = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32

  /// Each takes any bytes at all and stops the process where a promise is broken.
  static let targets: [String: One] = [
    "time": { data, size in
      let text = unsafe String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
      if let instant = Instant(rfc3339: text) { precondition(Instant(rfc3339: instant.rfc3339) == instant, "\(text) is not the moment it writes") }
      return 0
    },
    "csv": { data, size in
      let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
      precondition(records(bytes, chunk: .max) == records(bytes, chunk: 1), "chunks of one byte are read otherwise")
      return 0
    },
    "xml": { data, size in
      let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
      if let tree = try? XMLReader.read(bytes, limits: XMLLimits(depth: 16)) { precondition(depth(of: tree) <= 16, "deeper than the limit") }
      let text = String(decoding: bytes, as: UTF8.self)
      var writer = XMLWriter()
      writer.element("a", ["b": text], text: text)
      let read = try? XMLReader.read(writer.bytes)
      guard XMLWriter.holds(text) else { return 0 }
      precondition(read?.text == text && read?.attributes["b"] == text, "what was written is read as something else")
      return 0
    },
    "cap": { data, size in
      let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
      var known = ForeignAlerts()
      for case .success(let reading) in (try? CAPReader.readAll(bytes)) ?? [] {
        known.take(reading.alert)
        guard reading.remarks.isEmpty else { continue }
        guard let written = try? reading.alert.xml() else { preconditionFailure("read without a remark, and not to be written") }
        precondition((try? CAPReader.read(written))?.alert == reading.alert, "what was written is read as something else")
      }
      for chain in known.chains(at: Instant(milliseconds: 1_900_000_000_000)) { precondition(!chain.messages.isEmpty, "a chain of nothing") }
      return 0
    },
    "filter": { data, size in
      let text = unsafe String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
      for option in ["$filter", "$expand", "$orderby", "$select", "$top"] { _ = try? STAQueryParser.parse([(name: option, value: text)]) }
      return 0
    },
    "arrays": { data, size in
      let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
      if let groups = try? DataArrays.read(body: bytes, rowLimit: 1000) {
        precondition(groups.reduce(0) { $0 + $1.rows.count } <= 1000, "more rows than the limit")
      }
      return 0
    },
    "target": { data, size in
      let text = unsafe String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
      guard let request = try? Request(method: .get, target: text) else { return 0 }
      precondition(request.path.utf8.first == UInt8(ascii: "/") && !request.path.utf8.contains(0), "\(text) became the path \(request.path)")
      precondition(!request.path.split(separator: "/").contains { $0 == ".." || $0 == "." }, "\(text) climbs")
      return 0
    },
  ]

  private static func depth(of tree: XMLTree) -> Int { 1 + (tree.children.map(depth).max() ?? 0) }

  private static func records(_ bytes: [UInt8], chunk: Int) -> Result<[CSVRecord], CSVError> {
    var rest = bytes[...]
    do throws(CSVError) {
      var reader = try CSVReader { () throws(CSVError) in
        let next = Array(rest.prefix(chunk))
        rest = rest.dropFirst(chunk)
        return next
      }
      var all: [CSVRecord] = []
      while let record = try reader.next() { all.append(record) }
      return .success(all)
    } catch {
      return .failure(error)
    }
  }
}
