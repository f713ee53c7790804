// The words of warnings in German and English, and how times and messages read: what both pages share.
export const element = id => document.getElementById(id);

export const severities = {
  Extreme: { de: "Extreme Gefahr", en: "Extreme danger", rank: 4, colour: "#6a1b9a" },
  Severe: { de: "Schwere Gefahr", en: "Severe danger", rank: 3, colour: "#c62828" },
  Moderate: { de: "Mittlere Gefahr", en: "Moderate danger", rank: 2, colour: "#d35400" },
  Minor: { de: "Geringe Gefahr", en: "Minor danger", rank: 1, colour: "#8a6d00" },
};
export const kinds = { alert: "Warnung", update: "Aktualisierung", cancel: "Widerruf", "all-clear": "Entwarnung" };
/** Where a draft is. */
export const stages = { drafted: "in Arbeit", submitted: "wartet auf Freigabe", returned: "zurückgegeben", requested: "bei der Leitstelle" };
export const modes = { Actual: "Ernstfall", Exercise: "Übung", Test: "Probewarnung" };
export const isOver = alert => alert.kind === "all-clear" || alert.kind === "cancel";

const moment = locale => new Intl.DateTimeFormat(locale, { timeZone: "Europe/Berlin", weekday: "short", day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit" });
const moments = { de: moment("de-DE"), en: moment("en-GB") };
const full = new Intl.DateTimeFormat("de-DE", { timeZone: "Europe/Berlin", dateStyle: "short", timeStyle: "medium" });
const day = new Intl.DateTimeFormat("de-DE", { timeZone: "Europe/Berlin", dateStyle: "short" });
const clock = new Intl.DateTimeFormat("de-DE", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const when = (time, language = "de") => (time ? moments[language].format(new Date(time)) + (language === "de" ? " Uhr" : "") : "–");
export const exactly = time => (time ? full.format(new Date(time)) : "–");
/** The same where today is meant if no day is said. */
export const at = time => (time && day.format(new Date(time)) === day.format(new Date()) ? `${clockTime(time)} Uhr` : exactly(time));
export const clockTime = time => clock.format(new Date(time));

/** How long until then. */
export function ahead(time) {
  const minutes = Math.round((Date.parse(time) - Date.now()) / 60_000);
  if (minutes < 1) return "jetzt";
  if (minutes < 120) return `in ${minutes} min`;
  return minutes < 48 * 60 ? `in ${Math.floor(minutes / 60)} h` : `in ${Math.floor(minutes / 1440)} Tagen`;
}

/** A time as a field of a form takes it, by the clock of this device. */
export const local = time => { const date = new Date(time); return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16); };

/** How long ago, in words that a tired person reads at once. */
export function ago(time) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));
  if (seconds < 60) return "gerade eben";
  if (seconds < 3600) return `vor ${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `vor ${Math.floor(seconds / 3600)} h`;
  return `vor ${Math.floor(seconds / 86400)} Tagen`;
}

export const text = (texts, language) => texts.find(t => t.language === language || t.language.startsWith(`${language}-`)) ?? null;

/** An element with text and children. Text is only ever set as text: nothing that somebody wrote becomes markup. */
export function make(tag, { text, children = [], on = {}, ...rest } = {}) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(rest)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") made.className = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  if (text !== undefined) made.textContent = text;
  made.append(...children.filter(child => child !== null && child !== undefined));
  for (const [event, handler] of Object.entries(on)) made.addEventListener(event, handler);
  return made;
}

/** The same for a drawing. */
export function svg(tag, attributes, children = []) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export const badge = (text, warn) => make("span", { class: warn ? "badge warn" : "badge", text });
export const none = text => make("p", { class: "quiet", text });
export const button = (text, handler, kind = "") => make("button", { type: "button", text, class: kind, on: { click: handler } });

/** Draws a list anew. Who stands in it with the keyboard stays at the same button of the same item, and what was unfolded stays so. */
export function redraw(list, items) {
  const at = list.contains(document.activeElement) ? document.activeElement : null;
  const [item, label] = [at?.closest("[id]")?.id, at?.textContent];
  const open = [...list.querySelectorAll("details[open]")].map(d => d.closest("[id]")?.id);
  list.replaceChildren(...items);
  for (const id of open) element(id)?.querySelector("details")?.setAttribute("open", "");
  const again = item ? element(item) : null;
  ([...(again?.querySelectorAll("button, summary") ?? [])].find(b => b.textContent === label) ?? again)?.focus();
}

/** In the place given, an element or its id: a map of Leaflet with the districts' outlines, and the city's tiles where there are some. */
export async function drawMap(place, root, options = {}) {
  const map = L.map(place, { attributionControl: true, ...options }).setView([51.5, 7.5], 10);
  map.attributionControl.setPrefix(false);
  const [settings, districts] = await Promise.all(["page.json", "areas.json"].map(async name => {
    const response = await fetch(root + name, { cache: "no-cache" });
    if (!response.ok) throw new Error(`${name}: Antwort ${response.status}`);
    return response.json();
  }));
  if (settings.tiles) L.tileLayer(settings.tiles, { maxZoom: 19, attribution: settings.attribution ?? "" }).addTo(map);
  const outline = L.geoJSON(districts, { style: { color: "#6b7c8f", weight: 1, fillOpacity: .05 }, interactive: false }).addTo(map);
  map.fitBounds(outline.getBounds(), { animate: false });
  return { map, districts, outline };
}
