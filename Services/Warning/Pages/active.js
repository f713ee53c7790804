// What holds now, how long, and which channels wait for a person; and what has ended lately.
import { read } from "./city.js";
import { byHand, channelName, confirmDelivery, showDetails, waitsForPerson } from "./details.js";
import { doing } from "./dialogs.js";
import { headline } from "./approvals.js";
import { openDraft } from "./editor.js";
import { duty, refresh, show } from "./officer.js";
import { showOnMap } from "./overview.js";
import { ahead, badge, button, at, kinds, make, modes, stages, when } from "./words.js";

const soon = 3_600_000;
const endings = { cancelled: "widerrufen", "all-clear": "entwarnt", expired: "abgelaufen" };
/** What waits for a person, by the alert's id. */
let persons = new Map();

/** Looks up what persons have still to do. Answers whether that changed. */
export async function loadPersons(alerts) {
  const asked = alerts.filter(a => a.head?.channels.some(c => byHand.includes(c)));
  const answers = await Promise.all(asked.map(a => read(`${a.id}/deliveries`)));
  const changed = answers.some(a => a.changed) || asked.length !== persons.size;
  persons = new Map(asked.map((a, index) => [a.id, answers[index].value.deliveries.filter(waitsForPerson)]));
  return changed;
}

export const waitingForPersons = alert => persons.get(alert.id) ?? [];
export const endsSoon = alert => Date.parse(alert.head.content.expires) - Date.now() < soon;

export function activeCard(alert, listed) {
  const { head } = alert;
  const change = kind => button({ update: "Aktualisieren", cancel: "Zurückziehen", "all-clear": "Entwarnen" }[kind], () => { openDraft({ amending: alert, kind }); show("drafts"); });
  return make("article", { id: `active-${alert.id}`, tabindex: "-1", class: `item ${head.content.severity} ${alert.mode === "Actual" ? "" : "practice"}`, children: [
    make("p", { children: [badge(kinds[head.kind]), badge(modes[alert.mode], alert.mode !== "Actual"), badge(`gilt bis ${when(head.content.expires)}`), head.channels.length ? null : badge("erreicht niemanden"), head.approvals.breakGlass ? badge("ohne zweite Person", true) : null] }),
    make("h3", { text: headline(head.content) }),
    make("p", { class: "quiet", text: `${head.content.area.description}; herausgegeben ${at(head.sent)} für ${head.authority.name}` }),
    make("p", { class: endsSoon(alert) ? "then" : "quiet", text: `Sie endet von selbst ${ahead(head.content.expires)}, wenn niemand sie aktualisiert.` }),
    ...waitingForPersons(alert).map(d => make("p", { class: "then", children: [
      make("span", { text: `${channelName(d.channel)} (${kinds[d.kind]}): wartet seit ${at(d.handed)} auf eine Person. ` }),
      button(`${channelName(d.channel)} bestätigen`, async () => { if (await confirmDelivery(alert.id, d)) await refresh(); }),
    ] })),
    make("div", { class: "actions", children: [
      ...(alert.draft ? [badge(`${kinds[alert.draft.kind]} ${stages[listed.stage] ?? ""}`)] : duty.isOfficer ? ["update", "cancel", "all-clear"].map(change) : []),
      button("Zustellungen und Warum?", doing(() => showDetails(alert.id))), button("Gebiet auf der Karte", () => showOnMap(head.content.area.outline)),
    ] }),
  ] });
}

export const hasEnded = listed => Boolean(endings[listed.ending]);
export const endedLine = listed => make("p", { id: `ended-${listed.id}`, children: [
  make("span", { text: `${listed.title}: ${endings[listed.ending]} ${when(listed.changed)} ` }), button("Zustellungen und Warum?", doing(() => showDetails(listed.id))),
] });
