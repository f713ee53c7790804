// Drafts: the form in which a warning is written, changed and ended, with what is wrong beside each field.
import { Refused, decide } from "./city.js";
import { askReason, doing, say } from "./dialogs.js";
import { channelName } from "./details.js";
import { categories, endings, inGerman, limits, templates, usual } from "./templates.js";
import { breakGlass, full } from "./overview.js";
import { duty, refresh } from "./officer.js";
import { button, drawMap, element, kinds, make, modes, severities, text } from "./words.js";

const urgencies = { Immediate: "sofort", Expected: "bald", Future: "später", Past: "vorbei" };
const certainties = { Observed: "beobachtet", Likely: "wahrscheinlich", Possible: "möglich", Unlikely: "unwahrscheinlich" };
const parts = [["event", "Ereignis in einem Wort", 1], ["headline", "Überschrift", 1], ["description", "Was geschieht", 4], ["instruction", "Was zu tun ist", 3]];
const marks = { Actual: ["", ""], Exercise: ["ÜBUNG: ", "EXERCISE: "], Test: ["PROBEWARNUNG: ", "TEST ALERT: "] };
const languages = [["de-DE", "Deutsch"], ["en-GB", "Englisch"]];

/** What is being written: `{alert, hint, amending, kind, content, circles, polygons}`; null where nothing is. */
let editing = null;
let editorMap = null, circleLayer = null;

const local = time => { const date = new Date(time); return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16); };
const inHours = hours => local(Date.now() + hours * 3_600_000);
const isEnding = () => editing.kind === "cancel" || editing.kind === "all-clear";
const field = name => element("editor").querySelector(`[name="${name}"]`);
const checked = name => [...element("editor").querySelectorAll(`[name="${name}"]:checked`)].map(box => box.value);
const slot = path => make("p", { class: "problem", "data-path": path, hidden: true });
const mode = () => editing.alert?.mode ?? editing.amending?.mode ?? field("mode")?.value ?? "Actual";

const select = (name, label, options, value) => make("label", { children: [
  make("span", { text: label }), make("select", { name, children: Object.entries(options).map(([key, text]) => make("option", { value: key, text, selected: key === value })) }), slot(name),
] });

function textFields(content) {
  return languages.map(([language, name], index) => make("fieldset", { lang: language.slice(0, 2), children: [
    make("legend", { text: name, lang: "de" }),
    ...parts.map(([part, label, rows]) => {
      const input = rows > 1 ? make("textarea", { rows, name: `${part}-${index}` }) : make("input", { name: `${part}-${index}` });
      input.value = text(content.texts, language.slice(0, 2))?.[part] ?? "";
      const counter = part === "headline" || part === "description" ? make("span", { class: "counter", "data-counts": `${part}-${index}` }) : null;
      return make("label", { children: [make("span", { text: label, lang: "de" }), input, counter, slot(`texts[${index}].${part}`)] });
    }),
  ] }));
}

/** How much fits, by the narrowest of the channels chosen. */
function count() {
  for (const counter of element("editor").querySelectorAll("[data-counts]")) {
    const [part, index] = counter.dataset.counts.split("-");
    const at = part === "headline" ? 0 : 1;
    const channels = isEnding() ? editing.content.channels : checked("channels");
    const narrow = channels.reduce((least, name) => (limits[name][at] < least[1] ? [name, limits[name][at]] : least), [null, Infinity]);
    const length = [...(part === "headline" ? marks[mode()][Number(index)] : "") + field(counter.dataset.counts).value].length;
    counter.textContent = narrow[0] ? `${length} von ${narrow[1]} Zeichen (${channelName(narrow[0])})` : `${length} Zeichen`;
    counter.classList.toggle("over", length > narrow[1]);
  }
}

