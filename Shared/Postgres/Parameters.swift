import CPostgreSQL

/// Values laid out as libpq's send functions want them, valid inside the body.
func withParameters<Outcome>(
  _ parameters: [PostgresParameter],
  _ body: (UnsafePointer<Oid>?, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Outcome
) -> Outcome {
  if parameters.isEmpty { return body(nil, nil, nil, nil) }
  // One buffer for all values; a byte is kept behind each so that an empty value still has an address.
  var buffer: [UInt8] = []
  var offsets: [Int?] = []
  for parameter in parameters {
    offsets.append(parameter.bytes == nil ? nil : buffer.count)
    if let bytes = parameter.bytes { buffer += bytes }
    buffer.append(0)
  }
  let types = parameters.map(\.type.rawValue)
  let lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
  let formats = [Int32](repeating: 1, count: parameters.count)
  return buffer.withUnsafeBytes { buffer in
    let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
    let values = offsets.map { offset in offset.flatMap { start?.advanced(by: $0) } }
    return body(types, values, lengths, formats)
  }
}
