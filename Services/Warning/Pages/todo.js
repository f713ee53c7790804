// What is to be done, at one glance: what waits for whom, since when, and what happens if nothing is done.
import { headline, ifNothingHere, issuer } from "./approvals.js";
import { endsSoon, waitingForPersons } from "./active.js";
import { channelName } from "./details.js";
import { dealsWith, ifNothing } from "./hints.js";
import { duty, isOwn, show } from "./officer.js";
import { ago, ahead, button, element, kinds, make, modes, none, redraw } from "./words.js";

const hour = new Intl.DateTimeFormat("de-DE", { timeZone: "Europe/Berlin", hour: "numeric", hourCycle: "h23" });
const isNight = () => { const now = parseInt(hour.format(new Date()), 10); return now >= 22 || now < 6; };
const ofMyCity = city => !duty.city || duty.city === city;
/** MoWaS is the control room's; sirens and vans are the officers', and where another authority warns its control room's too. */
const isMyHand = (alert, channel) => (duty.isOfficer ? channel !== "mowas-handover" && ofMyCity(alert.city) : ofMyCity(alert.head.authority.id));

/** `{id, text, since, then, mine, isNew, tab}`; `id` is of the card it is about. What is new and nobody's yet comes first. */
function entries({ hints, waiting, reviews, holding, listed }) {
  const all = [];
  for (const hint of hints.filter(h => h.standing === "raised")) all.push({ id: `hint-${hint.id}`, text: `Neuer Hinweis: ${hint.title}`, since: hint.raised, then: ifNothing(hint), mine: ofMyCity(hint.city), isNew: true });
  for (const hint of hints.filter(h => h.standing === "acknowledged" && !duty.alerts.some(a => a.hint?.toLowerCase() === h.id.toLowerCase()))) {
    const by = dealsWith(hint);
    all.push({ id: `hint-${hint.id}`, text: `Hinweis in Arbeit${by ? ` bei ${by}` : ""}: ${hint.title}`, since: hint.changed, then: ifNothing(hint), mine: by === duty.subject });
  }
  for (const alert of waiting) {
    const requested = alert.draft.stage === "requested";
    // At night the second pair of eyes may come from the other city.
    const mine = duty.isOfficer ? !requested && !isOwn(alert.draft) && (ofMyCity(alert.city) || isNight()) : requested && ofMyCity(alert.draft.authority);
    const what = requested ? `Anfrage an die Leitstelle ${alert.draft.authority}` : `Freigabe: ${kinds[alert.draft.kind]}${alert.mode === "Actual" ? "" : ` (${modes[alert.mode]})`}`;
    all.push({ id: `waiting-${alert.id}`, text: `${what} „${headline(alert.draft.content)}“`, since: listed(alert).changed, then: ifNothingHere(alert, listed(alert)), mine });
  }
  for (const alert of holding) {
    for (const d of waitingForPersons(alert)) all.push({ id: `active-${alert.id}`, text: `${channelName(d.channel)}: ${kinds[d.kind]} „${headline(alert.head.content)}“`, since: d.handed, then: "Auf diesem Weg wird niemand gewarnt, bis jemand es tut und bestätigt.", mine: isMyHand(alert, d.channel) });
    if (endsSoon(alert) && duty.isOfficer) all.push({ id: `active-${alert.id}`, text: `Läuft ${ahead(alert.head.content.expires)} ab: „${headline(alert.head.content)}“`, since: alert.head.sent, then: "Sie endet von selbst, wenn niemand sie aktualisiert.", mine: ofMyCity(alert.city) });
  }
  for (const alert of reviews) all.push({ id: `review-${alert.id}`, text: `Prüfung: „${headline(alert.head.content)}“ ging ohne zweite Person heraus`, since: alert.head.sent, then: "Sie bleibt stehen, bis jemand sie festhält.", mine: duty.isOfficer && issuer(alert.head) !== duty.subject });
  for (const alert of duty.alerts.map(a => duty.full.get(a.id.toLowerCase())).filter(a => a?.draft?.stage === "returned")) {
    all.push({ id: `draft-${alert.id}`, tab: "drafts", text: `Zurückgegeben: „${headline(alert.draft.content)}“ – ${alert.draft.reason}`, since: listed(alert).changed, then: "Ohne Überarbeitung wird sie nicht herausgegeben.", mine: isOwn(alert.draft) });
  }
  for (const release of duty.releases.filter(r => r.status === "proposed" && Date.parse(r.until) > Date.now())) {
    all.push({ id: `release-${release.id}`, tab: "practice", text: `Freigabe für ${modes[release.mode]} beantragt: ${release.reason}`, since: null, then: `Ohne sie erreicht die Übung niemanden; sie begänne ${ahead(release.from)}.`, mine: false });
  }
  return all.sort((a, b) => Number(b.mine) - Number(a.mine) || Number(b.isNew ?? false) - Number(a.isNew ?? false) || (a.since ?? "").localeCompare(b.since ?? ""));
}

function line(entry, index) {
  const go = () => {
    show(entry.tab ?? "overview");
    element(entry.id)?.scrollIntoView({ block: "start" });
    element(entry.id)?.focus();
  };
  return make("li", { id: `todo-${index}-${entry.id}`, class: entry.mine ? "mine" : "", children: [
    button(entry.text, go, "link"), make("p", { class: "quiet", text: [entry.since ? `${entry.mine ? "Wartet auf Sie" : "Wartet auf andere"} ${ago(entry.since).replace(/^vor /, "seit ").replace("gerade eben", "seit eben")}` : "Wartet", entry.then].join(". ") }),
  ] });
}

/** Draws the list and answers how many wait for who looks at it. */
export function drawTodo(now) {
  const all = entries(now);
  redraw(element("todo"), all.length ? [make("ul", { children: all.map(line) })] : [none("Nichts wartet.")]);
  return all.filter(e => e.mine).length;
}
