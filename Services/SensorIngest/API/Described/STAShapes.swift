import HTTP

extension Shape {
  /// An `@iot.id`.
  static let id = integer(in: 1...9_007_199_254_740_991)
}

extension Shape.Others {
  /// As `STABody` reads: SensorThings' own annotations may come along.
  static let annotations = Shape.Others.ignored(#"@iot\."#)
}
