import Broker
import HTTP

extension Visibility {
  /// The roles that may read what has this visibility; nil where everybody may, with or without a token.
  public var readers: Set<Role>? {
    switch self {
    case .public: nil
    case .partner: [.partner, .reader, .sensorOperator, .administrator]
    case .internal: [.reader, .sensorOperator, .administrator]
    case .restricted: [.administrator]
    }
  }

  /// Who may use a route that shows what has this visibility.
  public var access: Access {
    readers.map { .roles(Set($0.map(\.rawValue))) } ?? .everyone
  }

  /// What a caller, or nobody in particular, may read.
  public static func readable(by caller: Caller?) -> Set<Visibility> {
    Set(allCases.filter { $0.access.refusal(for: caller) == nil })
  }
}
