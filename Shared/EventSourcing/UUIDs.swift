public import Foundation
import Synchronization

/// Ids as RFC 9562 defines them: version 7 for decisions, name-based for facts and for what a key opens.
extension UUID {
  /// A UUIDv7 that is greater than every one this process drew before, also within a millisecond and when the clock steps back (section 6.2, method 1).
  public static func v7() -> UUID {
    let (milliseconds, counter) = lastV7.withLock { $0.next(now: UInt64(Date().timeIntervalSince1970 * 1000)) }
    var random = SystemRandomNumberGenerator()
    let high = milliseconds << 16 | 0x7000 | counter
    let low = (random.next() as UInt64) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
    return UUID(high: high, low: low)
  }

  /// The id that follows from these parts, the same always and everywhere: a UUIDv8 over SHA-256 (appendix B.2). Not version 5, whose SHA-1 lets someone
  /// make two contents with one id and so have one of them taken for the other's repetition.
  public static func nameBased(_ parts: String...) -> UUID {
    nameBased(framed(parts))
  }

  /// As above, from bytes.
  public static func nameBased(_ bytes: [UInt8]) -> UUID {
    let digest = sha256(bytes)
    let high = digest[0..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let low = digest[8..<16].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return UUID(high: high & ~0xf000 | 0x8000, low: low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
  }

  private init(high: UInt64, low: UInt64) {
    func byte(_ word: UInt64, _ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> (56 - 8 * index)) }
    let first = (byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3), byte(high, 4), byte(high, 5), byte(high, 6), byte(high, 7))
    let last = (byte(low, 0), byte(low, 1), byte(low, 2), byte(low, 3), byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7))
    self.init(
      uuid: (
        first.0, first.1, first.2, first.3, first.4, first.5, first.6, first.7, last.0, last.1, last.2, last.3, last.4, last.5, last.6, last.7
      ))
  }
}

private let lastV7 = Mutex(V7Clock())

/// The 60 bits of a UUIDv7 that only ever rise: milliseconds, and a counter of 12 bits that starts in its lower half each millisecond.
struct V7Clock {
  private var milliseconds: UInt64 = 0
  private var counter: UInt64 = 0

  mutating func next(now: UInt64) -> (milliseconds: UInt64, counter: UInt64) {
    if now > milliseconds {
      milliseconds = now
      counter = UInt64.random(in: 0..<2048)
    } else if counter < 4095 {
      counter += 1
    } else {
      // More than 2048 in a millisecond, or the clock stepped back: borrow from the future rather than repeat.
      milliseconds += 1
      counter = 0
    }
    return (milliseconds, counter)
  }
}
