// What was issued by month and kind, and the releases under which exercises reach people.
import { decide, read } from "./city.js";
import { ask, askReason, doing, say } from "./dialogs.js";
import { duty, refresh } from "./officer.js";
import { categories } from "./content.js";
import { button, element, kinds, local, make, modes, none, redraw, severities, when } from "./words.js";

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

function releaseCard(item) {
  const states = { proposed: "beantragt: eine andere Person muss freigeben", approved: "freigegeben", revoked: "widerrufen" };
  const past = Date.parse(item.until) < Date.now();
  const used = [...duty.full.values()].filter(a => a.head?.approvals.release?.toLowerCase() === item.id.toLowerCase());
  const approve = doing(async () => {
    await decide(`releases/${item.id}/approve`);
    say("Freigegeben.");
    await refresh();
  });
  const revoke = doing(async () => {
    const given = await askReason("Freigabe widerrufen", "Widerrufen", given => decide(`releases/${item.id}/revoke`, given), ["Was noch nicht zugestellt ist, wird nicht mehr zugestellt."]);
    if (!given) return;
    say("Widerrufen.");
    await refresh();
  });
  return make("article", { id: `release-${item.id}`, tabindex: "-1", class: "item practice", children: [
    make("h3", { text: `${modes[item.mode]}, ${item.city}: ${item.reason}` }),
    make("p", { text: `${when(item.from)} bis ${when(item.until)}, ${past ? "vorbei" : states[item.status]}` }),
    ...used.map(a => make("p", { class: "then", text: `Darunter herausgegeben: „${a.head.content.texts[0]?.headline ?? ""}“` })),
    past || item.status === "revoked" ? null : make("div", { class: "actions", children: [item.status === "proposed" ? button("Freigeben", approve, "strong") : null, button("Widerrufen", revoke)] }),
  ] });
}

async function propose() {
  const now = new Date();
  const given = await ask({
    title: "Freigabe beantragen", action: "Beantragen", fields: [
      { name: "mode", label: "Wofür", kind: "select", options: [["Exercise", modes.Exercise], ["Test", modes.Test]] },
      { name: "from", label: "Von", kind: "datetime-local", value: local(now) },
      { name: "until", label: "Bis", kind: "datetime-local", value: local(now.getTime() + 2 * 3_600_000) },
      { name: "reason", label: "Anlass", kind: "line" },
    ], act: ({ from, until, ...rest }) => decide("releases", { ...rest, from: new Date(from).toISOString(), until: new Date(until).toISOString() }),
  });
  if (!given) return;
  say("Beantragt: eine andere Person muss freigeben.");
  await refresh();
}

export async function startFigures() {
  const figures = doing(drawFigures);
  element("tab-figures").addEventListener("click", () => figures());
  element("figures-city").addEventListener("change", () => figures());
  element("release-new").addEventListener("click", doing(propose));
  return () => {
    redraw(element("releases"), duty.releases.length ? duty.releases.map(releaseCard) : [none("Noch keine.")]);
    if (!element("figures").hidden) figures();
  };
}
