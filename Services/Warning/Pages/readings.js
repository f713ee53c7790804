// Readings as a person sees them: which sensor, when, how much; as a line and as a table, with a forecast and its band where there is one.
import { neighbour } from "./city.js";
import { at, make, svg } from "./words.js";

/** Datastreams by id: `{name, unit}`; those that cannot be asked for have their number alone. */
const known = new Map();

export const datastream = id => known.get(Number(id)) ?? { name: `Datenstrom ${id}`, unit: "" };
export const quantity = (value, unit) => `${value.toLocaleString("de-DE", { maximumFractionDigits: 3 })}${unit ? ` ${unit}` : ""}`;

export function keep(found) {
  for (const d of found) known.set(d["@iot.id"], { name: d.name, unit: d.unitOfMeasurement?.symbol ?? "" });
}

/** Asks the sensors' service what these are called, once for each. */
export async function datastreamNames(ids) {
  const asked = [...new Set(ids.map(Number))].filter(id => !known.has(id)).slice(0, 50);
  if (!asked.length) return;
  const filter = asked.map(id => `id eq ${id}`).join(" or ");
  try {
    keep((await neighbour(`sensors/v1.1/Datastreams?$select=id,name,unitOfMeasurement&$filter=${encodeURIComponent(filter)}`)).value);
  } catch {
    // Who may not see them, or whose sensors are elsewhere, works by their numbers.
  }
  for (const id of asked) if (!known.has(id)) known.set(id, datastream(id));
}

/** The last readings of datastreams, by id, with when they were asked for. */
const recent = new Map();
const fresh = 15_000, shown = 120, hours = 6;

/** Looks up how it goes on since. Answers whether anything came. */
export async function recentReadings(ids) {
  const asked = [...new Set(ids.map(Number))].filter(id => Date.now() - (recent.get(id)?.at ?? 0) > fresh).slice(0, 20);
  const since = new Date(Date.now() - hours * 3_600_000).toISOString();
  const query = `$select=phenomenonTime,result&$orderby=phenomenonTime desc&$top=${shown}&$filter=phenomenonTime ge ${since}`;
  const answers = await Promise.all(asked.map(id => neighbour(`sensors/v1.1/Datastreams(${id})/Observations?${encodeURI(query)}`).then(a => a.value, () => [])));
  let changed = false;
  for (const [index, id] of asked.entries()) {
    const readings = answers[index].filter(o => typeof o.result === "number").map(o => ({ datastream: id, time: o.phenomenonTime.split("/")[0], result: o.result }));
    changed ||= readings[0]?.time !== recent.get(id)?.readings[0]?.time;
    recent.set(id, { at: Date.now(), readings });
  }
  return changed;
}

const width = 480, height = 96, edge = 6;

/** Lines over time, each datastream its own, with dots where `led` holds; `band` is what is forecast. Whoever does not see it has the table. */
function chart(lines, led, unit, band) {
  const times = [...lines.flat().map(r => Date.parse(r.time)), ...(band ? [Date.parse(band.time)] : [])];
  const values = [...lines.flat().map(r => r.result), ...(band ? [band.low, band.high] : [])];
  const [t0, t1, v0, v1] = [Math.min(...times), Math.max(...times), Math.min(...values), Math.max(...values)];
  const x = time => edge + ((Date.parse(time) - t0) / (t1 - t0 || 1)) * (width - 2 * edge);
  const y = value => height - edge - ((value - v0) / (v1 - v0 || 1)) * (height - 2 * edge);
  const range = `${at(new Date(t0).toISOString())} bis ${at(new Date(t1).toISOString())}, ${quantity(v0, "")} bis ${quantity(v1, unit)}`;
  return make("figure", { children: [svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "readings", "aria-hidden": "true" }, [
    ...lines.map((line, index) => svg("polyline", { points: line.map(r => `${x(r.time)},${y(r.result)}`).join(" "), class: `line line-${index % 4}` })),
    ...lines.flatMap((line, index) => line.filter(led).map(r => svg("circle", { cx: x(r.time), cy: y(r.result), r: 2.5, class: `dot line-${index % 4}` }))),
    ...(band ? [svg("line", { x1: x(band.time), x2: x(band.time), y1: y(band.low), y2: y(band.high), class: "band" }), svg("circle", { cx: x(band.time), cy: y(band.level), r: 4, class: "band" })] : []),
  ]), make("figcaption", { class: "quiet", text: range })] });
}

/** What is forecast of a level, and how far it may be off. */
export const announced = ({ level, time, low, high }, unit) => `Vorhersage: ${quantity(level, unit)} um ${at(time)}; neun von zehn Mal zwischen ${quantity(low, unit)} und ${quantity(high, unit)}`;

/** What led to something. `forecast` is `{time, level, low, high}`: nine of ten outcomes lie between `low` and `high`. */
export function drawReadings(readings, forecast) {
  if (!readings.length) return make("p", { class: "quiet", text: "Ohne Messwerte: der Sensor schweigt." });
  const sorted = [...readings].sort((a, b) => a.time.localeCompare(b.time));
  const led = new Set(sorted.map(r => `${r.datastream} ${Date.parse(r.time)}`));
  const lines = [...new Set(sorted.map(r => r.datastream))].map(id => {
    const now = (recent.get(id)?.readings ?? []).filter(r => !led.has(`${id} ${Date.parse(r.time)}`));
    return [...sorted.filter(r => r.datastream === id), ...now].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
  });
  const last = lines.map(line => { const { name, unit } = datastream(line[0].datastream); return `${name}: ${quantity(line.at(-1).result, unit)} um ${at(line.at(-1).time)}`; });
  const { unit } = datastream(lines.at(-1)[0].datastream);
  return make("div", { class: "evidence", children: [
    make("p", { text: `Zuletzt: ${last.join("; ")}` }),
    forecast ? make("p", { class: "then", text: announced(forecast, unit) }) : null,
    lines.some(line => line.length > 1) || forecast ? chart(lines, r => led.has(`${r.datastream} ${Date.parse(r.time)}`), unit, forecast) : null,
    make("details", { children: [make("summary", { text: sorted.length === 1 ? "Der Messwert, der dazu führte" : `${sorted.length} Messwerte, die dazu führten` }), make("div", { class: "scroll", children: [make("table", { children: [
      make("thead", { children: [make("tr", { children: ["Zeit", "Datenstrom", "Wert"].map((text, i) => make("th", { scope: "col", text, class: i === 2 ? "number" : "" })) })] }),
      make("tbody", { children: [...sorted].reverse().map(r => make("tr", { children: [
        make("td", { text: at(r.time) }), make("td", { text: datastream(r.datastream).name }), make("td", { class: "number", text: quantity(r.result, datastream(r.datastream).unit) })] })) }),
    ] })] })] }),
  ] });
}
