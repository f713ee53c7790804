import Broker
import Foundation
import HTTP
import JSON
import Synchronization

/// When what was named arrived somewhere; the first time counts.
final class Arrivals: Sendable {
  private let moments = Mutex<[String: ContinuousClock.Instant]>([:])

  func note(_ name: String, _ moment: ContinuousClock.Instant = .now) { moments.withLock { $0[name] = $0[name] ?? moment } }

  func wait(for name: String, _ channel: String) async throws -> ContinuousClock.Instant {
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      if let moment = moments.withLock({ $0[name] }) { return moment }
      try expect(ContinuousClock.now < deadline, "\(name) did not come by \(channel) within 30 s")
      try await Task.sleep(for: .milliseconds(1))
    }
  }
}

/// A webhook that answers at once. Alerts arrive under the id of their message, pages under the title of their hint.
final class HookSink: Sendable {
  let arrivals = Arrivals()
  private let server: HTTPServer

  init() throws {
    let arrivals = arrivals
    let route = Route(.post, "/hook", access: .everyone, accepts: ["application/cloudevents+json"], info: "hook") { request in
      let now = ContinuousClock.now
      let data = try JSONValue(parsing: request.body)["data"]
      if let title = data?["finding"]?["title"]?.string { arrivals.note(title, now) }
      if let message = data?["message"]?.string { arrivals.note(message.lowercased(), now) }
      return .json(Array(#"{"accepted":1000,"sent":1000,"failed":0}"#.utf8))
    }
    server = HTTPServer(settings: ServerSettings(port: 0), router: try Router([route]), authenticate: { _ in nil })
  }

  var url: String { "http://127.0.0.1:\(server.port)/hook" }
  func start() async throws { try await server.start() }
  func stop() async { await server.stop() }
}

/// An SMTP server (Debian's aiosmtpd). A mail arrives when it lies in the mailbox, under the local part of its Message-ID.
final class MailSink: Sendable {
  let arrivals = Arrivals()
  let url: String
  private let program: Command
  private let folder: String
  private let looking = Mutex<Task<Void, Never>?>(nil)

  init() throws {
    let port = try Sockets.freePort()
    url = "smtp://127.0.0.1:\(port)"
    folder = FileManager.default.temporaryDirectory.path + "/bench-mail-\(UUID().uuidString)"
    program = Command("aiosmtpd", ["-n", "-l", "127.0.0.1:\(port)", "-c", "aiosmtpd.handlers.Mailbox", folder])
  }

  func start() throws {
    try program.start()
    let task = Task { [arrivals, folder] in
      while !Task.isCancelled {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/new")) ?? []
        let now = ContinuousClock.now
        for name in names {
          let path = "\(folder)/new/\(name)"
          let mail = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
          if let id = mail.firstMatch(of: /Message-ID: <([^@>]+)@/)?.1 { arrivals.note(String(id), now) }
          try? FileManager.default.removeItem(atPath: path)
        }
        try? await Task.sleep(for: .milliseconds(2))
      }
    }
    looking.withLock { $0 = task }
  }

  func stop() async {
    let task = looking.withLock { $0.take() }
    task?.cancel()
    await task?.value
    await program.terminate()
    program.forget()
    try? FileManager.default.removeItem(atPath: folder)
  }
}

/// A reader of the topic of published alerts.
final class TopicSink: Sendable {
  let arrivals = Arrivals()
  private let broker: any EventBroker
  private let reading: Task<Void, Never>

  init(_ broker: any EventBroker) async throws {
    self.broker = broker
    let topic = Topic(
      name: "dos.warnings.alerts", partitions: 1, visibility: .public,
      governance: Governance(owner: "", purpose: "", legalBasis: "", successor: ""))
    let reader = try await broker.reader(topic: topic, partition: 0, from: try await broker.end(of: topic)[0])
    reading = Task { [arrivals] in
      while !Task.isCancelled {
        let events = (try? await reader.next(limit: 100, wait: .seconds(1))) ?? []
        let now = ContinuousClock.now
        for event in events {
          if let message = try? JSONValue(parsing: event.event.data)["message"]?.string { arrivals.note(message.lowercased(), now) }
        }
      }
      await reader.close()
    }
  }

  func stop() async {
    reading.cancel()
    await reading.value
    await broker.close()
  }
}
