// What somebody on duty needs first: open hints, what waits for approval, and what holds.
import { decide } from "./city.js";
import { openDraft } from "./drafts.js";
import { channelName, showDetails } from "./details.js";
import { ask, askReason, doing, say } from "./dialogs.js";
import { duty, refresh, show } from "./officer.js";
import { ago, announced, button, drawMap, element, exactly, kinds, make, modes, redraw, severities, text, when } from "./words.js";

const standings = { raised: "Neu – niemand hat übernommen", acknowledged: "Übernommen", confirmed: "Bestätigt" };
let drawn = null, layer = null;

const badge = (text, warn) => make("span", { class: warn ? "badge warn" : "badge", text });
const none = text => make("p", { class: "quiet", text });
export const full = alert => duty.full.get(alert.id.toLowerCase());
export const isOwn = draft => draft.authors.some(a => a.subject === duty.subject);

/** Decides and looks again. */
export const does = (path, body, done) => doing(async () => {
  await decide(path, body);
  say(done);
  await refresh();
});

/** Asks why, and then decides with the reason. */
const doesWithReason = (title, action, path, done, words) => doing(async () => {
  const given = await askReason(title, action, words);
  if (!given) return;
  await decide(path, given);
  say(done);
  await refresh();
});

function hint(hint) {
  const path = `hints/${hint.id}`;
  return make("article", { id: `hint-${hint.id}`, class: `item ${hint.severity} ${hint.standing}`, children: [
    badge(standings[hint.standing], hint.standing === "raised"), badge(severities[hint.severity]?.de ?? hint.severity),
    hint.level > 1 ? badge(`Stufe ${hint.level} alarmiert`, true) : null,
    make("h3", { text: hint.title }), make("p", { text: hint.text }),
    make("p", { class: "quiet", text: `${hint.city}, seit ${exactly(hint.since)} (${ago(hint.since)}), ${hint.readings.length} Messwerte: ${hint.readings.slice(-3).map(r => `${r.result} um ${exactly(r.time)}`).join("; ")}` }),
    hint.forecast ? make("p", { text: announced(hint.forecast) }) : null,
    make("div", { class: "actions", children: [
      hint.standing === "raised" ? button("Übernehmen", does(`${path}/acknowledge`, undefined, "Hinweis übernommen: niemand wird weiter alarmiert."), "strong") : null,
      button("Warnung daraus entwerfen", () => { openDraft({ hint }); show("drafts"); }, hint.standing === "raised" ? "" : "strong"),
      hint.standing !== "confirmed" ? button("Bestätigen", does(`${path}/confirm`, undefined, "Hinweis bestätigt.")) : null,
      button("Verwerfen", doesWithReason("Hinweis verwerfen", "Verwerfen", `${path}/dismiss`, "Hinweis verworfen.", [hint.title])),
    ] }),
  ] });
}

/** Everything that would be issued, as it would be: nobody approves what they cannot read. */
export function contentOf(content, mode) {
  const mark = { Actual: "", Exercise: "ÜBUNG: ", Test: "PROBEWARNUNG: " }[mode];
  return [
    make("p", { children: [badge(severities[content.severity]?.de ?? content.severity), badge(`gilt bis ${when(content.expires)}`), badge(content.channels.map(channelName).join(", "))] }),
    make("p", { text: `Gebiet: ${content.area.description}${content.area.districts.length ? ` (${content.area.districts.join(", ")})` : ""}${content.area.circles.length ? `, ${content.area.circles.length} Kreis(e)` : ""}` }),
    ...content.texts.map(t => make("div", { lang: t.language, class: "text", children: [
      make("p", { children: [make("strong", { text: `${t.language}: ${mark}${t.headline}` })] }), make("p", { text: t.description }), make("p", { text: t.instruction }),
    ] })),
  ];
}

async function approve(alert) {
  const { draft } = alert;
  const body = { revision: draft.revision };
  const fields = [];
  if (alert.mode !== "Actual") {
    const usable = duty.releases.filter(r => r.status === "approved" && r.mode === alert.mode && r.city === alert.city && Date.parse(r.until) > Date.now());
    const options = [["", "ohne: sie erreicht niemanden"], ...usable.map(r => [r.id, `${r.reason}, bis ${when(r.until)}`])];
    fields.push({ name: "release", label: "Freigabe für die Übung", kind: "select", options, required: false });
  }
  const given = await ask({
    title: `${kinds[draft.kind]} freigeben, Revision ${draft.revision}`,
    words: [text(draft.content.texts, "de")?.headline ?? "", alert.mode === "Actual" ? "Sie geht sofort an alle gewählten Kanäle." : `${modes[alert.mode]}: keine echte Gefahr.`],
    action: "Freigeben", fields,
  });
  if (!given) return;
  if (given.release) body.release = given.release;
  const answer = await decide(`${alert.id}/approve`, body);
  say(answer.draft?.stage === "requested" ? `Freigegeben; die Leitstelle ${answer.draft.authority} ist gefragt.` : "Freigegeben und herausgegeben.");
  await refresh();
}

