/// Finds fields and records in chunks of bytes; knows nothing of columns.
struct CSVScanner {
  private static let recordLimit = 1 << 20
  private let delimiter: UInt8
  private let more: () throws(CSVError) -> [UInt8]
  private var chunk: [UInt8] = []
  private var position = 0
  private var line = 1
  private var begun = false

  init(delimiter: UInt8, more: @escaping () throws(CSVError) -> [UInt8]) {
    self.delimiter = delimiter
    self.more = more
  }

  mutating func next() throws(CSVError) -> CSVRecord? {
    if !begun { try skipByteOrderMark() }
    while let byte = try peek() {
      guard byte == 0x0a || byte == 0x0d else { return try record() }
      try skipLineEnd()
    }
    return nil
  }

  private mutating func record() throws(CSVError) -> CSVRecord {
    let start = line
    var bytes: [UInt8] = []
    var ends: [Int] = []
    while true {
      if try peek() == UInt8(ascii: "\"") { try quoted(into: &bytes, start: start) } else { try plain(into: &bytes, start: start) }
      ends.append(bytes.count)
      let byte = try peek()
      if byte == delimiter {
        position += 1
        continue
      }
      try skipLineEnd()
      guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8(line: start) }
      return CSVRecord(line: start, bytes: bytes, ends: ends)
    }
  }

  private mutating func plain(into bytes: inout [UInt8], start: Int) throws(CSVError) {
    while let byte = try peek(), byte != delimiter, byte != 0x0a, byte != 0x0d {
      guard byte != UInt8(ascii: "\"") else { throw .quoteInside(line: line) }
      try append(byte, to: &bytes, start: start)
    }
  }

  private mutating func quoted(into bytes: inout [UInt8], start: Int) throws(CSVError) {
    let opened = line
    position += 1
    while let byte = try peek() {
      guard byte == UInt8(ascii: "\"") else {
        if byte == 0x0a { line += 1 }
        try append(byte, to: &bytes, start: start)
        continue
      }
      position += 1
      guard let following = try peek() else { return }
      if following == UInt8(ascii: "\"") {
        try append(following, to: &bytes, start: start)
      } else if following == delimiter || following == 0x0a || following == 0x0d {
        return
      } else {
        throw .textBehindQuote(line: line)
      }
    }
    throw .quoteOpen(line: opened)
  }

  private mutating func append(_ byte: UInt8, to bytes: inout [UInt8], start: Int) throws(CSVError) {
    guard bytes.count < Self.recordLimit else { throw .recordTooLong(line: start) }
    bytes.append(byte)
    position += 1
  }

  private mutating func skipLineEnd() throws(CSVError) {
    guard let byte = try peek() else { return }
    position += 1
    line += 1
    if byte == 0x0d, try peek() == 0x0a { position += 1 }
  }

  private mutating func skipByteOrderMark() throws(CSVError) {
    begun = true
    while chunk.count < 3 {
      let following = try more()
      if following.isEmpty { break }
      chunk += following
    }
    if chunk.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
  }

  private mutating func peek() throws(CSVError) -> UInt8? {
    if position < chunk.count { return chunk[position] }
    chunk = try more()
    position = 0
    return chunk.first
  }
}
