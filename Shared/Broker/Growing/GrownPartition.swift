/// One partition of a topic that has got more partitions: which pieces of the partitions beneath it is made of, in the order of its offsets.
///
/// A new partition begins with its parent's events up to where that ended, and goes on with what is stored in it: so the offsets of a key's events increase
/// over the growth as they did before it. What the pieces hold of keys that live in another partition now is not its own.
struct GrownPartition: Sendable, Equatable {
  struct Piece: Sendable, Equatable {
    /// The partition beneath.
    let stored: Int
    /// The offsets it covers, and how much larger they are than those beneath.
    let offsets: Range<Int64>
    let shift: Int64
    /// How many partitions the topic had when it was written.
    let count: Int
  }

  let number: Int
  /// How many partitions the topic has now.
  let count: Int
  let pieces: [Piece]

  /// - Parameter growths: in their order.
  init(_ number: Int, of count: Int, growths: [TopicGrown]) {
    self.number = number
    self.count = count
    pieces = Self.pieces(number, growths[...], count: count)
  }

  /// How much larger the offsets of what is stored now are than those beneath.
  var shift: Int64 { pieces.last?.shift ?? 0 }

  /// Whether everything from an offset on stands beneath as it stands here.
  func isPlain(from offset: Int64) -> Bool { shift == 0 && pieces.last?.offsets.contains(offset) == true }

  func piece(at offset: Int64) -> Piece? { pieces.first { $0.offsets.contains(offset) } ?? (offset < 0 ? nil : pieces.last) }

  /// The first offset that can be read.
  /// - Parameter stored: the same of every partition beneath.
  func earliest(_ stored: [Int64]) -> Int64 {
    for piece in pieces {
      let first = max(piece.offsets.lowerBound, stored[piece.stored] + piece.shift)
      if piece.offsets.contains(first) { return first }
    }
    return 0
  }

  /// Whether an event of a piece belongs here.
  func owns(_ key: String, of piece: Piece) -> Bool {
    piece.count == count || Topic.partition(forKey: key, writtenTo: piece.stored, of: piece.count, now: count) == number
  }

  private static func pieces(_ number: Int, _ growths: ArraySlice<TopicGrown>, count: Int) -> [Piece] {
    guard let last = growths.last else { return [Piece(stored: number, offsets: 0..<Int64.max, shift: 0, count: count)] }
    let parent = number % last.from
    let end = last.ends[parent]
    let until = pieces(parent, growths.dropLast(), count: last.from)
    let before = until.filter { $0.offsets.lowerBound < end }.map { piece in
      Piece(stored: piece.stored, offsets: piece.offsets.lowerBound..<min(end, piece.offsets.upperBound), shift: piece.shift, count: piece.count)
    }
    // What is stored in an old partition goes on counting; in a new one it begins at 0.
    let shift = number < last.from ? until.last?.shift ?? 0 : end
    return before + [Piece(stored: number, offsets: end..<Int64.max, shift: shift, count: count)]
  }
}
