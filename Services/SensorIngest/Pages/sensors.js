// The page of the sensors: a map and a list of the same datastreams, a chart of the chosen one, live through server-sent events.
const api = "v1.1";
const day = 24 * 3600 * 1000;
const element = id => document.getElementById(id);
const numbers = new Intl.NumberFormat("de-DE", { maximumFractionDigits: 2 });
const times = new Intl.DateTimeFormat("de-DE", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" });
const moments = new Intl.DateTimeFormat("de-DE", { timeZone: "Europe/Berlin", dateStyle: "short", timeStyle: "medium" });

/** What the page knows of each datastream, by its id. */
const streams = new Map();
const markers = new Map();
let map, chart, chosen = null, reload = null;

async function get(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? problem.title ?? `Antwort ${response.status}`);
  }
  return response.json();
}

/** All pages of a collection: follows `@iot.nextLink` to the end. */
async function all(path) {
  const found = [];
  for (let next = path; next;) {
    const page = await get(next);
    found.push(...page.value);
    next = page["@iot.nextLink"] ? new URL(page["@iot.nextLink"]).pathname + new URL(page["@iot.nextLink"]).search : null;
  }
  return found;
}

function value(stream) {
  if (!stream.latest) return "–";
  const { result } = stream.latest;
  if (typeof result === "boolean") return result ? "ja" : "nein";
  const text = typeof result === "number" ? numbers.format(result) : String(result);
  return stream.unit ? `${text} ${stream.unit}` : text;
}

