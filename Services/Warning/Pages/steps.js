// Every step of a warning's history in words: for the way back to the readings, and for who was overtaken by another.
import { at, text } from "./words.js";

const steps = {
  "alert-drafted": "Entworfen", "alert-edited": "Bearbeitet", "alert-submitted": "Zur Freigabe gegeben", "alert-returned": "Zurückgegeben", "alert-rejected": "Abgelehnt",
  "alert-approved": "Freigegeben", "alert-requested": "Leitstelle gefragt", "alert-request-escalated": "Leitstelle noch einmal gefragt", "alert-request-declined": "Von der Leitstelle abgelehnt",
  "alert-issued": "Herausgegeben", "alert-reviewed": "Geprüft", "alert-expired": "Abgelaufen", "hint-raised": "Hinweis entstanden", "hint-acknowledged": "Hinweis übernommen",
  "hint-confirmed": "Hinweis bestätigt", "hint-dismissed": "Hinweis verworfen", "hint-escalated": "Weiter alarmiert", "hint-cleared": "Hinweis erloschen",
  "delivery-handed": "An den Kanal gegeben", "delivery-attempted": "Zustellung begonnen", "delivery-delivered": "Zugestellt", "delivery-failed": "Zustellung misslungen",
  "delivery-given-up": "Zustellung aufgegeben", "rule-drafted": "Regel angelegt", "rule-changed": "Regel geändert", "rule-activated": "Regel in Dienst gestellt", "rule-paused": "Regel angehalten",
  "rule-retired": "Regel außer Dienst",
};

const nameOf = event => event.type.replace(/^de\.dos2030\.warnings\./, "").replace(/\.v\d+$/, "");

/** What a step is called, and what is to be said of it: who, why, and how far. */
export function told(event) {
  const name = nameOf(event);
  const data = event.data;
  const words = [];
  if (data.by?.subject) words.push(`durch ${data.by.subject}`);
  if (data.reason) words.push(`„${data.reason}“`);
  if (data.note) words.push(`${data.justified ? "gerechtfertigt" : "nicht gerechtfertigt"}: „${data.note}“`);
  if (name === "alert-edited") words.push(`Revision ${data.revision}`);
  if (name === "alert-requested") words.push(data.authority.name);
  if (name === "alert-issued") {
    const { breakGlass, approvedBy, authors } = data.approvals;
    words.push(`„${text(data.content.texts, "de")?.headline ?? ""}“`);
    words.push(breakGlass ? `ohne zweite Person durch ${authors.at(-1)?.subject}: „${breakGlass}“` : `freigegeben durch ${approvedBy?.subject ?? "?"}`);
  }
  return { title: steps[name] ?? `(englisch) ${name}`, words };
}

/** The last step of a chain in one sentence, for somebody who came a moment later. */
export function latest(events) {
  if (!events?.length) return null;
  const { title, words } = told(events[0]);
  return `Inzwischen: ${title} ${words.join(", ")}, ${at(events[0].time)}.`;
}
