// What a rule would have done on the last days' readings: on a time line, as a list, and how good it was.
import { decide } from "./city.js";
import { hours } from "./conditions.js";
import { datastreamField } from "./datastreams.js";
import { slot } from "./formproblems.js";
import { datastreamNames, drawReadings } from "./readings.js";
import { exactly, make, svg } from "./words.js";

/** The fields: how many days, and what it is measured by. `body(rule)` is what the city is asked. */
export function trialFields() {
  const days = make("input", { name: "days", type: "number", min: "1", max: "366", step: "1", value: "30" });
  const truth = make("select", { name: "truth", children: [["", "nichts: nur zeigen, wann sie ausgelöst hätte"], ["mark", "einer Marke an einem Pegel"], ["times", "Zeiten von Ereignissen"]].map(([value, text]) => make("option", { value, text })) });
  const gauge = datastreamField("Pegel", null, "truth.datastream");
  const mark = make("input", { type: "number", step: "any" });
  const times = make("textarea", { rows: "3", placeholder: "2026-07-14 18:30" });
  const announces = make("input", { type: "number", min: "0", step: "any", value: "6" });
  const byMark = make("div", { class: "columns", hidden: true, children: [gauge.field, make("label", { children: [make("span", { text: "Ereignis ab" }), mark, slot("truth.raiseAt")] })] });
  const byTimes = make("label", { hidden: true, children: [make("span", { text: "Beginn je Zeile: Jahr-Monat-Tag Stunde:Minute" }), times, slot("events")] });
  const ahead = make("label", { hidden: true, children: [make("span", { text: "Ankündigung zählt bis so viele Stunden vorher" }), announces, slot("announces")] });
  truth.addEventListener("change", () => {
    byMark.hidden = truth.value !== "mark";
    byTimes.hidden = truth.value !== "times";
    ahead.hidden = truth.value === "";
  });
  const measure = () => {
    if (truth.value === "mark") return { truth: { kind: "threshold", datastream: gauge.id() ?? undefined, direction: "above", raiseAt: Number(mark.value), clearAt: Number(mark.value), for: 0 } };
    if (truth.value !== "times") return {};
    const events = times.value.split("\n").filter(line => line.trim()).map(line => {
      const time = new Date(line.trim().replace(" ", "T"));
      if (Number.isNaN(time.getTime())) throw Object.assign(new Error(`„${line.trim()}“ ist kein Zeitpunkt.`), { errors: [{ path: "events", problem: `is "${line.trim()}"`, expected: "a value" }] });
      return time.toISOString();
    });
    return { events };
  };
  return {
    field: make("fieldset", { children: [make("legend", { text: "Erproben" }), make("div", { class: "columns", children: [
      make("label", { children: [make("span", { text: "Auf den Messwerten der letzten Tage" }), days, slot("days")] }), make("label", { children: [make("span", { text: "Gemessen an" }), truth, slot("truth")] })] }), byMark, byTimes, ahead] }),
    body: rule => ({ rule, days: Number(days.value), ...measure(), ...(truth.value ? { announces: Math.round(Number(announces.value) * 3600) } : {}) }),
  };
}

const width = 900, height = 60, left = 6;
const day = new Intl.DateTimeFormat("de-DE", { timeZone: "Europe/Berlin", day: "2-digit", month: "2-digit" });

/** Firings as bars over time. Whoever does not see it has the list below. */
function timeLine({ from, until, firings }) {
  const [t0, t1] = [Date.parse(from), Date.parse(until)];
  const x = time => left + ((Date.parse(time) - t0) / (t1 - t0)) * (width - 2 * left);
  const marks = [0, .25, .5, .75, 1].map(share => new Date(t0 + share * (t1 - t0)).toISOString());
  const anchor = index => (index === 0 ? "start" : index === 4 ? "end" : "middle");
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "timeline", "aria-hidden": "true" }, [
    svg("line", { x1: left, x2: width - left, y1: 34, y2: 34, class: "axis" }),
    ...marks.flatMap((time, index) => {
      const text = svg("text", { x: x(time), y: 54, "text-anchor": anchor(index) });
      text.textContent = day.format(new Date(time));
      return [svg("line", { x1: x(time), x2: x(time), y1: 30, y2: 38, class: "axis" }), text];
    }),
    ...firings.map(f => svg("rect", { x: x(f.raised), y: 10, width: Math.max(3, x(f.cleared ?? until) - x(f.raised)), height: 22, class: "firing" })),
  ]);
}

function verdictOf({ hits, misses, falseAlarms, shortestLead, medianLead }) {
  const numbers = [["Treffer", hits], ["Verpasst", misses], ["Fehlalarme", falseAlarms], ["Vorlauf, Mitte", medianLead === undefined || medianLead === null ? "–" : hours(medianLead)], ["Vorlauf, kürzester", shortestLead === undefined || shortestLead === null ? "–" : hours(shortestLead)]];
  return make("dl", { class: "verdict", children: numbers.flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: String(value) })]) });
}

function firingLine(firing, until) {
  const lasted = (Date.parse(firing.cleared ?? until) - Date.parse(firing.raised)) / 1000;
  return make("details", { children: [make("summary", { text: `${exactly(firing.raised)}${firing.cleared ? `, ${hours(lasted)} lang` : ", steht noch"}` }), drawReadings(firing.readings, firing.forecast)] });
}

/** Asks the city what the rule would have done, and draws it. Answers what was asked and found. */
export async function tryOut(body, place) {
  place.replaceChildren(make("p", { role: "status", text: "Wird erprobt …" }));
  try {
    const found = await decide("rules:simulate", body, { within: 60_000 });
    await datastreamNames(found.firings.flatMap(f => f.readings.map(r => r.datastream)));
    const count = found.firings.length;
    const said = count === 0 ? "Sie hätte nie ausgelöst." : `Sie hätte ${count === 1 ? "einmal" : `${count} Mal`} ausgelöst.`;
    place.replaceChildren(make("p", { class: "then", role: "status", text: `${said} ${found.readings.toLocaleString("de-DE")} Messwerte in ${body.days} Tagen.` }),
      ...(found.verdict ? [verdictOf(found.verdict)] : []), timeLine(found), ...found.firings.slice(-50).reverse().map(f => firingLine(f, found.until)));
    return found;
  } catch (error) {
    place.replaceChildren();
    throw error;
  }
}
