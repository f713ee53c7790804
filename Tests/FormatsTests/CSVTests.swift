import Formats
import Foundation
import Testing

@Suite("CSV")
struct CSVTests {
  private func read(_ text: String, delimiter: Character = ",", chunk: Int = .max) throws -> [[String]] {
    var rest = Array(text.utf8)[...]
    var reader = try CSVReader(delimiter: delimiter) { () throws(CSVError) in
      let next = Array(rest.prefix(chunk))
      rest = rest.dropFirst(chunk)
      return next
    }
    var records = [reader.columns]
    while let record = try reader.next() { records.append((0..<record.count).map { record.text($0) }) }
    return records
  }

  @Test("is read the same in chunks of any size", arguments: [1, 2, 3, 7, 100_000])
  func chunks(size: Int) throws {
    let text = "\u{feff}time,name\r\n1,\"Größe, \"\"alt\"\"\"\r\n\r\n2,\"two\nlines\"\n3,\r4,last"
    #expect(try read(text, chunk: size) == [["time", "name"], ["1", "Größe, \"alt\""], ["2", "two\nlines"], ["3", ""], ["4", "last"]])
  }

  @Test("takes another delimiter")
  func delimiter() throws {
    #expect(try read("a;b\n1,5;2\n", delimiter: ";") == [["a", "b"], ["1,5", "2"]])
    #expect(throws: CSVError.delimiter("ä")) { try read("a", delimiter: "ä") }
  }

  @Test(
    "is refused with the line where it is not sound",
    arguments: [
      ("", CSVError.empty), ("a,b\n1", .fieldCount(line: 2, expected: 2, found: 1)), ("a\nx\n\"b", .quoteOpen(line: 3)), ("a\nb\"c", .quoteInside(line: 2)),
      ("a\n\"b\"c", .textBehindQuote(line: 2)), ("a,a\n", .columnTwice("a")), ("a\n\"1\n2\"\n3,4\n", .fieldCount(line: 4, expected: 1, found: 2)),
    ])
  func refused(text: String, error: CSVError) {
    #expect(throws: error) { try read(text) }
  }

  @Test("refuses a record without end, and bytes that are not UTF-8")
  func bounds() {
    #expect(throws: CSVError.recordTooLong(line: 2)) { try read("a\n\"" + String(repeating: "x", count: 2_000_000)) }
    #expect(throws: CSVError.notUTF8(line: 2)) {
      var reader = try CSVReader(bytes: [0x61, 0x0a, 0xff, 0x0a])
      _ = try reader.next()
    }
  }

  @Test("finds columns by name, and says which there are")
  func columns() throws {
    let reader = try CSVReader(bytes: Array("time,value\n".utf8))
    #expect(try reader.column("value") == 1)
    #expect(throws: CSVError.columnUnknown("x", known: ["time", "value"])) { try reader.column("x") }
  }

  @Test("comes from a file, and says which file is not there")
  func file() throws {
    let path = NSTemporaryDirectory() + "csv-\(UUID().uuidString).csv"
    try Data("a,b\n1,2\n".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    var reader = try CSVReader(path: path)
    let record = try #require(try reader.next())
    #expect((record.line, record.text(0), record.text(1)) == (2, "1", "2"))
    #expect(throws: CSVError.unreadable(path: "/nowhere.csv", reason: "No such file or directory")) { try CSVReader(path: "/nowhere.csv") }
  }
}
