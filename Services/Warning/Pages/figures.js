// What was issued by month and kind, and the releases under which exercises reach people.
import { decide, read } from "./city.js";
import { ask, askReason, doing, say } from "./dialogs.js";
import { duty, refresh } from "./officer.js";
import { button, element, kinds, make, modes, severities, when } from "./words.js";
import { categories } from "./templates.js";

function table(caption, months, columns, count) {
  return make("div", { class: "scroll", children: [make("table", { children: [
    make("caption", { text: caption }),
    make("thead", { children: [make("tr", { children: ["Monat", ...columns.map(c => c[1]), "Summe"].map((text, i) => make("th", { scope: "col", text, class: i ? "number" : "" })) })] }),
    make("tbody", { children: months.map(month => {
      const numbers = columns.map(([key]) => count(month, key));
      return make("tr", { children: [make("th", { scope: "row", text: month }), ...[...numbers, numbers.reduce((a, b) => a + b, 0)].map(n => make("td", { class: "number", text: String(n) }))] });
    }) }),
  ] })] });
}

async function drawFigures() {
  const city = element("figures-city").value;
  const { figures } = (await read(`kpis${city ? `?city=${city}` : ""}`)).value;
  const months = [...new Set(figures.map(f => f.month))].sort().reverse();
  const sum = (month, test) => figures.filter(f => f.month === month && test(f)).reduce((all, f) => all + f.count, 0);
  const isFirst = f => f.kind === "alert";
  const present = [...new Set(figures.filter(isFirst).map(f => f.category))].sort();
  element("figures-tables").replaceChildren(...(months.length ? [
    table("Herausgegeben nach Art der Nachricht", months, Object.entries(kinds), (month, kind) => sum(month, f => f.kind === kind)),
    table("Warnungen nach Art der Gefahr", months, present.map(c => [c, categories[c] ?? c]), (month, c) => sum(month, f => isFirst(f) && f.category === c)),
    table("Warnungen nach Schwere", months, Object.entries(severities).map(([key, value]) => [key, value.de]), (month, s) => sum(month, f => isFirst(f) && f.severity === s)),
  ] : [make("p", { class: "quiet", text: "Noch wurde keine Warnung herausgegeben. Übungen und Probewarnungen zählen nicht." })]));
}

function release(item) {
  const states = { proposed: "beantragt", approved: "freigegeben", revoked: "widerrufen" };
  const past = Date.parse(item.until) < Date.now();
  const act = (path, body, done) => async () => { await decide(`releases/${item.id}/${path}`, body); say(done); await refresh(); };
  return make("article", { class: "item practice", children: [
    make("h3", { text: `${modes[item.mode]}, ${item.city}: ${item.reason}` }),
    make("p", { text: `${when(item.from)} bis ${when(item.until)}, ${past ? "vorbei" : states[item.status]}` }),
    past || item.status === "revoked" ? null : make("div", { class: "actions", children: [
      item.status === "proposed" ? button("Freigeben", doing(act("approve", undefined, "Freigegeben.")), "strong") : null,
      button("Widerrufen", doing(async () => {
        const given = await askReason("Freigabe widerrufen", "Widerrufen");
        if (given) await act("revoke", given, "Widerrufen.")();
      })),
    ] }),
  ] });
}

const local = date => new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

async function propose() {
  const now = new Date();
  const given = await ask({ title: "Freigabe beantragen", action: "Beantragen", fields: [
    { name: "mode", label: "Wofür", kind: "select", options: [["Exercise", modes.Exercise], ["Test", modes.Test]] },
    { name: "from", label: "Von", kind: "datetime-local", value: local(now) },
    { name: "until", label: "Bis", kind: "datetime-local", value: local(new Date(now.getTime() + 2 * 3_600_000)) },
    { name: "reason", label: "Anlass", kind: "line" },
  ] });
  if (!given) return;
  await decide("releases", { ...given, from: new Date(given.from).toISOString(), until: new Date(given.until).toISOString() });
  say("Beantragt: eine andere Person muss freigeben.");
  await refresh();
}

export async function startFigures() {
  const figures = doing(drawFigures);
  element("tab-figures").addEventListener("click", () => figures());
  element("figures-city").addEventListener("change", () => figures());
  element("release-new").addEventListener("click", doing(propose));
  return () => {
    element("releases").replaceChildren(...(duty.releases.length ? duty.releases.map(release) : [make("p", { class: "quiet", text: "Noch keine." })]));
    if (!element("figures").hidden) figures();
  };
}