export async function breakGlass(alert) {
  const { draft } = alert;
  const given = await ask({
    title: "Notfall: ohne zweite Person herausgeben", danger: true, action: `Revision ${draft.revision} sofort herausgeben`,
    words: ["Die Warnung geht sofort und ohne Vier-Augen-Prinzip an alle gewählten Kanäle. Das wird festgehalten, und eine andere Person muss es nachträglich prüfen.", text(draft.content.texts, "de")?.headline ?? ""],
    fields: [{ name: "reason", label: "Warum kann niemand sonst freigeben?", kind: "text" }, { name: "sure", label: "Ich habe Text, Gebiet und Dauer geprüft.", kind: "check" }],
  });
  if (!given) return;
  await decide(`${alert.id}/break-glass`, { revision: draft.revision, reason: given.reason });
  say("Herausgegeben ohne zweite Person. Eine Prüfung steht aus.");
  await refresh();
}

function waiting(alert) {
  const { draft } = alert;
  const own = isOwn(draft);
  const head = [badge(kinds[draft.kind]), badge(modes[alert.mode], alert.mode !== "Actual"), badge(`Revision ${draft.revision}`), badge(alert.city)];
  if (draft.stage === "requested") {
    head.push(badge(`wartet auf ${draft.authority}`, true));
  }
  const actions = draft.stage === "requested"
    ? [button("Übernehmen (Leitstelle)", does(`${alert.id}/acknowledge`, undefined, "Übernommen und herausgegeben."), "strong"),
      button("Ablehnen (Leitstelle)", doesWithReason("Anfrage ablehnen", "Ablehnen", `${alert.id}/decline`, "Abgelehnt."))]
    : [own ? null : button(`Revision ${draft.revision} freigeben`, doing(() => approve(alert)), "strong"),
      own ? null : button("Zurück zur Bearbeitung", doesWithReason("Zurück zur Bearbeitung", "Zurückgeben", `${alert.id}/return`, "Zurückgegeben.")),
      button(own ? "Aufgeben" : "Ablehnen", doesWithReason("Entwurf ablehnen", "Ablehnen", `${alert.id}/reject`, "Abgelehnt.")),
      alert.mode === "Actual" ? button("Notfall: sofort herausgeben", doing(() => breakGlass(alert)), "danger") : null];
  return make("article", { id: `waiting-${alert.id}`, class: `item ${draft.content.severity} ${alert.mode === "Actual" ? "" : "practice"}`, children: [
    make("p", { children: head }), make("h3", { text: text(draft.content.texts, "de")?.headline ?? "" }),
    own && draft.stage === "submitted" ? make("p", { class: "quiet", text: "Daran haben Sie mitgeschrieben: eine andere Person muss freigeben." }) : null,
    ...contentOf(draft.content, alert.mode), make("div", { class: "actions", children: actions }),
  ] });
}

function reviewing(alert) {
  const { head } = alert;
  return make("article", { id: `review-${alert.id}`, class: `item ${head.content.severity}`, children: [
    badge("Prüfung steht aus", true), make("h3", { text: text(head.content.texts, "de")?.headline ?? "" }),
    make("p", { text: `Ohne zweite Person herausgegeben ${when(head.sent)}: ${head.approvals.breakGlass ?? ""}` }),
    make("div", { class: "actions", children: [button("Prüfen", doing(async () => {
      const given = await ask({ title: "Nachträgliche Prüfung", action: "Festhalten", fields: [
        { name: "justified", label: "War das gerechtfertigt?", kind: "select", options: [["yes", "ja"], ["no", "nein"]] }, { name: "note", label: "Bemerkung", kind: "text" }] });
      if (!given) return;
      await decide(`${alert.id}/review`, { justified: given.justified === "yes", note: given.note });
      say("Prüfung festgehalten.");
      await refresh();
    }))] }),
  ] });
}

