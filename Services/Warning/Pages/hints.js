// Open hints: what is new, who deals with it, what happens if nobody does, and the readings that led to it.
import { decide, read } from "./city.js";
import { datastreamNames, drawReadings, recentReadings } from "./readings.js";
import { askReason, doing, say } from "./dialogs.js";
import { openDraft } from "./editor.js";
import { duty, refresh, show } from "./officer.js";
import { ago, badge, button, clockTime, at, make, severities, stages } from "./words.js";

const standings = { raised: "Neu – niemand hat übernommen", acknowledged: "Übernommen", confirmed: "Bestätigt" };
/** How long each level of the rota has, and how many there are. */
const patience = 300_000, levels = 5;
const order = { raised: 0, acknowledged: 1, confirmed: 2 };

/** Hints in full, by id: who deals with them, and what was found. */
const known = new Map();

/** Looks up what lists do not say: of hints that changed, and how the readings go on. Answers whether they do. */
export async function loadHints(hints) {
  await Promise.all(hints.filter(h => known.get(h.id)?.changed !== h.changed).map(async h => known.set(h.id, { ...(await read(`hints/${h.id}`)).value, changed: h.changed })));
  const datastreams = hints.flatMap(h => h.readings.map(r => r.datastream));
  await datastreamNames(datastreams);
  return recentReadings(datastreams);
}

export const sortedHints = () => [...duty.hints].sort((a, b) => order[a.standing] - order[b.standing] || b.raised.localeCompare(a.raised));

/** Who acknowledged or confirmed it. */
export const dealsWith = hint => known.get(hint.id)?.by?.subject ?? null;

/** What happens to a hint if nobody does anything. */
export function ifNothing(hint) {
  if (hint.standing !== "raised") return "Er erlischt, wenn die Messwerte zurückgehen. Gewarnt wird nur, wenn jemand eine Warnung entwirft.";
  const rota = known.get(hint.id)?.finding.rota;
  if (!rota) return "Er alarmiert niemanden und steht nur hier.";
  if (hint.level >= levels) return `Alle Stufen der Bereitschaft ${rota} sind alarmiert.`;
  return `Übernimmt niemand, wird um ${clockTime(Date.parse(hint.changed) + patience)} Uhr Stufe ${hint.level + 1} der Bereitschaft ${rota} alarmiert.`;
}

const acknowledge = hint => doing(async () => {
  const before = known.get(hint.id)?.standing;
  const answer = await decide(`hints/${hint.id}/acknowledge`);
  const own = answer.by?.subject === duty.subject;
  if (before === "raised" && !own) say(`${answer.by?.subject} war schneller und hat den Hinweis schon übernommen.`, true);
  else say("Hinweis übernommen: niemand wird weiter alarmiert.");
  await refresh();
});

const confirm = hint => doing(async () => {
  const answer = await decide(`hints/${hint.id}/confirm`);
  say(answer.by?.subject === duty.subject ? "Hinweis bestätigt." : `${answer.by?.subject} hat den Hinweis schon bestätigt.`);
  await refresh();
});

const dismiss = hint => doing(async () => {
  const given = await askReason("Hinweis verwerfen", "Verwerfen", given => decide(`hints/${hint.id}/dismiss`, given), [hint.title]);
  if (!given) return;
  say("Hinweis verworfen.");
  await refresh();
});

export function hintCard(hint) {
  const full = known.get(hint.id);
  const following = duty.alerts.filter(a => a.hint?.toLowerCase() === hint.id.toLowerCase() && a.ending !== "never-issued");
  const raised = hint.standing === "raised";
  return make("article", { id: `hint-${hint.id}`, class: `item ${hint.severity} ${hint.standing}`, tabindex: "-1", children: [
    badge(standings[hint.standing], raised), badge(severities[hint.severity]?.de ?? hint.severity), hint.level > 1 ? badge(`Stufe ${hint.level} alarmiert`, true) : null,
    make("h3", { text: hint.title }), make("p", { text: hint.text }),
    make("p", { class: "quiet", text: `${hint.city}, seit ${at(hint.since)} (${ago(hint.since)})${full?.by ? `; ${standings[hint.standing].toLowerCase()} von ${full.by.subject}, ${at(hint.changed)}` : ""}` }),
    make("p", { class: raised ? "then" : "quiet", text: ifNothing(hint) }),
    ...following.map(a => make("p", { class: "then", text: `Daraus entworfen: „${a.title}“, ${a.ending ? "beendet" : a.stage ? stages[a.stage] : "herausgegeben"}.` })),
    drawReadings(hint.readings, hint.forecast),
    make("div", { class: "actions", children: [
      raised ? button("Übernehmen", acknowledge(hint), "strong") : null,
      button("Warnung daraus entwerfen", () => { openDraft({ hint }); show("drafts"); }, raised || following.length ? "" : "strong"),
      hint.standing !== "confirmed" ? button("Bestätigen", confirm(hint)) : null, button("Verwerfen", dismiss(hint)),
    ] }),
  ] });
}
