import CMalloc

/// What the process does with memory that it needs no more.
public enum Memory {
  /// Answers of some hundred kilobytes come and go all the time. Left alone, the C library maps their memory anew, or gives it back at once, and the kernel
  /// clears each page again: a quarter of what a page of a hundred datastreams cost. So pieces of up to a megabyte stay with the process, which keeps at most
  /// two megabytes unused at the end of each of its areas (`mallopt(3)`). To be called before there are threads.
  public static func keepFreed() {
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    mallopt(M_TRIM_THRESHOLD, 2 << 20)
  }
}
