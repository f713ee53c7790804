// Who has what of an alert, and why it is out: deliveries, and every step back to the readings.
import { decide, read } from "./city.js";
import { ask, doing, say } from "./dialogs.js";
import { announced, button, exactly, kinds, make, text } from "./words.js";

const channels = {
  app: "App", webhook: "Webhook", email: "E-Mail", "cap-feed": "CAP-Feed", displays: "Anzeigetafeln", topic: "Andere Systeme", "mowas-handover": "MoWaS-Übergabe",
  sirens: "Sirenen", "loudspeaker-vans": "Lautsprecherwagen",
};
const states = { waiting: "wartet auf die Nachricht davor", due: "steht an", attempting: "wird zugestellt", delivered: "zugestellt", "given-up": "aufgegeben" };
const steps = {
  "alert-drafted": "Entworfen", "alert-edited": "Bearbeitet", "alert-submitted": "Zur Freigabe gegeben", "alert-returned": "Zurückgegeben", "alert-rejected": "Abgelehnt",
  "alert-approved": "Freigegeben", "alert-requested": "Leitstelle gefragt", "alert-request-escalated": "Anfrage weitergegeben", "alert-request-declined": "Anfrage abgelehnt",
  "alert-issued": "Herausgegeben", "alert-reviewed": "Geprüft", "alert-expired": "Abgelaufen", "hint-raised": "Hinweis entstanden", "hint-acknowledged": "Hinweis übernommen",
  "hint-confirmed": "Hinweis bestätigt", "hint-dismissed": "Hinweis verworfen", "hint-escalated": "Weiter alarmiert", "hint-cleared": "Hinweis erloschen",
  "delivery-handed": "An den Kanal gegeben", "delivery-attempted": "Zustellung begonnen", "delivery-delivered": "Zugestellt", "delivery-failed": "Zustellung misslungen",
  "delivery-given-up": "Zustellung aufgegeben",
};
const sections = { deliveries: "Zustellung", alert: "Warnung", hint: "Hinweis", rule: "Regel" };
export const channelName = name => channels[name] ?? name;
/** Channels through which a person warns, and says so. */
const byHand = ["mowas-handover", "sirens", "loudspeaker-vans"];

function receipt(given) {
  if (!given) return "";
  const parts = [];
  if (given.accepted !== undefined && given.accepted !== null) parts.push(`${given.accepted} angenommen`);
  if (given.sent !== undefined && given.sent !== null) parts.push(`${given.sent} gesendet`);
  if (given.failed) parts.push(`${given.failed} misslungen`);
  if (given.reference) parts.push(given.reference);
  return parts.join(", ");
}

function confirming(alert, delivery, again) {
  if (!byHand.includes(delivery.channel) || !["due", "attempting"].includes(delivery.status)) return null;
  return button("Bestätigen", doing(async () => {
    const needed = delivery.channel === "mowas-handover";
    const given = await ask({
      title: `${channelName(delivery.channel)}: erledigt`, action: "Bestätigen",
      fields: [{ name: "reference", label: needed ? "MoWaS-Nummer" : "Bemerkung (freiwillig)", kind: "line", required: needed }],
    });
    if (!given) return;
    await decide(`${alert}/deliveries/${delivery.channel}/confirm`, { message: delivery.message, ...(given.reference ? { reference: given.reference } : {}) });
    say("Bestätigt.");
    await again();
  }));
}

function deliveriesTable(alert, list, again) {
  if (list.length === 0) return make("p", { class: "quiet", text: "An keinen Kanal gegeben." });
  const head = ["Kanal", "Empfänger", "Nachricht", "Stand", "Versuche", "Antwort", ""];
  return make("div", { class: "scroll", children: [make("table", { children: [
    make("thead", { children: [make("tr", { children: head.map(text => make("th", { scope: "col", text })) })] }),
    make("tbody", { children: list.map(d => make("tr", { children: [
      ...[channelName(d.channel), d.name ?? "", kinds[d.kind] ?? "Alarmierung", `${states[d.status] ?? d.status}${d.next && d.status === "due" ? `, nächster Versuch ${exactly(d.next)}` : ""}${d.reason ? ` (${d.reason})` : ""}, ${exactly(d.changed)}`].map(text => make("td", { text })),
      make("td", { class: "number", text: String(d.attempts) }), make("td", { text: receipt(d.receipt) }),
      make("td", { children: [confirming(alert, d, again)] }),
    ] })) }),
  ] })] });
}

function step(section, event) {
  const name = event.type.replace(/^de\.dos2030\.warnings\./, "").replace(/\.v\d+$/, "");
  const data = event.data;
  const words = [];
  if (data.by?.subject) words.push(`durch ${data.by.subject}`);
  if (data.reason) words.push(`„${data.reason}“`);
  if (name === "alert-issued") words.push(`„${text(data.content.texts, "de")?.headline ?? ""}“`, data.approvals.breakGlass ? `ohne zweite Person: „${data.approvals.breakGlass}“` : `freigegeben durch ${data.approvals.approvedBy?.subject ?? "?"}`);
  if (name === "hint-raised") words.push(`„${data.finding.title}“`, ...(data.finding.forecast ? [announced(data.finding.forecast)] : []), ...data.finding.readings.slice(-5).map(r => `Datenstrom ${r.datastream}: ${r.result} um ${exactly(r.time)}`));
  if (data.destination?.channel) words.push(channelName(data.destination.channel));
  const channel = section === "deliveries" ? event.stream.replace(/^delivery-[0-9a-f-]{36}-/, "").replace(/-[0-9a-f]{8}-[0-9a-f-]{27}$/, "") : null;
  if (channel && !data.destination) words.push(channelName(channel));
  return make("li", { children: [
    make("strong", { text: `${sections[section]}: ${steps[name] ?? name}` }),
    make("p", { text: [exactly(event.time), ...words].join(" · ") }),
    make("p", { class: "quiet", text: event.cause ? `Ereignis ${event.id}, Ursache ${event.cause}` : `Ereignis ${event.id}` }),
  ] });
}

/** Opens what is known of an alert beyond what it says. */
export async function showDetails(alert) {
  const close = button("Schließen", () => dialog.close());
  const body = make("div");
  const dialog = make("dialog", { class: "wide", "aria-label": "Zustellungen und Begründung", children: [close, body] });
  const fill = async () => {
    const [deliveries, why] = await Promise.all([read(`${alert}/deliveries`), read(`${alert}/why`)]);
    body.replaceChildren(
      make("h2", { text: "Zustellungen" }), deliveriesTable(alert, deliveries.value.deliveries, fill),
      make("h2", { text: "Warum?" }), make("p", { class: "quiet", text: "Vom letzten Schritt zurück bis zu den Messwerten." }),
      make("ol", { class: "why", children: Object.keys(sections).flatMap(section => why.value[section].map(event => step(section, event))) }));
  };
  await fill();
  // Deliveries go on while somebody looks.
  const looking = setInterval(() => fill().catch(() => {}), 5_000);
  dialog.addEventListener("close", () => { clearInterval(looking); dialog.remove(); });
  document.body.append(dialog);
  dialog.showModal();
}
