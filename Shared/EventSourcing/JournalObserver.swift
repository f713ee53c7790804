/// Where a Journal and its forwarder tell what happens, for metrics. Called on their own tasks: must not block.
public struct JournalObserver: Sendable {
  /// Events that were accepted, with the number of appends that shared the transaction.
  public var appended: @Sendable (_ events: Int, _ group: Int) -> Void
  public var conflicted: @Sendable () -> Void
  /// Events of a partition that are in the Journal and not yet acknowledged by the broker.
  public var forwardLag: @Sendable (_ partition: Int, _ events: Int64) -> Void
  /// The forwarder failed at a partition (nil: at its leases), says why, and will start again at its checkpoint.
  public var forwardFailed: @Sendable (_ partition: Int?, _ reason: String) -> Void

  public init(
    appended: @escaping @Sendable (_ events: Int, _ group: Int) -> Void = { _, _ in }, conflicted: @escaping @Sendable () -> Void = {},
    forwardLag: @escaping @Sendable (_ partition: Int, _ events: Int64) -> Void = { _, _ in },
    forwardFailed: @escaping @Sendable (_ partition: Int?, _ reason: String) -> Void = { _, _ in }
  ) {
    self.appended = appended
    self.conflicted = conflicted
    self.forwardLag = forwardLag
    self.forwardFailed = forwardFailed
  }
}
