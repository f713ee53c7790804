// The page for everybody: what holds now, live, compared with a place that stays on the device, and a notice to hang up.
import { button, clockTime, drawMap, element, exactly, isOver, kinds, make, redraw, severities, text, when } from "./words.js";
import { drawForeign, foreignCards } from "./foreign.js";
import { contains, overlap } from "./shapes.js";

/** What holds, or has ended lately, by its chain. */
const alerts = new Map();
/** Messages whose time is over: the list may be behind the stream. */
const over = new Set();
/** What others warn of, the weather service and neighbours. */
let foreign = [];
/** Exact outlines by message; what is compared may be a little larger. */
const outlines = new Map();
/** Where somebody asks: `{label, place}` or `{label, area}`; on the device alone. */
let asked = null;
let drawn = null, areas = null, marker = null;
/** When the city last said something, and whether it does at this moment. */
let heard = null, isLost = false;

const rank = alert => (isOver(alert) ? 0 : 10) + (alert.status === "Actual" ? 20 : 0) + (severities[alert.severity]?.rank ?? 0);
const shown = () => [...alerts.values()].filter(a => Date.parse(a.expires) > Date.now()).sort((a, b) => rank(b) - rank(a) || b.sent.localeCompare(a.sent));

function matches(alert) {
  if (!asked) return null;
  if (asked.place) return contains(alert.area, asked.place);
  return alert.districts.includes(asked.label) || overlap(alert.area, asked.area);
}

function facts(alert, language) {
  const german = language === "de";
  const rows = [
    [german ? "Gebiet" : "Area", alert.areaDescription + (alert.districts.length ? ` (${alert.districts.join(", ")})` : "")],
    isOver(alert) ? null : [german ? "Gilt bis" : "Valid until", when(alert.expires, language)],
    alert.onset && !isOver(alert) ? [german ? "Beginnt" : "From", when(alert.onset, language)] : null,
    [german ? "Gemeldet" : "Sent", `${when(alert.sent, language)}, ${alert.authority}`],
    alert.contact ? [german ? "Auskunft" : "Contact", alert.contact] : null,
    alert.web ? [german ? "Mehr dazu" : "More", alert.web] : null,
  ];
  return make("dl", { children: rows.filter(Boolean).flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: value })]) });
}

function badges(alert) {
  const list = [];
  if (alert.status !== "Actual") list.push(make("span", { class: "badge exercise", text: alert.status === "Exercise" ? "ÜBUNG – keine echte Gefahr" : "PROBEWARNUNG – keine echte Gefahr" }));
  if (isOver(alert)) list.push(make("span", { class: "badge over", text: alert.kind === "all-clear" ? "Entwarnung – es ist vorbei" : "Widerrufen – die Warnung galt zu Unrecht" }));
  else list.push(make("span", { class: "badge", text: severities[alert.severity]?.de ?? alert.severity }));
  if (alert.kind === "update") list.push(make("span", { class: "badge", text: "Aktualisiert" }));
  if (matches(alert)) list.push(make("span", { class: "badge", text: `Gilt hier: ${asked.label}` }));
  return make("div", { class: "badges", children: list });
}

function card(alert) {
  const german = text(alert.texts, "de") ?? alert.texts[0];
  const english = text(alert.texts, "en");
  const names = ["alert", alert.severity, isOver(alert) ? "over" : "", alert.status === "Actual" ? "" : "exercise", matches(alert) ? "here" : ""];
  return make("article", {
    class: names.join(" ").trim(), id: `alert-${alert.message.toLowerCase()}`, "aria-labelledby": `head-${alert.message}`, tabindex: "-1",
    children: [
      badges(alert),
      make("h3", { id: `head-${alert.message}`, text: german.headline }),
      make("p", { text: german.description }),
      make("p", { class: "instruction", text: german.instruction }),
      facts(alert, "de"),
      english ? make("details", {
        lang: "en", children: [
          make("summary", { text: `English: ${english.headline}` }),
          isOver(alert) ? null : make("p", { children: [make("strong", { text: severities[alert.severity]?.en ?? alert.severity })] }),
          make("p", { text: english.description }), make("p", { class: "instruction", text: english.instruction }), facts(alert, "en"),
        ],
      }) : null,
      button("Aushang drucken", () => print([alert])),
    ],
  });
}

function draw() {
  const list = element("list");
  const visible = shown();
  const order = asked ? [...visible].sort((a, b) => Number(matches(b)) - Number(matches(a))) : visible;
  const nothing = make("p", { class: "panel", text: heard ? "Zurzeit gilt keine Warnung." : "Noch ist nicht bekannt, was gilt." });
  redraw(list, visible.length ? order.map(card) : [nothing]);
  redraw(element("foreign-list"), foreignCards(foreign, drawn?.districts.features ?? [], "alert"));
  element("foreign").hidden = foreign.length === 0;
  const real = visible.filter(a => !isOver(a) && a.status === "Actual").length;
  element("count").textContent = heard ? `(${real})` : "";
  document.title = `${real ? `(${real}) ` : ""}Warnungen für Dortmund und Schwerte`;
  drawAreas(visible);
  answer(visible);
}

