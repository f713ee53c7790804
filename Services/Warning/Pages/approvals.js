// What waits for a second pair of eyes: approvals, requests to control rooms, and reviews of what went out without one.
import { decide } from "./city.js";
import { channelName, showDetails } from "./details.js";
import { ask, askReason, doing, say } from "./dialogs.js";
import { duty, isOwn, refresh } from "./officer.js";
import { showOnMap } from "./overview.js";
import { ago, badge, button, at, kinds, make, modes, severities, text, when } from "./words.js";

const marks = { Actual: "", Exercise: "ÜBUNG: ", Test: "PROBEWARNUNG: " };
export const headline = content => text(content.texts, "de")?.headline || "(ohne Überschrift)";

function placesOf(area) {
  const shapes = [[area.districts.length, area.districts.join(", ")], [area.circles.length, area.circles.length === 1 ? "ein Kreis" : `${area.circles.length} Kreise`],
    [area.polygons.length, area.polygons.length === 1 ? "ein Vieleck" : `${area.polygons.length} Vielecke`]];
  const named = shapes.filter(([there]) => there).map(([, words]) => words);
  return `Gebiet: ${area.description}${named.length ? ` (${named.join("; ")})` : ""}`;
}

/** Everything that would be issued, as it would be: nobody approves what they cannot read. */
function contentOf(content, mode) {
  return [
    make("p", { children: [badge(severities[content.severity]?.de ?? content.severity), badge(`gilt bis ${when(content.expires)}`), badge(content.channels.map(channelName).join(", "))] }),
    make("p", { text: placesOf(content.area) }),
    ...content.texts.map(t => make("div", { lang: t.language, class: "text", children: [
      make("p", { children: [make("strong", { text: `${t.language}: ${marks[mode]}${t.headline}` })] }), make("p", { text: t.description }), make("p", { text: t.instruction }),
    ] })),
  ];
}

/** Asks for a reason and decides with it. */
const withReason = (title, action, path, done, words) => doing(async () => {
  if (!(await askReason(title, action, given => decide(path, given), words))) return;
  say(done);
  await refresh();
});

async function approve(alert) {
  const { draft } = alert;
  const fields = [];
  if (alert.mode !== "Actual") {
    const usable = duty.releases.filter(r => r.status === "approved" && r.mode === alert.mode && r.city === alert.city && Date.parse(r.until) > Date.now());
    fields.push({ name: "release", label: "Freigabe für die Übung", kind: "select", options: [["", "ohne: sie erreicht niemanden"], ...usable.map(r => [r.id, `${r.reason}, bis ${when(r.until)}`])], required: false });
  }
  const answer = await ask({
    title: `${kinds[draft.kind]} freigeben, Revision ${draft.revision}`,
    words: [headline(draft.content), alert.mode === "Actual" ? "Sie geht sofort an alle gewählten Kanäle." : `${modes[alert.mode]}: keine echte Gefahr.`],
    action: "Freigeben", fields, act: ({ release }) => decide(`${alert.id}/approve`, { revision: draft.revision, ...(release ? { release } : {}) }),
  });
  if (!answer) return;
  say(answer.draft?.stage === "requested" ? `Freigegeben; die Leitstelle ${answer.draft.authority} ist gefragt.` : "Freigegeben und herausgegeben.");
  await refresh();
}

/** Issues at once, without a second pair of eyes. */
export async function breakGlass(alert) {
  const { draft } = alert;
  const answer = await ask({
    title: "Notfall: sofort herausgeben", danger: true, action: "Jetzt ohne zweite Person herausgeben",
    words: [headline(draft.content), "Die Warnung geht an alle gewählten Kanäle, ohne dass jemand sie geprüft hat.", "Eine andere Person muss danach prüfen, ob das gerechtfertigt war."],
    fields: [{ name: "reason", label: "Warum kann niemand freigeben?", kind: "text" }, { name: "sure", label: "Ich übernehme das allein.", kind: "check" }],
    act: ({ reason }) => decide(`${alert.id}/break-glass`, { revision: draft.revision, reason }),
  });
  if (!answer) return;
  say(answer.draft?.stage === "requested" ? `Die Leitstelle ${answer.draft.authority} ist gefragt: dort kann nur sie herausgeben.` : "Herausgegeben ohne zweite Person. Die Prüfung steht aus.");
  await refresh();
}

async function acceptRequest(alert) {
  const answer = await decide(`${alert.id}/acknowledge`);
  const handover = answer.head?.channels.includes("mowas-handover");
  say(handover ? "Übernommen und herausgegeben. Geben Sie sie jetzt in MoWaS ein und bestätigen Sie die Nummer." : "Übernommen und herausgegeben.");
  await refresh();
  if (handover) await showDetails(alert.id);
}

