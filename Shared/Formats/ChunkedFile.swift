import Glibc

/// A file read from its beginning in chunks; closed when nobody holds it any more.
final class ChunkedFile {
  private let path: String
  private let descriptor: Int32

  init(path: String) throws(CSVError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
  }

  deinit { close(descriptor) }

  /// The next bytes; none at the end.
  func next(size: Int = 1 << 18) throws(CSVError) -> [UInt8] {
    while true {
      var count = 0
      let chunk = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
        count = read(descriptor, buffer.baseAddress, size)
        initialized = max(count, 0)
      }
      if count >= 0 { return chunk }
      guard errno == EINTR else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
    }
  }
}
