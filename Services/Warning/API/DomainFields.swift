import JSON
import WarningDomain

// The domain's values that requests bring as they are: a misspelt field is refused and not ignored.

extension Rule: KnownFields {
  public static let fields = ["name", "description", "city", "district", "place", "severity", "rota", "staleAfter", "condition"]
}

// Conditions, of each kind its own beside the kind itself.

extension Threshold: KnownFields {
  public static let fields = ["kind", "datastream", "direction", "raiseAt", "clearAt", "for"]
}

extension RateOfChange: KnownFields {
  public static let fields = ["kind", "datastream", "direction", "by", "within", "clearBelow"]
}

extension Silence: KnownFields {
  public static let fields = ["kind", "datastream", "longerThan"]
}

extension Upstream: KnownFields {
  public static let fields = ["kind", "gaugeA", "gaugeB", "model", "raiseAt", "clearAt", "certainty"]
}

extension CountOf: KnownFields {
  public static let fields = ["kind", "atLeast", "of"]
}

extension Condition.Parts: KnownFields {
  public static let fields = ["kind", "of"]
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