function drawAreas(visible) {
  if (!drawn) return;
  areas.clearLayers();
  drawForeign(areas, foreign);
  for (const alert of visible.filter(a => !isOver(a)).reverse()) {
    const colour = alert.status === "Actual" ? severities[alert.severity]?.colour ?? "#d35400" : "#556070";
    const shape = L.geoJSON(outlines.get(alert.message.toLowerCase()) ?? { type: "MultiPolygon", coordinates: alert.area }, {
      style: { color: colour, weight: 3, fillOpacity: alert.status === "Actual" ? .25 : .08, dashArray: alert.status === "Actual" ? null : "6 6" },
    });
    shape.bindTooltip(document.createTextNode((text(alert.texts, "de") ?? alert.texts[0]).headline).textContent.replaceAll("<", "&lt;"), { sticky: true });
    areas.addLayer(shape);
  }
}

function answer(visible) {
  if (!asked) return;
  const here = visible.filter(matches);
  const real = here.filter(a => !isOver(a) && a.status === "Actual");
  const ended = here.filter(a => isOver(a) && a.status === "Actual");
  const practice = here.filter(a => !isOver(a) && a.status !== "Actual");
  const parts = [real.length ? `${asked.label}: ${real.length === 1 ? "eine Warnung gilt" : `${real.length} Warnungen gelten`} hier.` : `${asked.label}: hier gilt keine Warnung.`];
  if (ended.length) parts.push(`${ended.length} beendet.`);
  if (practice.length) parts.push("Eine Übung läuft.");
  if (isLost) parts.push(`Stand ${heard ? clockTime(heard) : "unbekannt"}.`);
  const line = element("answer");
  const said = parts.join(" ");
  if (line.textContent !== said) line.textContent = said;
}

function ask(next, at) {
  asked = next;
  marker?.remove();
  marker = null;
  if (at && drawn) {
    marker = L.circleMarker([at[1], at[0]], { radius: 9, color: "#fff", weight: 3, fillColor: "#0b5cad", fillOpacity: 1 }).addTo(drawn.map);
    drawn.map.setView([at[1], at[0]], Math.max(drawn.map.getZoom(), 12), { animate: false });
  }
  draw();
}

function locate() {
  const line = element("answer");
  if (!navigator.geolocation) {
    line.textContent = "Dieses Gerät kennt seinen Standort nicht. Bitte einen Stadtteil wählen.";
    return;
  }
  line.textContent = "Der Standort wird bestimmt …";
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      element("district").value = "";
      const place = [coords.longitude, coords.latitude];
      ask({ label: "An Ihrem Standort", place }, place);
    },
    () => { line.textContent = "Der Standort ist nicht zu haben. Bitte einen Stadtteil wählen oder auf die Karte tippen."; },
    { timeout: 15_000, maximumAge: 60_000 });
}

function sheet(alert) {
  const german = text(alert.texts, "de") ?? alert.texts[0];
  const english = text(alert.texts, "en");
  const ending = alert.kind === "all-clear" ? "ENTWARNUNG" : alert.kind === "cancel" ? "WIDERRUF" : null;
  return make("section", {
    class: "sheet", children: [
      make("p", { class: "authority", text: `Amtliche ${isOver(alert) ? "Mitteilung" : "Warnung"} · ${alert.authority}` }),
      alert.status !== "Actual" ? make("p", { class: "mark", text: `${alert.status === "Exercise" ? "ÜBUNG" : "PROBEWARNUNG"} – KEINE ECHTE GEFAHR` }) : null,
      ending ? make("p", { class: "mark", text: ending }) : make("p", { class: "until", text: severities[alert.severity]?.de ?? "" }),
      make("h1", { text: german.headline }),
      make("h2", { text: "Gebiet" }),
      make("p", { text: alert.areaDescription + (alert.districts.length ? ` (${alert.districts.join(", ")})` : "") }),
      make("h2", { text: "Was geschieht" }), make("p", { text: german.description }),
      make("h2", { text: "Was zu tun ist" }), make("p", { class: "instruction", text: german.instruction }),
      ending ? null : make("p", { class: "until", text: `Gilt bis ${when(alert.expires)}` }),
      english ? make("div", {
        class: "other", lang: "en", children: [
          make("h2", { text: english.headline }), make("p", { text: english.description }), make("p", { class: "instruction", text: english.instruction }),
          ending ? null : make("p", { text: `Valid until ${when(alert.expires, "en")}` }),
        ],
      }) : null,
      make("p", { class: "small", text: `${kinds[alert.kind]} vom ${exactly(alert.sent)}, ${alert.identifier}. Ausgedruckt ${exactly(Date.now())}; was jetzt gilt, steht unter ${location.host}/warnings/` }),
    ],
  });
}

