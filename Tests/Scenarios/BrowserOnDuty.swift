import Foundation
import JSON
import Testing

/// Scenarios with browsers, one after the other: each is a city with a database and several browsers, and all at once they are too much for a small machine.
@Suite("In a real browser", .serialized)
struct InARealBrowser {}

/// What officers do on their page.
extension Browser {
  /// Presses the first button below a place that says this, or nothing but this, once there is one.
  func click(_ text: String, in place: String, whole: Bool = false) async throws {
    let fits = whole ? "b.textContent === '\(text)'" : "b.textContent.includes('\(text)')"
    try await wait(
      until: "there is a button \(text)",
      """
      const found = [...document.querySelectorAll('\(place) button')].find(b => \(fits) && b.offsetParent && !b.disabled);
      found?.click();
      return Boolean(found);
      """)
  }

  /// Logs in on the officers' page as development does it.
  func choose(_ subject: String, role: String = "warning-officer", of city: String = "dortmund", at url: String) async throws {
    try await open(url + "/warnings/officer/")
    try await wait(until: "a role can be chosen", "return document.querySelectorAll('#login-city option').length > 1")
    _ = try await run(
      """
      document.querySelector('#login-subject').value = '\(subject)';
      document.querySelector('#login-role').value = '\(role)';
      document.querySelector('#login-city').value = '\(city)';
      document.querySelector('#login-development').requestSubmit();
      """)
    try await wait(until: "\(subject) is on duty", "return document.querySelector('#connection').textContent.startsWith('Stand')")
  }

  func leaveAndChoose(_ subject: String, role: String = "warning-officer", of city: String = "dortmund", at url: String) async throws {
    try await click("Abmelden", in: "#who")
    try await choose(subject, role: role, of: city, at: url)
  }

  /// Drafts from the template and submits; first without an area, which the form has to say.
  func draftFlood(in district: String) async throws {
    _ = try await run("document.querySelector('#tab-drafts').click()")
    try await click("Neue Warnung entwerfen", in: "#drafts")
    try await fillFromTemplate("hochwasser", area: "")
    try await click("Speichern und zur Freigabe geben", in: "#editor")
    try await wait(
      until: "the form says what is missing", #"return document.querySelector('[data-path="area.description"]')?.textContent.startsWith('fehlt') ?? false"#)
    _ = try await run(
      "document.querySelector('[name=area]').value = 'Emscher'; document.querySelector('[name=districts][value=\(district)]').click()")
    try await click("Speichern und zur Freigabe geben", in: "#editor")
    try await wait(until: "it is submitted", "return document.querySelector('#editor').hidden")
  }

  func approve() async throws {
    try await click("freigeben", in: "#approvals")
    try await click("Freigeben", in: "dialog")
    try await wait(until: "it is out", "return document.querySelector('#message').textContent.includes('herausgegeben')")
    try await wait(until: "nothing waits any more", "return document.querySelector('#approvals article') === null")
  }

  func approve(saying words: String) async throws {
    try await click("freigeben", in: "#approvals")
    try await answer([:])
    try await wait(until: "it is approved", "return document.querySelector('#message').textContent.includes('\(words)')")
  }

  /// Fills the fields of the dialog that opened last, by name, and submits it.
  func answer(_ fields: JSONValue) async throws {
    let values = String(decoding: fields.bytes, as: UTF8.self)
    try await wait(
      until: "a dialog asks",
      """
      const form = [...document.querySelectorAll('dialog form')].at(-1);
      if (!form || form.querySelector('[type=submit]').disabled) return false;
      for (const [name, value] of Object.entries(\(values))) {
        if (value === true) form.elements[name].checked = true;
        else form.elements[name].value = value;
      }
      form.requestSubmit();
      return true;
      """)
  }

  /// Writes into fields of the rule's form, each known by the beginning of its label; the last of those that are shown.
  func fill(_ fields: [String: String]) async throws {
    let values = String(decoding: JSONValue.object(fields.mapValues(JSONValue.string)).bytes, as: UTF8.self)
    _ = try await run(
      """
      for (const [label, value] of Object.entries(\(values))) {
        const fits = l => l.offsetParent && l.firstElementChild.textContent.startsWith(label);
        const field = [...document.querySelectorAll('#rule-editor label')].filter(fits).at(-1).querySelector('input, textarea, select');
        field.value = value;
        field.dispatchEvent(new Event('input', { bubbles: true }));
      }
      """)
  }

  /// What stands somewhere, as text.
  func text(_ selector: String) async throws -> String {
    try await run("return document.querySelector('\(selector)')?.textContent ?? ''").string ?? ""
  }

  /// Begins the form from a template and names the area.
  func fillFromTemplate(_ template: String, area: String) async throws {
    try await wait(until: "the form is there", "return document.querySelector('[name=template] option[value=\(template)]') !== null")
    _ = try await run(
      """
      const t = document.querySelector('[name=template]');
      t.value = '\(template)';
      t.dispatchEvent(new Event('change', { bubbles: true }));
      document.querySelector('[name=area]').value = '\(area)';
      """)
  }

  /// Draws a polygon by clicking, with a corner taken back, and another by its coordinates; the circle that was proposed goes.
  func drawAreas() async throws {
    try await click("Kreis 1 löschen", in: "#shapes")
    _ = try await run("document.querySelector('[name=tool][value=polygon]').click()")
    try await wait(until: "there is a map", "return document.querySelector('#editor-map.leaflet-container path') !== null")
    for (x, y) in [(0.4, 0.4), (0.6, 0.4), (0.9, 0.9)] { try await click(into: "#editor-map", x, y) }
    try await click("Rückgängig", in: "#editor")
    try await click(into: "#editor-map", 0.6, 0.6)
    // With the keyboard: the middle of the map, and then the button.
    try await click("Punkt in der Kartenmitte", in: "#editor")
    try await wait(until: "four corners are there", "return document.querySelector('#shapes').textContent.includes('Offenes Vieleck: 4 Ecken')")
    try await click("Speichern", in: "#editor .actions:last-child", whole: true)
    try await wait(until: "an open one is refused", "return document.querySelector('#message').textContent.includes('Ein Vieleck ist noch offen')")
    try await click("Vieleck schließen", in: "#editor")
    for (corners, answer) in [
      ("51.54 7.44\\n51.55 7.46\\n51.54 7.46\\n51.55 7.44", "Die Linie kreuzt sich"), ("51.54 7.44", "wenigstens drei Ecken"),
    ] {
      _ = try await run("document.querySelector('[name=corners]').value = '\(corners)'; document.querySelector('#editor details').open = true")
      try await click("Als Vieleck übernehmen", in: "#editor")
      try await wait(
        until: "it says: \(answer)", "return [...document.querySelectorAll('#editor .problem')].some(p => !p.hidden && p.textContent.includes('\(answer)'))")
    }
    _ = try await run("document.querySelector('[name=corners]').value = '51,54 7,44\\n51,55 7,46\\n51,54 7,46'")
    try await click("Als Vieleck übernehmen", in: "#editor")
    try await wait(until: "both are there", "return document.querySelector('#shapes').textContent.includes('Vieleck 2: 3 Ecken')")
  }

  /// Keeps a picture where `DOS_SCREENSHOTS` names a folder.
  func takePicture(_ name: String) async throws {
    guard let folder = ProcessInfo.processInfo.environment["DOS_SCREENSHOTS"] else { return }
    try await screenshot().write(to: URL(fileURLWithPath: folder + "/\(name).png"))
  }
}
