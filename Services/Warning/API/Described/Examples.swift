import HTTP

/// The bodies that requests bring, each with one that works. Ids in them are some.
extension BodyInfo {
  static let newAlert = schema(
    "NewAlert", example: #"{"template":"hochwasser","content":{"area":{"description":"Entlang der Emscher in Huckarde","districts":["Huckarde"]}}}"#)
  static let newContent = schema("NewContent", example: content)
  static let alertUpdate = schema("AlertUpdate", example: #"{"refersTo":"\#(some)","content":\#(content)}"#)
  static let alertEnd = schema("AlertEnd", example: #"{"refersTo":"\#(some)","texts":\#(texts("Das Wasser geht zurück.", "The water is falling."))}"#)
  static let reason = schema("Reason", example: #"{"reason":"Die Ortsangabe fehlt."}"#)
  static let approval = schema("Approval", example: #"{"revision":1}"#)
  static let breakGlass = schema("BreakGlass", example: #"{"revision":1,"reason":"Allein im Dienst, und das Wasser steigt schnell."}"#)
  static let review = schema("Review", example: #"{"justified":true,"note":"Eine zweite Person war nicht zu erreichen."}"#)
  static let confirmation = schema("Confirmation", example: #"{"message":"\#(some)","reference":"DE-NW-DO-W083-20300615-000"}"#)

  static let newRule = schema("NewRule", example: rule)
  static let ruleActivation = schema("RuleActivation", example: #"{"version":1}"#)
  static let ruleSimulation = schema("RuleSimulation", example: #"{"rule":\#(rule),"days":30,"events":["2030-06-01T04:30:00Z"]}"#)
  static let ruleFit = schema("RuleFitting", example: #"{"gaugeA":7,"gaugeB":8,"days":90}"#)

  static let newRelease = schema(
    "NewRelease", example: #"{"mode":"Test","from":"2030-09-12T11:00:00+02:00","until":"2030-09-12T12:00:00+02:00","reason":"Bundesweiter Warntag"}"#)
  static let newTarget = schema(
    "NewTarget",
    example: #"{"channel":"webhook","name":"Stadt-App","address":"https://app.example.org/warnings","secret":"at least 24 bytes that nobody guesses"}"#)
  static let newTemplate = schema("NewTemplate", example: #"{"title":"Hochwasser der Ruhr","lasts":43200,"content":{\#(words)}}"#)

  static let foreign = text(
    "application/cap+xml",
    example: """
      <?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>2.49.0.0.276.0.DWD.1</identifier>\
      <sender>CAP@dwd.de</sender><sent>2030-06-15T13:30:00+02:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>\
      <info><language>de-DE</language><category>Met</category><event>STARKREGEN</event><urgency>Immediate</urgency><severity>Severe</severity>\
      <certainty>Likely</certainty><expires>2030-06-15T20:00:00+02:00</expires><headline>Amtliche WARNUNG vor STARKREGEN</headline>\
      <area><areaDesc>Stadt Dortmund</areaDesc></area></info></alert>
      """)

  private static let some = "01977388-8100-7000-8000-000000000020"
  private static let words = """
    "categories":["Met"],"urgency":"Immediate","severity":"Severe","certainty":"Observed","responseTypes":["Avoid"],\
    "texts":\(texts("Der Pegel steigt.", "The water is rising.")),"channels":["app","webhook","cap-feed"]
    """
  private static let content = """
    {\(words),"expires":"2030-06-16T12:00:00+02:00","area":{"description":"Entlang der Emscher in Huckarde","districts":["Huckarde"]}}
    """
  private static let rule = """
    {"name":"Emscher bei Dorstfeld über Informationswert 1","description":"Die Emscher tritt bald über die Ufer. Uferwege sperren.","city":"dortmund",\
    "district":"Huckarde","place":[7.4135,51.5214],"severity":"Severe","rota":"hochwasser",\
    "condition":{"kind":"threshold","datastream":7,"direction":"above","raiseAt":1.2,"clearAt":1.0,"for":600}}
    """

  private static func texts(_ german: String, _ english: String) -> String {
    """
    [{"language":"de-DE","event":"Hochwasser","headline":"Hochwasser an der Emscher","description":"\(german)","instruction":"Meiden Sie das Ufer."},\
    {"language":"en-GB","event":"Flood","headline":"Flood on the river Emscher","description":"\(english)","instruction":"Keep away from the banks."}]
    """
  }
}
