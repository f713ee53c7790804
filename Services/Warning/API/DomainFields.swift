import JSON
import WarningDomain

// The domain's values that requests bring as they are: a misspelt field is refused and not ignored.

extension Rule: KnownFields {
  public static let fields = ["name", "description", "city", "district", "place", "severity", "rota", "staleAfter", "condition"]
}

extension Condition: KnownFields {
  /// Of all kinds together.
  public static let fields = [
    "kind", "of", "atLeast", "datastream", "direction", "raiseAt", "clearAt", "for", "by", "within", "clearBelow", "longerThan", "gaugeA", "gaugeB", "model",
    "certainty",
  ]
}

extension LaggedRegression: KnownFields {
  public static let fields = [
    "lag", "riseOver", "holds", "constant", "levelA", "riseA", "levelB", "band", "risingA", "risingB", "widening", "floods", "error",
  ]
}

extension AlertTemplate: KnownFields {
  public static let fields = ["title", "lasts", "content"]
}

extension TemplateContent: KnownFields {
  public static let fields = ["categories", "eventCode", "urgency", "severity", "certainty", "responseTypes", "texts", "channels", "contact", "web"]
}

extension AlertText: KnownFields {
  public static let fields = ["language", "event", "headline", "description", "instruction"]
}