function showProblems(problems) {
  const left = [];
  for (const place of element("editor").querySelectorAll("[data-path]")) { place.hidden = true; place.textContent = ""; place.parentElement.querySelector(".wrong")?.classList.remove("wrong"); }
  for (const problem of problems) {
    const path = problem.path.replace(/^content[/.]/, "").replaceAll("/", ".").replace(/\.(\d+)/g, "[$1]");
    const said = `${inGerman(problem.problem)}; erwartet: ${inGerman(problem.expected)}`;
    let at = path;
    let place = null;
    while (at && !place) {
      place = element("editor").querySelector(`[data-path="${CSS.escape(at)}"]`);
      at = at.replace(/(\.[^.[]+|\[\d+\])$|^[^.[]+$/, "");
    }
    if (!place) { left.push(`${path}: ${said}`); continue; }
    place.hidden = false;
    place.textContent += (place.textContent ? " · " : "") + said;
    place.parentElement.querySelector("input:not([type=checkbox]), textarea, select")?.classList.add("wrong");
  }
  element("editor-problems").textContent = problems.length ? [`${problems.length} ${problems.length === 1 ? "Angabe fehlt oder passt" : "Angaben fehlen oder passen"} noch nicht.`, ...left].join(" · ") : "";
}

function circleList() {
  const list = element("circles");
  list.replaceChildren(...editing.circles.map((circle, index) => make("p", { children: [
    make("span", { text: `Kreis ${index + 1}: ${circle.radius} km um ${circle.center[1].toFixed(4)}, ${circle.center[0].toFixed(4)} ` }),
    button("Entfernen", () => { editing.circles.splice(index, 1); drawCircles(); }),
  ] })), ...(editing.polygons.length ? [make("p", { class: "quiet", text: `${editing.polygons.length} Vieleck(e) bleiben.` })] : []));
}

function drawCircles() {
  circleList();
  if (!editorMap) return;
  circleLayer.clearLayers();
  const chosen = new Set(checked("districts"));
  circleLayer.addLayer(L.geoJSON(duty.districts.filter(d => chosen.has(d.properties.name)), { style: { color: "#c62828", weight: 2, fillOpacity: .25 }, interactive: false }));
  for (const rings of editing.polygons) circleLayer.addLayer(L.geoJSON({ type: "Polygon", coordinates: rings }, { style: { color: "#c62828" }, interactive: false }));
  for (const { center, radius } of editing.circles) circleLayer.addLayer(L.circle([center[1], center[0]], { radius: radius * 1000, color: "#c62828", interactive: false }));
}

async function areaMap() {
  try {
    const drawn = await drawMap("editor-map", "../");
    editorMap = drawn.map;
    circleLayer = L.layerGroup().addTo(editorMap);
    editorMap.on("click", ({ latlng }) => {
      const radius = Number(field("radius").value);
      if (!(radius > 0 && radius <= 100)) return say("Der Radius eines Kreises liegt zwischen 0 und 100 km.", true);
      editing.circles.push({ center: [Number(latlng.lng.toFixed(5)), Number(latlng.lat.toFixed(5))], radius });
      drawCircles();
    });
    drawCircles();
  } catch (error) {
    element("editor-map").textContent = `Die Karte kann nicht gezeigt werden (${error.message}).`;
  }
}

function areaFields(content) {
  const boxes = duty.districts.map(({ properties: { name } }) => make("label", { class: "check", children: [
    make("input", { type: "checkbox", name: "districts", value: name, checked: content.area.districts.includes(name), on: { change: drawCircles } }), make("span", { text: name }) ] }));
  return make("fieldset", { children: [
    make("legend", { text: "Gebiet" }),
    make("label", { children: [make("span", { text: "In Worten" }), make("input", { name: "area", value: content.area.description }), slot("area.description")] }),
    make("div", { children: [make("div", { children: boxes }), slot("area.districts"), slot("area")] }),
    make("label", { children: [make("span", { text: "Kreis: auf die Karte klicken, Radius in km" }), make("input", { name: "radius", type: "number", min: "0.1", max: "100", step: "0.1", value: "1" }), slot("area.circles")] }),
    make("div", { id: "circles" }), make("div", { id: "editor-map", "aria-label": "Karte zum Zeichnen von Kreisen; Stadtteile stehen darüber" }),
  ] });
}

function channelFields(content) {
  return make("fieldset", { children: [make("legend", { text: "Kanäle" }), ...Object.keys(limits).map(name => make("label", { class: "check", children: [
    make("input", { type: "checkbox", name: "channels", value: name, checked: content.channels.includes(name) }), make("span", { text: channelName(name) })] })), slot("channels")] });
}

function draw() {
  const { content } = editing;
  const isNew = !editing.alert && !editing.amending;
  const title = editing.alert ? `${kinds[editing.kind]} bearbeiten (Revision ${editing.alert.draft.revision})` : editing.amending ? `${kinds[editing.kind]} entwerfen` : "Neue Warnung";
  const form = make("form", { novalidate: true, on: { input: count, change: count, submit: event => event.preventDefault() }, children: [
    make("h2", { text: title, id: "editor-title", tabindex: "-1" }),
    editing.hint ? make("p", { class: "text", text: `Aus dem Hinweis: ${editing.hint.title}\n${editing.hint.text}` }) : null,
    editing.alert?.draft.reason ? make("p", { class: "problem", text: `Zurückgegeben: ${editing.alert.draft.reason}` }) : null,
    isNew ? make("div", { class: "columns", children: [
      select("template", "Vorlage", { "": "ohne", ...Object.fromEntries(Object.entries(templates).map(([key, t]) => [key, t.name])) }, ""),
      select("mode", "Ernstfall oder Übung", modes, "Actual"),
    ] }) : null,
    ...(isEnding() ? [make("p", { class: "quiet", text: "Sie gilt für dasselbe Gebiet und geht an alle, die gewarnt wurden." })] : [
      make("div", { class: "columns", children: [
        select("categories", "Art der Gefahr", categories, content.categories[0]), select("severity", "Schwere", Object.fromEntries(Object.entries(severities).map(([k, v]) => [k, v.de])), content.severity),
        select("urgency", "Dringlichkeit", urgencies, content.urgency), select("certainty", "Gewissheit", certainties, content.certainty),
        make("label", { children: [make("span", { text: "Gilt bis" }), make("input", { type: "datetime-local", name: "expires", value: local(content.expires) }), slot("expires")] }),
      ] }), areaFields(content), channelFields(content)]),
    ...textFields(content), slot("texts"),
    make("p", { id: "editor-problems", class: "problem", role: "status" }),
    make("div", { class: "actions", children: [
      button("Speichern und zur Freigabe geben", doing(() => save(true)), "strong"), button("Speichern", doing(() => save(false))),
      editing.alert?.mode === "Actual" ? button("Notfall: sofort herausgeben", doing(async () => { await save(false); await breakGlass(editing.alert); }), "danger") : null,
      button("Schließen", close),
    ] }),
  ] });
  const editor = element("editor");
  editor.replaceChildren(form);
  editor.hidden = false;
  editorMap = null;
  if (!isEnding()) { circleList(); areaMap(); }
  field("template")?.addEventListener("change", event => fill(templates[event.target.value]));
  count();
  if (editing.alert) showProblems(editing.alert.draft.problems);
  element("editor-title").focus();
}

function fill(template) {
  if (!template) return;
  field("categories").value = template.category;
  for (const name of ["severity", "urgency", "certainty"]) field(name).value = template[name];
  field("expires").value = inHours(template.hours);
  for (const [index, language] of ["de", "en"].entries()) for (const [at, [part]] of parts.entries()) field(`${part}-${index}`).value = template[language][at];
  count();
}

const readTexts = () => languages.map(([language], index) => ({
  language: text(editing.content.texts, language.slice(0, 2))?.language ?? language, ...Object.fromEntries(parts.map(([part]) => [part, field(`${part}-${index}`).value.trim()])),
}));

/** The whole content as the city takes it; what the form does not show stays as it is. */
function readContent() {
  const { content } = editing;
  const others = content.texts.filter(t => !t.language.startsWith("de") && !t.language.startsWith("en"));
  const texts = [...readTexts(), ...others];
  const { description, districts, circles, polygons } = content.area;
  const optional = Object.fromEntries(["eventCode", "onset", "contact", "web"].filter(name => content[name]).map(name => [name, content[name]]));
  const kept = { ...optional, responseTypes: content.responseTypes, texts };
  if (isEnding()) {
    const { categories, urgency, severity, certainty, expires, channels } = content;
    return { categories, urgency, severity, certainty, expires, channels, ...kept, area: { description, districts, circles, polygons } };
  }
  const until = new Date(field("expires").value);
  if (Number.isNaN(until.getTime())) throw Object.assign(new Error("Bis wann sie gilt, fehlt."), { errors: [{ path: "expires", problem: "is missing", expected: "a time to come" }] });
  const chosen = field("categories").value;
  return {
    ...kept, categories: [chosen, ...content.categories.slice(1).filter(c => c !== chosen)], severity: field("severity").value, urgency: field("urgency").value, certainty: field("certainty").value,
    expires: until.toISOString(), channels: checked("channels"),
    area: { description: field("area").value.trim(), districts: checked("districts"), circles: editing.circles, polygons: editing.polygons },
  };
}

async function keep() {
  const { alert, amending, kind, hint } = editing;
  if (alert) return decide(`${alert.id}/draft`, readContent(), { method: "PUT" });
  if (amending) {
    const body = isEnding() ? { refersTo: amending.head.message, texts: readTexts() } : { refersTo: amending.head.message, content: readContent() };
    return decide(`${amending.id}/${kind}`, body);
  }
  const template = field("template").value;
  const origin = hint ? { hint: hint.id } : template ? { template } : {};
  return decide("alerts", { mode: field("mode").value, content: readContent(), ...origin });
}

async function save(submits) {
  try {
    const kept = await keep();
    // From here on it is a draft of the city's: whatever fails next, saving again changes it.
    Object.assign(editing, { alert: kept, kind: kept.draft.kind, amending: null, content: kept.draft.content });
    const { problems } = kept.draft;
    if (submits && problems.length === 0) {
      await decide(`${kept.id}/submit`);
      say("Zur Freigabe gegeben: eine andere Person muss freigeben.");
      close();
    } else {
      draw();
      const left = problems.length ? ` Noch ${problems.length} offene Angaben: so kann niemand sie freigeben.` : "";
      say(`Gespeichert als Revision ${kept.draft.revision}.${left}`, submits);
    }
  } catch (error) {
    if (error.errors?.length) showProblems(error.errors);
    if (error instanceof Refused && error.errors.length && editing?.alert) element("editor-problems").prepend(`${error.message} `);
    else throw error;
  } finally {
    refresh();
  }
}

function close() {
  editing = null;
  element("editor").hidden = true;
  element("editor").replaceChildren();
}

const empty = () => ({
  categories: ["Met"], urgency: "Immediate", severity: "Severe", certainty: "Observed", responseTypes: [], expires: new Date(Date.now() + 6 * 3_600_000).toISOString(),
  texts: [], area: { description: "", districts: [], circles: [], polygons: [] }, channels: usual,
});

/** Opens the form: for nothing yet, for a hint, for a draft that is there, or for the next message about what was issued. */
export function openDraft({ hint = null, alert = null, amending = null, kind = "alert" } = {}) {
  let content = structuredClone(alert?.draft.content ?? amending?.head.content ?? empty());
  if (hint) {
    content.severity = hint.severity;
    if (hint.latitude !== null) content.area.circles = [{ center: [hint.longitude, hint.latitude], radius: 1 }];
  }
  if (amending && endings[kind]) {
    content.texts = ["de", "en"].map(language => {
      const said = endings[kind][language](text(amending.head.content.texts, language)?.headline ?? "");
      return { language: text(amending.head.content.texts, language)?.language ?? language, ...Object.fromEntries(parts.map(([part], at) => [part, said[at]])) };
    });
  }
  editing = { hint, alert, amending, kind: alert?.draft.kind ?? kind, content, circles: [...content.area.circles], polygons: [...content.area.polygons] };
  draw();
}

function drawList() {
  const open = duty.alerts.map(full).filter(a => a?.draft && ["drafted", "returned"].includes(a.draft.stage));
  element("drafting").textContent = open.length || "";
  element("draft-list").replaceChildren(...(open.length ? open.map(alert => make("article", { class: `item ${alert.draft.content.severity} ${alert.mode === "Actual" ? "" : "practice"}`, children: [
    make("h3", { text: text(alert.draft.content.texts, "de")?.headline || "(ohne Überschrift)" }),
    make("p", { class: "quiet", text: `${kinds[alert.draft.kind]}, ${modes[alert.mode]}, ${alert.city}, Revision ${alert.draft.revision}${alert.draft.stage === "returned" ? ", zurückgegeben" : ""}${alert.draft.problems.length ? `, ${alert.draft.problems.length} offene Angaben` : ""}` }),
    alert.draft.reason ? make("p", { class: "problem", text: `Zurückgegeben: ${alert.draft.reason}` }) : null,
    make("div", { class: "actions", children: [
      button("Bearbeiten", () => openDraft({ alert })),
      button("Zur Freigabe geben", doing(async () => { await decide(`${alert.id}/submit`); say("Zur Freigabe gegeben."); await refresh(); }), "strong"),
      button("Aufgeben", doing(async () => {
        const given = await askReason("Entwurf aufgeben", "Aufgeben");
        if (!given) return;
        await decide(`${alert.id}/reject`, given);
        say("Aufgegeben.");
        await refresh();
      })),
    ] }),
  ] })) : [make("p", { class: "quiet", text: "Kein Entwurf ist in Arbeit." })]));
}

export async function startDrafts() {
  element("draft-new").addEventListener("click", () => openDraft());
  addEventListener("resize", () => editorMap?.invalidateSize());
  return drawList;
}