/** What happens to it if nobody does anything. */
export function ifNothingHere(alert, listed) {
  if (alert.draft.stage === "requested") return `Die Leitstelle ${alert.draft.authority} ist seit ${at(listed.changed)} gefragt. Antwortet sie nicht, wird sie alle 5 Minuten noch einmal gefragt, dreimal; danach hilft nur der Anruf.`;
  return `Ohne Freigabe erfährt niemand davon. Sie gälte bis ${when(alert.draft.content.expires)}.`;
}

export function waitingCard(alert, listed) {
  const { draft } = alert;
  const own = isOwn(draft);
  const requested = draft.stage === "requested";
  const refuse = button("Ablehnen", withReason("Anfrage ablehnen", "Ablehnen", `${alert.id}/decline`, "Anfrage abgelehnt: sie geht mit der Begründung zurück.", [headline(draft.content)]));
  const officers = [
    own ? null : button(`Revision ${draft.revision} freigeben`, doing(() => approve(alert)), "strong"),
    own ? null : button("Zurück zur Bearbeitung", withReason("Zurück zur Bearbeitung", "Zurückgeben", `${alert.id}/return`, "Zurückgegeben.", [headline(draft.content)])),
    button(own ? "Aufgeben" : "Ablehnen", withReason(own ? "Entwurf aufgeben" : "Entwurf ablehnen", own ? "Aufgeben" : "Ablehnen", `${alert.id}/reject`, own ? "Aufgegeben." : "Abgelehnt.", [headline(draft.content)])),
    alert.mode === "Actual" ? button("Notfall: sofort herausgeben", doing(() => breakGlass(alert)), "danger") : null,
  ];
  const actions = !duty.isOfficer ? (requested ? [button("Übernehmen und herausgeben", doing(() => acceptRequest(alert)), "strong"), refuse] : []) : requested ? [] : officers;
  return make("article", { id: `waiting-${alert.id}`, tabindex: "-1", class: `item ${draft.content.severity} ${alert.mode === "Actual" ? "" : "practice"}`, children: [
    make("p", { children: [badge(kinds[draft.kind]), badge(modes[alert.mode], alert.mode !== "Actual"), badge(alert.city), requested ? badge(`Leitstelle ${draft.authority} ist gefragt`, true) : null] }),
    make("h3", { text: headline(draft.content) }),
    make("p", { class: "quiet", text: `Wartet seit ${at(listed.changed)} (${ago(listed.changed)}), geschrieben von ${draft.authors.map(a => a.subject).join(", ")}` }),
    own && !requested ? make("p", { class: "then", text: "Daran haben Sie mitgeschrieben: eine andere Person muss freigeben." }) : null,
    make("p", { class: "then", text: ifNothingHere(alert, listed) }),
    ...contentOf(draft.content, alert.mode), make("div", { class: "actions", children: [...actions, button("Gebiet auf der Karte", () => showOnMap(draft.content.area.outline))] }),
  ] });
}

/** Who issued without a second pair of eyes. */
export const issuer = head => head.approvals.authors.at(-1)?.subject;

export function reviewCard(alert) {
  const { head } = alert;
  const own = issuer(head) === duty.subject;
  const review = doing(async () => {
    const given = await ask({ title: "Nachträgliche Prüfung", words: [headline(head.content), `Begründung: „${head.approvals.breakGlass}“`], action: "Festhalten", fields: [
      { name: "justified", label: "War das gerechtfertigt?", kind: "select", options: [["yes", "ja"], ["no", "nein"]] }, { name: "note", label: "Bemerkung", kind: "text" }],
    act: ({ justified, note }) => decide(`${alert.id}/review`, { justified: justified === "yes", note }) });
    if (!given) return;
    say("Prüfung festgehalten.");
    await refresh();
  });
  return make("article", { id: `review-${alert.id}`, tabindex: "-1", class: `item ${head.content.severity}`, children: [
    badge("Prüfung steht aus", true), make("h3", { text: headline(head.content) }),
    make("p", { text: `Ohne zweite Person herausgegeben von ${issuer(head)}, ${at(head.sent)}: „${head.approvals.breakGlass ?? ""}“` }),
    own ? make("p", { class: "then", text: "Das waren Sie: eine andere Person muss prüfen." }) : make("p", { class: "then", text: "Die Warnung gilt weiter, bis sie endet; die Prüfung bleibt stehen, bis jemand sie festhält." }),
    make("div", { class: "actions", children: [own || !duty.isOfficer ? null : button("Prüfen", review), button("Zustellungen und Warum?", doing(() => showDetails(alert.id)))] }),
  ] });
}
