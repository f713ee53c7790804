import CCurl
import Glibc

/// The thread that drives every transfer of one client.
final class ClientLoop {
  private let inbox: ClientInbox
  private let settings: HTTPClient.Settings
  private let multi: UnsafeMutableRawPointer
  /// By their handle; the pointers that the library hands back to callbacks live as long as they stand here.
  private var transfers: [UnsafeMutableRawPointer: ClientTransfer] = [:]
  private var handles: [UInt64: UnsafeMutableRawPointer] = [:]
  private var nextSweep = ContinuousClock.now

  static func start(_ inbox: ClientInbox, _ settings: HTTPClient.Settings) {
    let seed = Unmanaged.passRetained(Seed(inbox, settings)).toOpaque()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    defer { pthread_attr_destroy(&attributes) }
    var thread = pthread_t()
    let code = pthread_create(&thread, &attributes, { ClientLoop.main($0) }, seed)
    guard code != 0 else { return }
    Unmanaged<Seed>.fromOpaque(seed).release()
    ClientLoop.refuseAll(inbox.end())
  }

  private final class Seed {
    let inbox: ClientInbox
    let settings: HTTPClient.Settings
    init(_ inbox: ClientInbox, _ settings: HTTPClient.Settings) {
      self.inbox = inbox
      self.settings = settings
    }
  }

  private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let seed = Unmanaged<Seed>.fromOpaque(argument).takeRetainedValue()
    // With NOSIGNAL the library leaves SIGPIPE to its user.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    guard let multi = curl_multi_init() else {
      refuseAll(seed.inbox.end())
      return nil
    }
    ClientLoop(seed.inbox, seed.settings, multi).run()
    return nil
  }

  private init(_ inbox: ClientInbox, _ settings: HTTPClient.Settings, _ multi: UnsafeMutableRawPointer) {
    self.inbox = inbox
    self.settings = settings
    self.multi = multi
    house_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, max(1, settings.connectionsPerHost))
    house_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(1, settings.idleConnections))
  }

  private func run() {
    inbox.begin(with: ClientMulti(handle: multi))
    var running: Int32 = 0
    while true {
      let news = inbox.take()
      for job in news.jobs { begin(job) }
      for id in news.cancelled { if let handle = handles[id] { finish(handle, .failure(.cancelled)) } }
      if news.stops { break }
      curl_multi_perform(multi, &running)
      collect()
      sweep()
      // The library does not watch the time of what waits for a connection: with transfers open, look often.
      curl_multi_poll(multi, nil, 0, transfers.isEmpty ? 10_000 : 50, nil)
    }
    for handle in transfers.keys { finish(handle, .failure(.closed)) }
    ClientLoop.refuseAll(inbox.end())
    curl_multi_cleanup(multi)
  }

  private static func refuseAll(_ contents: ClientInbox.Contents) {
    for job in contents.jobs { job.continuation.resume(returning: .failure(.closed)) }
  }

  private func begin(_ job: ClientJob) {
    guard let transfer = ClientTransfer(job, settings) else {
      job.continuation.resume(returning: .failure(.invalid("the library takes no further request")))
      return
    }
    transfers[transfer.handle] = transfer
    handles[job.id] = transfer.handle
    guard curl_multi_add_handle(multi, transfer.handle) == CURLM_OK else {
      finish(transfer.handle, .failure(.invalid("the library does not take the request")))
      return
    }
  }

  private func collect() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
      let code = house_curl_message_result(message)
      guard let transfer = transfers[handle] else { continue }
      finish(handle, transfer.result(code))
    }
  }

  private func sweep() {
    let now = ContinuousClock.now
    guard now >= nextSweep else { return }
    nextSweep = now + .milliseconds(50)
    for (handle, transfer) in transfers where transfer.job.deadline <= now {
      finish(handle, .failure(transfer.timedOut))
    }
  }

  private func finish(_ handle: UnsafeMutableRawPointer, _ result: Result<ClientResponse, HTTPClientError>) {
    guard let transfer = transfers.removeValue(forKey: handle) else { return }
    handles[transfer.job.id] = nil
    curl_multi_remove_handle(multi, handle)
    transfer.job.continuation.resume(returning: result)
  }
}
