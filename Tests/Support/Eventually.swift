/// Asks again until it holds, for as long as a busy machine may take.
/// - Returns: whether it came to hold.
public func eventually(within limit: Duration = .seconds(60), _ holds: () async throws -> Bool) async throws -> Bool {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if try await holds() { return true }
    try await Task.sleep(for: .milliseconds(5))
  }
  return false
}