/** One notice, or with the browser's own command one of each. */
function print(chosen) {
  element("notice").replaceChildren(...chosen.map(sheet));
  window.print();
}

function status() {
  const line = element("connection");
  let said = "Wird geladen …";
  if (heard && !isLost) said = `Stand ${clockTime(heard)} Uhr. Neues erscheint von selbst.`;
  if (isLost) said = heard ? `Keine Verbindung: seit ${clockTime(heard)} Uhr ist nichts Neues bekannt.` : "Keine Verbindung: was gilt, ist nicht bekannt.";
  line.classList.toggle("lost", isLost);
  if (line.textContent !== said) line.textContent = said;
}

function took() {
  heard = Date.now();
  isLost = false;
  status();
}

function lose() {
  isLost = true;
  status();
  draw();
}

function take(alert) {
  const known = alerts.get(alert.alert);
  if (over.has(alert.message) || (known && known.sent > alert.sent)) return;
  alerts.set(alert.alert, alert);
}

/** What the city says holds now; whatever came by the stream since stays. */
async function load() {
  const asked = Date.now();
  const response = await fetch("active", { cache: "no-cache", signal: AbortSignal.timeout(15_000) });
  if (!response.ok) throw new Error(`Antwort ${response.status}`);
  const found = (await response.json()).alerts;
  const listed = new Set(found.map(a => a.alert));
  for (const [id, alert] of alerts) if (!listed.has(id) && Date.parse(alert.sent) < asked - 60_000) alerts.delete(id);
  found.forEach(take);
  took();
  draw();
  loadOutlines().catch(() => {});
}

/** Outlines are drawn, and nothing else waits for them. */
async function loadOutlines() {
  if ([...alerts.values()].every(a => isOver(a) || outlines.has(a.message.toLowerCase()))) return;
  const response = await fetch("outlines", { cache: "no-cache", signal: AbortSignal.timeout(15_000) });
  if (!response.ok) return;
  outlines.clear();
  for (const { properties, geometry } of (await response.json()).features) outlines.set(properties.message.toLowerCase(), geometry);
  draw();
}

/** The city's own warnings do not wait for those of others. */
async function loadForeign() {
  const response = await fetch("foreign", { cache: "no-cache", signal: AbortSignal.timeout(15_000) });
  if (response.ok) foreign = (await response.json()).alerts;
  draw();
}

function announce(alert) {
  const german = text(alert.texts, "de") ?? alert.texts[0];
  element("news").textContent = `${kinds[alert.kind]}: ${german.headline}`;
}

function follow() {
  const source = new EventSource("stream");
  source.onopen = () => load().catch(lose);
  source.onerror = () => {
    lose();
    // The browser tries again by itself, but not after an answer that was an error.
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 5_000);
  };
  source.addEventListener("reset", () => load().catch(lose));
  source.addEventListener("alert", event => {
    const alert = JSON.parse(event.data);
    take(alert);
    took();
    draw();
    announce(alert);
    loadOutlines().catch(() => {});
  });
  source.addEventListener("ended", event => {
    const { alert, message } = JSON.parse(event.data);
    over.add(message);
    if (alerts.get(alert)?.message === message) alerts.delete(alert);
    took();
    draw();
  });
}

async function start() {
  status();
  element("locate").addEventListener("click", locate);
  addEventListener("beforeprint", () => { if (!element("notice").hasChildNodes()) element("notice").replaceChildren(...shown().map(sheet)); });
  addEventListener("afterprint", () => element("notice").replaceChildren());
  addEventListener("offline", lose);
  addEventListener("online", () => load().catch(lose));
  const look = () => {
    load().catch(lose);
    loadForeign().catch(() => {});
  };
  look();
  follow();
  // A connection can be dead without saying so; and time ends what nobody ends.
  setInterval(look, 30_000);
  setInterval(draw, 60_000);
  try {
    drawn = await drawMap("map", "", { keyboard: true });
    areas = L.layerGroup().addTo(drawn.map);
    const names = drawn.districts.features.map(f => f.properties.name).sort((a, b) => a.localeCompare(b, "de"));
    element("district").append(...names.map(name => make("option", { text: name, value: name })));
    element("district").addEventListener("change", event => {
      const chosen = drawn.districts.features.find(f => f.properties.name === event.target.value);
      ask(chosen ? { label: chosen.properties.name, area: chosen.geometry.coordinates } : null, null);
      if (!chosen) element("answer").textContent = "";
    });
    drawn.map.on("click", ({ latlng }) => ask({ label: "An der gewählten Stelle", place: [latlng.lng, latlng.lat] }, [latlng.lng, latlng.lat]));
    draw();
  } catch (error) {
    // What holds can be read without a map.
    element("map").textContent = `Die Karte kann nicht gezeigt werden (${error.message}).`;
  }
}

start();
