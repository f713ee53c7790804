/// murmur2 with Kafka's seed: the hash behind Kafka's default partitioner (`org.apache.kafka.common.utils.Utils.murmur2`).
public func murmur2(_ key: some Collection<UInt8>) -> UInt32 {
  let bytes = Array(key)
  let multiplier: UInt32 = 0x5bd1_e995
  var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: bytes.count)
  var index = 0
  while index + 4 <= bytes.count {
    var word = UInt32(bytes[index])
    word |= UInt32(bytes[index + 1]) << 8
    word |= UInt32(bytes[index + 2]) << 16
    word |= UInt32(bytes[index + 3]) << 24
    word &*= multiplier
    word ^= word >> 24
    word &*= multiplier
    hash &*= multiplier
    hash ^= word
    index += 4
  }
  let rest = bytes.count - index
  if rest == 3 { hash ^= UInt32(bytes[index + 2]) << 16 }
  if rest >= 2 { hash ^= UInt32(bytes[index + 1]) << 8 }
  if rest >= 1 {
    hash ^= UInt32(bytes[index])
    hash &*= multiplier
  }
  hash ^= hash >> 13
  hash &*= multiplier
  hash ^= hash >> 15
  return hash
}
