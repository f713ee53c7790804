import Foundation
import Glibc
import Synchronization

/// Another program, started at once.
///
/// Not Foundation's `Process`: that lists the open descriptors when it starts something, and was seen to crash where there are a thousand; its programs begin
/// with the signals blocked that Dispatch's threads block; and it learns of their end by a socket that their own children inherit.
public final class Program: Sendable {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  public let id: pid_t
  private let status = Mutex<Int32?>(nil)

  /// - Parameters:
  ///   - environment: all of it; nil for that of the tests.
  ///   - output: a descriptor that gets what it prints, errors too; nil for nowhere.
  public init(_ path: String, _ arguments: [String], environment: [String: String]? = nil, directory: String? = nil, output: Int32? = nil) throws {
    var actions = posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for standard: Int32 in [1, 2] {
      if let output {
        unsafe posix_spawn_file_actions_adddup2(&actions, output, standard)
      } else {
        unsafe posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_WRONLY, 0)
      }
    }
    // Sockets of tests that run beside this one would stay open as long as the program.
    let script = #"for file in /proc/self/fd/*; do n=${file##*/}; [ "$n" -le 2 ] || eval "exec $n>&-"; done; cd "$1" && shift && exec "$@""#
    let command = ["/bin/bash", "-c", script, "bash", directory ?? ".", path] + arguments

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var (none, usual) = (sigset_t(), sigset_t())
    unsafe sigemptyset(&none)
    unsafe sigemptyset(&usual)
    for signal in [SIGINT, SIGTERM, SIGPIPE, SIGALRM, SIGCHLD] { unsafe sigaddset(&usual, signal) }
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &usual)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    let variables = environment ?? ProcessInfo.processInfo.environment
    var words = unsafe command.map { unsafe strdup($0) } + [nil]
    var settings = unsafe variables.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in unsafe words + settings { unsafe free(text) } }
    var process: pid_t = 0
    let result = unsafe posix_spawn(&process, command[0], &actions, &attributes, &words, &settings)
    guard result == 0 else { throw Failure(description: "\(path) cannot be started: \(String(cString: strerror(result)))") }
    id = process
  }

  deinit {
    guard isRunning else { return }
    kill(id, SIGKILL)
    waitpid(id, nil, 0)
  }

  public var isRunning: Bool { reap(WNOHANG) == nil }

  public func signal(_ number: Int32) {
    status.withLock { status in
      // Its number may be another's by now.
      if status == nil { kill(id, number) }
    }
  }

  /// Waits for its end, and gives its status; 128 and the signal's number where a signal ended it.
  @discardableResult
  public func end() async throws -> Int32 {
    while true {
      if let status = reap(WNOHANG) { return status }
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  /// As `end`, on a thread that may block.
  @discardableResult
  public func waitForEnd() -> Int32 {
    while true { if let status = reap(0) { return status } }
  }

  private func reap(_ options: Int32) -> Int32? {
    status.withLock { status in
      if let status { return status }
      var word: Int32 = 0
      guard unsafe waitpid(id, &word, options) == id else { return nil }
      let signal = word & 0x7f
      status = signal == 0 ? (word >> 8) & 0xff : 128 + signal
      return status
    }
  }
}
