/// What a broker takes.
extension OutgoingEvent {
  /// The event's size in bytes, if it can be stored.
  func checkedSize(limit: Int) throws(BrokerError) -> Int {
    let texts = [
      key, event.source, event.type, event.subject, event.city, event.correlationID ?? "", event.causationID ?? "", event.traceparent ?? "",
    ]
    // PostgreSQL's text cannot hold it, and one such event would fail the whole batch; what reads a topic stores it there.
    if let text = texts.first(where: { $0.utf8.contains(0) }) { throw .invalid("a NUL in \(text.debugDescription)") }
    guard (-62_135_596_800_000..<253_402_300_800_000).contains(event.time.milliseconds) else {
      throw .invalid("the time \(event.time.milliseconds) ms lies outside the years 1 to 9999")
    }
    let bytes = texts.reduce(event.data.count + 64) { $0 + $1.utf8.count }
    guard bytes <= limit else { throw .tooLarge(bytes: bytes, limit: limit) }
    return bytes
  }
}