function age(stream) {
  if (!stream.latest) return "kein Wert";
  const seconds = Math.max(0, Math.round((Date.now() - stream.latest.time) / 1000));
  if (seconds < 60) return "jetzt";
  if (seconds < 3600) return `vor ${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `vor ${Math.floor(seconds / 3600)} h`;
  return `vor ${Math.floor(seconds / 86400)} Tagen`;
}

/** A datastream is silent when it should have reported twice since its last value; one that reports on change alone never is. */
function silent(stream) {
  const expected = stream.reporting?.interval ?? stream.reporting?.heartbeat;
  if (!expected || !stream.latest) return false;
  return Date.now() - stream.latest.time > 2 * expected * 1000;
}

async function load() {
  const things = await all(`${api}/Things?$expand=Locations,Datastreams&$top=1000`);
  const latest = await all(`${api}/Datastreams?$expand=Observations($orderby=phenomenonTime desc;$top=1),ObservedProperty&$top=1000`);
  const details = new Map(latest.map(stream => [String(stream["@iot.id"]), stream]));
  streams.clear();
  for (const thing of things) {
    const place = thing.Locations?.[0]?.location;
    const point = place?.type === "Feature" ? place.geometry : place;
    for (const { "@iot.id": id } of thing.Datastreams ?? []) {
      const stream = details.get(String(id));
      if (!stream) continue;
      const [observation] = stream.Observations ?? [];
      streams.set(String(id), {
        id: String(id),
        thing: thing.name,
        thingID: thing["@iot.id"],
        name: stream.name,
        property: stream.ObservedProperty?.name ?? stream.name,
        unit: stream.unitOfMeasurement?.symbol ?? "",
        city: (stream.properties?.["dos:city"] ?? thing.properties?.["dos:city"] ?? "").toLowerCase(),
        reporting: stream.properties?.["dos:reporting"],
        at: point?.type === "Point" ? [point.coordinates[1], point.coordinates[0]] : null,
        latest: observation ? { time: Date.parse(observation.phenomenonTime.split("/")[0]), result: observation.result } : null,
      });
    }
  }
  drawRows();
  drawMarkers();
}

function shown() {
  const text = element("search").value.trim().toLocaleLowerCase("de");
  const city = element("city").value;
  return [...streams.values()]
    .filter(s => (!city || s.city === city) && (!text || `${s.thing} ${s.property} ${s.name}`.toLocaleLowerCase("de").includes(text)))
    .sort((a, b) => a.thing.localeCompare(b.thing, "de") || a.property.localeCompare(b.property, "de"));
}

function cell(row, text, name) {
  const td = row.insertCell();
  td.textContent = text;
  if (name) td.className = name;
  return td;
}

function drawRows() {
  const rows = element("rows");
  const visible = shown();
  const focused = rows.contains(document.activeElement) ? document.activeElement.closest("tr").id : null;
  rows.replaceChildren();
  for (const stream of visible) {
    const row = rows.insertRow();
    row.id = `stream-${stream.id}`;
    row.classList.toggle("chosen", stream.id === chosen);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = stream.thing;
    button.setAttribute("aria-label", `${stream.thing}, ${stream.property}: Verlauf zeigen`);
    button.addEventListener("click", () => choose(stream.id, true));
    row.insertCell().append(button);
    cell(row, stream.property);
    cell(row, value(stream), "number");
    cell(row, age(stream), silent(stream) ? "silent" : "");
  }
  // Who stands in the list with the keyboard stays there when it is drawn anew.
  if (focused) element(focused)?.querySelector("button").focus();
  element("count").textContent = `(${visible.length} von ${streams.size} Datenströmen)`;
}

function updateRow(stream, fresh) {
  const row = element(`stream-${stream.id}`);
  if (!row) return;
  row.cells[2].textContent = value(stream);
  row.cells[3].textContent = age(stream) + (silent(stream) ? ", stumm" : "");
  row.cells[3].className = silent(stream) ? "silent" : "";
  if (fresh) {
    row.classList.remove("fresh");
    requestAnimationFrame(() => row.classList.add("fresh"));
  }
}

function drawMarkers() {
  const visible = new Map();
  for (const stream of shown().filter(s => s.at)) {
    const group = visible.get(stream.thingID) ?? [];
    group.push(stream);
    visible.set(stream.thingID, group);
  }
  for (const [id, marker] of markers) if (!visible.has(id)) { marker.remove(); markers.delete(id); }
  for (const [id, group] of visible) {
    const quiet = group.some(silent) ? " silent" : "";
    const icon = L.divIcon({ className: `marker ${group[0].city}${quiet}`, iconSize: [16, 16] });
    const known = markers.get(id);
    if (known) {
      known.setIcon(icon);
      known.setLatLng(group[0].at);
    } else {
      const marker = L.marker(group[0].at, { icon, keyboard: true, title: group[0].thing, alt: group[0].thing }).addTo(map);
      marker.bindPopup(() => popup(id));
      markers.set(id, marker);
    }
  }
}

function popup(thingID) {
  const box = document.createElement("div");
  const group = [...streams.values()].filter(s => s.thingID === thingID);
  const title = document.createElement("strong");
  title.textContent = group[0]?.thing ?? "";
  box.append(title);
  for (const stream of group) {
    const line = document.createElement("p");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Verlauf";
    button.addEventListener("click", () => choose(stream.id, true));
    line.append(`${stream.property}: ${value(stream)} (${age(stream)}) `, button);
    box.append(line);
  }
  return box;
}

async function choose(id, focus) {
  chosen = id;
  const stream = streams.get(id);
  for (const row of element("rows").rows) row.classList.toggle("chosen", row.id === `stream-${id}`);
  element("detail").hidden = false;
  element("detail-title").textContent = `${stream.thing}: ${stream.property}`;
  element("detail-text").textContent = "Der Verlauf wird geladen …";
  if (focus) element("detail-title").focus();
  const since = new Date(Date.now() - day).toISOString();
  try {
    const path = `${api}/Datastreams(${encodeURIComponent(id)})/Observations`;
    const query = `$filter=phenomenonTime ge ${since}&$orderby=phenomenonTime asc&$top=10000&$select=phenomenonTime,result`;
    const found = await get(`${path}?${query}`);
    if (chosen !== id) return;
    const points = found.value
      .filter(o => typeof o.result === "number")
      .map(o => ({ x: Date.parse(o.phenomenonTime.split("/")[0]), y: o.result }));
    drawChart(stream, points);
    // The live stream may be ahead of what is stored.
    if (stream.latest && stream.latest.time > Date.now() - day) addToChart(stream, stream.latest.time, stream.latest.result);
  } catch (error) {
    element("detail-text").textContent = `Der Verlauf kann nicht geladen werden: ${error.message}`;
  }
}

function summary(stream, points) {
  if (points.length === 0) return `In den letzten 24 Stunden kam kein Messwert. Letzter Wert: ${value(stream)}${stream.latest ? `, ${moments.format(stream.latest.time)}` : ""}.`;
  const results = points.map(p => p.y);
  const [least, most] = [Math.min(...results), Math.max(...results)];
  const unit = stream.unit ? ` ${stream.unit}` : "";
  return `Letzte 24 Stunden: ${points.length} Messwerte von ${numbers.format(least)} bis ${numbers.format(most)}${unit}, zuletzt ${value(stream)} um ${times.format(points.at(-1).x)} Uhr.`;
}

/** The chart in words, for who cannot see it, and as a table. */
function describe(stream, points) {
  const text = summary(stream, points);
  element("detail-text").textContent = text;
  element("chart").setAttribute("aria-label", `Verlauf ${stream.thing}, ${stream.property}. ${text}`);
  drawValues(stream, points);
}

function drawChart(stream, points) {
  describe(stream, points);
  const now = Date.now();
  const css = getComputedStyle(document.body);
  const colour = css.color;
  chart?.destroy();
  // Chart.js of the distribution has no date adapter: a linear axis with labels of our own.
  chart = new Chart(element("chart"), {
    type: "line",
    data: { datasets: [{ label: stream.property, data: points, borderColor: "#2f86d6", borderWidth: 2, pointRadius: points.length > 200 ? 0 : 2, stepped: stream.reporting?.kind !== "periodic" ? "before" : false }] },
    options: {
      animation: false,
      maintainAspectRatio: false,
      color: colour,
      plugins: { legend: { display: false }, tooltip: { callbacks: { title: items => moments.format(items[0].parsed.x) } } },
      scales: {
        x: { type: "linear", min: now - day, max: now, ticks: { color: colour, stepSize: 3 * 3600 * 1000, callback: x => times.format(x) } },
        y: { ticks: { color: colour, callback: y => numbers.format(y) }, title: { display: Boolean(stream.unit), text: stream.unit, color: colour } },
      },
    },
  });
}

function drawValues(stream, points) {
  const rows = element("values");
  rows.replaceChildren();
  for (const point of points.slice(-500).reverse()) {
    const row = rows.insertRow();
    cell(row, moments.format(point.x));
    cell(row, numbers.format(point.y), "number");
  }
}

function addToChart(stream, time, result) {
  if (chosen !== stream.id || !chart || typeof result !== "number") return;
  const points = chart.data.datasets[0].data;
  const same = points.find(p => p.x === time);
  if (same) same.y = result; else points.push({ x: time, y: result });
  points.sort((a, b) => a.x - b.x);
  while (points.length && points[0].x < Date.now() - day) points.shift();
  chart.options.scales.x.min = Date.now() - day;
  chart.options.scales.x.max = Date.now();
  chart.update("none");
  describe(stream, points);
}

function status(text, lost) {
  const line = element("connection");
  line.classList.toggle("lost", lost);
  if (line.textContent !== text) line.textContent = text;
}

function follow() {
  const source = new EventSource("live");
  source.onopen = () => status("Live: neue Messwerte erscheinen sofort.", false);
  source.onerror = () => status("Verbindung unterbrochen; sie wird neu aufgebaut.", true);
  source.addEventListener("reset", () => load());
  source.addEventListener("observations", event => {
    const { datastream, observations } = JSON.parse(event.data);
    const stream = streams.get(String(datastream));
    if (!stream) {
      // A datastream that was opened since: one load for however many appear at once.
      reload ??= setTimeout(() => { reload = null; load(); }, 1000);
      return;
    }
    for (const observation of observations) {
      const time = Date.parse(observation.phenomenonTime.split("/")[0]);
      if (!stream.latest || time >= stream.latest.time) stream.latest = { time, result: observation.result };
      addToChart(stream, time, observation.result);
    }
    updateRow(stream, true);
  });
}

async function start() {
  map = L.map("map", { attributionControl: true }).setView([51.5, 7.5], 11);
  map.attributionControl.setPrefix(false);
  try {
    const settings = await get("page.json");
    if (settings.tiles) L.tileLayer(settings.tiles, { maxZoom: 19, attribution: settings.attribution ?? "" }).addTo(map);
    const outline = L.geoJSON(await get("outline.json"), { style: { color: "#6b7c8f", weight: 2, fillOpacity: .06 }, interactive: false }).addTo(map);
    map.fitBounds(outline.getBounds(), { animate: false });
    await load();
    status("Geladen; die Live-Verbindung wird aufgebaut.", false);
  } catch (error) {
    status(`Die Messstellen können nicht geladen werden: ${error.message} In 5 Sekunden wird es erneut versucht.`, true);
    setTimeout(() => location.reload(), 5000);
    return;
  }
  follow();
  for (const id of ["search", "city"]) element(id).addEventListener("input", () => { drawRows(); drawMarkers(); });
  element("close").addEventListener("click", () => { chosen = null; element("detail").hidden = true; drawRows(); element("things").focus(); });
  setInterval(() => { for (const stream of streams.values()) updateRow(stream, false); drawMarkers(); }, 15000);
}

start();
