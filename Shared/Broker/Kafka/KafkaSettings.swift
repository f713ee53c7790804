/// How a Kafka is reached and what is asked of it.
public struct KafkaSettings: Sendable {
  /// `host:port`, several with commas between.
  public var bootstrap: String
  /// How many brokers hold a topic that is made; from three on, two of them must have an event before it is acknowledged.
  public var replication: Int
  /// Whether topics are made and set up where they are not as declared. Without it they are somebody else's business, who may do what this process must not;
  /// their number of partitions is still compared.
  public var makesTopics: Bool
  /// Further properties by librdkafka's names (its `CONFIGURATION.md`): TLS, SASL.
  public var properties: [String: String]
  public var limits: BrokerLimits
  /// Told what librdkafka has to say: brokers that went away, refused logins. Called on its threads: must not block.
  public var trouble: @Sendable (_ what: String) -> Void

  public init(
    bootstrap: String, replication: Int = 1, makesTopics: Bool = true, properties: [String: String] = [:], limits: BrokerLimits = BrokerLimits(),
    trouble: @escaping @Sendable (_ what: String) -> Void = { _ in }
  ) {
    self.bootstrap = bootstrap
    self.replication = replication
    self.makesTopics = makesTopics
    self.properties = properties
    self.limits = limits
    self.trouble = trouble
  }

  /// How the producer is set up. Nothing it was given is ever dropped by time, so that a later event cannot overtake an earlier one.
  var producer: [(String, String)] {
    shared + [
      ("enable.idempotence", "true"), ("acks", "all"), ("message.timeout.ms", "0"), ("request.timeout.ms", "10000"), ("linger.ms", "1"),
      ("compression.type", "lz4"),
      // What waits is bounded by the outbox, in bytes of events.
      ("queue.buffering.max.messages", "0"), ("queue.buffering.max.kbytes", "1048576"), ("message.max.bytes", "\(KafkaTopics.messageBytes)"),
    ] + own
  }

  /// How consumers are set up: they say themselves where they begin, and a place that is not there is an error.
  var consumer: [(String, String)] {
    shared + [
      ("auto.offset.reset", "error"), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"), ("allow.auto.create.topics", "false"),
      // A partition that begins to be read joins the next fetch of its broker, so this is how long its first event may take.
      ("fetch.wait.max.ms", "100"), ("fetch.error.backoff.ms", "50"),
      // Per partition; a full queue pauses its fetching for a second, so it holds more than is read in one.
      ("queued.max.messages.kbytes", "8192"), ("fetch.message.max.bytes", "1048576"),
    ] + own
  }

  private var shared: [(String, String)] {
    [
      ("bootstrap.servers", bootstrap), ("client.id", "dos"), ("log.queue", "true"), ("socket.nagle.disable", "true"), ("socket.timeout.ms", "10000"),
      // A broker that was killed is back within seconds, and every one of them is a publish that waits.
      ("reconnect.backoff.ms", "50"), ("reconnect.backoff.max.ms", "1000"), ("topic.metadata.refresh.fast.interval.ms", "100"),
    ]
  }

  private var own: [(String, String)] { properties.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
}
