// Who has what of an alert, and why it is out: deliveries, and every step back to the readings.
import { decide, read } from "./city.js";
import { ask, say } from "./dialogs.js";
import { announced, datastream, datastreamNames, quantity } from "./readings.js";
import { told } from "./steps.js";
import { button, at, kinds, make } from "./words.js";

const channels = {
  app: "App", webhook: "Webhook", email: "E-Mail", "cap-feed": "CAP-Feed", displays: "Anzeigetafeln", topic: "Andere Systeme", "mowas-handover": "MoWaS-Übergabe",
  sirens: "Sirenen", "loudspeaker-vans": "Lautsprecherwagen",
};
const states = { waiting: "wartet auf die Nachricht davor", due: "steht an", attempting: "wird zugestellt", delivered: "zugestellt", "given-up": "aufgegeben" };
const sections = { deliveries: "Zustellung", alert: "Warnung", hint: "Hinweis", rule: "Regel" };
export const channelName = name => channels[name] ?? name;
/** Channels through which a person warns, and says so. */
export const byHand = ["mowas-handover", "sirens", "loudspeaker-vans"];
export const waitsForPerson = delivery => byHand.includes(delivery.channel) && ["due", "attempting"].includes(delivery.status);

function receipt(given) {
  if (!given) return "";
  const parts = [];
  if (given.accepted !== undefined && given.accepted !== null) parts.push(`${given.accepted} angenommen`);
  if (given.sent !== undefined && given.sent !== null) parts.push(`${given.sent} gesendet`);
  if (given.failed) parts.push(`${given.failed} misslungen`);
  if (given.reference) parts.push(given.reference);
  if (given.by) parts.push(`durch ${given.by.subject}`);
  return parts.join(", ");
}

/** Says that a person has done it: the siren went, the van drove, MoWaS has it under a number. */
export async function confirmDelivery(alert, delivery) {
  const needed = delivery.channel === "mowas-handover";
  const given = await ask({
    title: `${channelName(delivery.channel)}: erledigt`, action: "Bestätigen",
    words: needed ? ["Die Warnung ist in MoWaS eingegeben; die Nummer steht dort."] : ["Bestätigen Sie erst, wenn es geschehen ist."],
    fields: [{ name: "reference", label: needed ? "MoWaS-Nummer" : "Bemerkung (freiwillig)", kind: "line", required: needed, longest: 200 }],
    act: ({ reference }) => decide(`${alert}/deliveries/${delivery.channel}/confirm`, { message: delivery.message, ...(reference ? { reference } : {}) }),
  });
  if (given) say("Bestätigt.");
  return given !== null;
}

function deliveriesTable(alert, list, again) {
  if (list.length === 0) return make("p", { class: "quiet", text: "An keinen Kanal gegeben." });
  const head = ["Kanal", "Empfänger", "Nachricht", "Stand", "Versuche", "Antwort", ""];
  return make("div", { class: "scroll", children: [make("table", { children: [
    make("thead", { children: [make("tr", { children: head.map(text => make("th", { scope: "col", text })) })] }),
    make("tbody", { children: list.map(d => make("tr", { children: [
      ...[channelName(d.channel), d.name ?? "", kinds[d.kind] ?? "Alarmierung", `${waitsForPerson(d) ? "wartet auf eine Person" : states[d.status] ?? d.status}${d.next && d.status === "due" ? `, nächster Versuch ${at(d.next)}` : ""}${d.reason ? ` (${d.reason})` : ""}, ${at(d.changed)}`].map(text => make("td", { text })),
      make("td", { class: "number", text: String(d.attempts) }), make("td", { text: receipt(d.receipt) }),
      make("td", { children: [waitsForPerson(d) ? button("Bestätigen", async () => { if (await confirmDelivery(alert, d)) await again(); }) : null] }),
    ] })) }),
  ] })] });
}

function step(section, event) {
  const { title, words } = told(event);
  const { finding, destination } = event.data;
  if (finding) words.push(`„${finding.title}“`, ...(finding.forecast ? [announced(finding.forecast, datastream(finding.readings.at(-1)?.datastream).unit)] : []), ...finding.readings.slice(-5).map(r => { const { name, unit } = datastream(r.datastream); return `${name}: ${quantity(r.result, unit)} um ${at(r.time)}`; }));
  const channel = destination?.channel ?? (section === "deliveries" ? event.stream.replace(/^delivery-[0-9a-f-]{36}-/, "").replace(/-[0-9a-f]{8}-[0-9a-f-]{27}$/, "") : null);
  if (channel) words.push(channelName(channel));
  return make("li", { children: [
    make("strong", { text: `${sections[section]}: ${title}` }),
    make("p", { text: [at(event.time), ...words].join(" · ") }),
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
    if (body.hasChildNodes() && !deliveries.changed && !why.changed) return;
    await datastreamNames(why.value.hint.flatMap(event => (event.data.finding?.readings ?? []).map(r => r.datastream)));
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
