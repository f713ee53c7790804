import CFuzzer
import Formats
import Glibc
import HTTP
import JSON
import SensorIngest
import Time

/// `Fuzz <target> [libFuzzer's options] [folders of seeds]`: what is found is written where libFuzzer says, and belongs into the tests.
@main
enum Fuzz {
  static func main() {
    guard CommandLine.argc > 1, let name = unsafe CommandLine.unsafeArgv[1].map({ unsafe String(cString: $0) }), let target = targets[name] else {
      print("Fuzz <target>, one of: \(targets.keys.sorted().joined(separator: " "))")
      exit(2)
    }
    // The target's name is ours and not libFuzzer's.
    unsafe CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
    var arguments = unsafe CommandLine.unsafeArgv.advanced(by: 1)
    var count = CommandLine.argc - 1
    exit(unsafe LLVMFuzzerRunDriver(&count, &arguments, target))
  }

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
