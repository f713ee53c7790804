import Foundation

/// Wakes one thread: librdkafka writes here when one of its queues gets something, and so does whoever has work for the thread.
///
/// What is written is a number of eight bytes that says who has news; 0 stands for the thread's own business.
final class WakePipe: Sendable {
  private let readEnd: Int32
  /// For `rd_kafka_queue_io_event_enable`.
  let writeEnd: Int32

  init() throws(BrokerError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .unavailable(reason: "no descriptors are left", mayHaveArrived: false) }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  func wake() {
    var number: UInt64 = 0
    // A full pipe wakes as well.
    _ = write(writeEnd, &number, MemoryLayout<UInt64>.size)
  }

  /// Blocks until somebody has news, or the time is up.
  func wait(atMost time: Duration) -> Set<UInt64> {
    var descriptor = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
    let milliseconds = Int32(min(max(0, time / .milliseconds(1)), 60_000).rounded(.up))
    guard poll(&descriptor, 1, milliseconds) > 0 else { return [] }
    var numbers = [UInt64](repeating: 0, count: 512)
    let bytes = numbers.withUnsafeMutableBytes { read(readEnd, $0.baseAddress, $0.count) }
    return bytes > 0 ? Set(numbers.prefix(bytes / MemoryLayout<UInt64>.size)) : []
  }
}