function active(alert) {
  const { head } = alert;
  const change = kind => button({ update: "Aktualisieren", cancel: "Zurückziehen", "all-clear": "Entwarnen" }[kind], () => { openDraft({ amending: alert, kind }); show("drafts"); });
  return make("article", { id: `active-${alert.id}`, class: `item ${head.content.severity} ${alert.mode === "Actual" ? "" : "practice"}`, children: [
    make("p", { children: [badge(kinds[head.kind]), badge(modes[alert.mode], alert.mode !== "Actual"), badge(`gilt bis ${when(head.content.expires)}`), head.channels.length ? null : badge("erreicht niemanden")] }),
    make("h3", { text: text(head.content.texts, "de")?.headline ?? "" }),
    make("p", { class: "quiet", text: `${head.content.area.description}; herausgegeben ${when(head.sent)} für ${head.authority.name}` }),
    make("div", { class: "actions", children: [
      ...(alert.draft ? [badge("Änderung in Arbeit")] : ["update", "cancel", "all-clear"].map(change)),
      button("Zustellungen und Warum?", doing(() => showDetails(alert.id))),
    ] }),
  ] });
}

function draw() {
  const alerts = duty.alerts.map(full).filter(Boolean);
  const order = { raised: 0, acknowledged: 1, confirmed: 2 };
  const hints = [...duty.hints].sort((a, b) => order[a.standing] - order[b.standing] || b.raised.localeCompare(a.raised));
  redraw(element("hints"), hints.length ? hints.map(hint) : [none("Kein Hinweis ist offen.")]);
  const listed = new Map(duty.alerts.map(a => [a.id.toLowerCase(), a]));
  const current = id => listed.get(id.toLowerCase());
  const approvals = alerts.filter(a => a.draft && ["submitted", "requested"].includes(current(a.id).stage));
  const reviews = alerts.filter(a => current(a.id).reviewDue && a.head);
  approvals.sort((a, b) => Number(isOwn(a.draft)) - Number(isOwn(b.draft)));
  redraw(element("approvals"), approvals.length + reviews.length ? [...approvals.map(waiting), ...reviews.map(reviewing)] : [none("Nichts wartet auf Freigabe.")]);
  const holding = alerts.filter(a => a.head && !current(a.id).ending);
  redraw(element("active"), holding.length ? holding.map(active) : [none("Keine Warnung ist aktiv.")]);
  const endings = { cancelled: "widerrufen", "all-clear": "entwarnt", expired: "abgelaufen" };
  const ended = duty.alerts.filter(a => endings[a.ending]).slice(0, 10);
  redraw(element("ended"), ended.length ? ended.map(a => make("p", { id: `ended-${a.id}`, children: [
    make("span", { text: `${a.title}: ${endings[a.ending]} ${when(a.changed)} ` }), button("Zustellungen und Warum?", doing(() => showDetails(a.id)))] })) : [none("Noch keine.")]);
  const count = hints.filter(h => h.standing === "raised").length + approvals.filter(a => !isOwn(a.draft)).length;
  element("waiting").textContent = count || "";
  document.title = `${count ? `(${count}) ` : ""}Warnungen: Dienstseite`;
  drawPlaces(hints, holding);
}

function drawPlaces(hints, holding) {
  if (!drawn) return;
  layer.clearLayers();
  for (const alert of holding) {
    const practice = alert.mode !== "Actual";
    layer.addLayer(L.geoJSON({ type: "MultiPolygon", coordinates: alert.head.content.area.outline }, {
      style: { color: practice ? "#556070" : severities[alert.head.content.severity]?.colour, weight: 3, fillOpacity: practice ? .08 : .25, dashArray: practice ? "6 6" : null },
    }).on("click", () => doing(() => showDetails(alert.id))()));
  }
  for (const hint of hints.filter(h => h.latitude !== null)) {
    const mark = L.circleMarker([hint.latitude, hint.longitude], { radius: 9, color: "#fff", weight: 2, fillColor: severities[hint.severity]?.colour, fillOpacity: 1 });
    layer.addLayer(mark.bindPopup(make("strong", { text: hint.title })));
  }
}

export async function startOverview() {
  try {
    drawn = await drawMap("map", "../");
    duty.districts = drawn.districts.features;
    layer = L.layerGroup().addTo(drawn.map);
  } catch (error) {
    element("map").textContent = `Die Karte kann nicht gezeigt werden (${error.message}).`;
  }
  addEventListener("resize", () => drawn?.map.invalidateSize());
  return draw;
}
