// Drawing up a rule: what it is about, what it watches for, trying it, and setting live exactly what was tried.
import { Refused, decide } from "./city.js";
import { conditionEditor } from "./conditions.js";
import { doing, say } from "./dialogs.js";
import { showProblems, slot } from "./formproblems.js";
import { duty } from "./officer.js";
import { inOneLine, reason } from "./problems.js";
import { trialFields, tryOut } from "./trial.js";
import { button, element, make, severities } from "./words.js";

/** What is being drawn up: `{known, tried}` and its form; `known` is the rule as the list has it, `tried` the JSON of what was tried last. */
let drawing = null;

const line = (name, text, value, path = name) => make("label", { children: [make("span", { text }), make("input", { name, value: value ?? null }), slot(path)] });

function place(rule) {
  const middle = district => L.geoJSON(district).getBounds().getCenter();
  const names = duty.districts.map(d => d.properties.name);
  const chosen = make("select", { name: "district", children: [...(names.includes(rule.district) || !rule.district ? [] : [rule.district]), ...names].map(name => make("option", { value: name, text: name, selected: name === rule.district })) });
  const where = make("input", { name: "place", value: rule.place ? `${rule.place[1]} ${rule.place[0]}` : null, placeholder: "51.47 7.43" });
  chosen.addEventListener("change", () => {
    const district = duty.districts.find(d => d.properties.name === chosen.value);
    if (!district) return;
    const { lat, lng } = middle(district);
    where.value = `${lat.toFixed(4)} ${lng.toFixed(4)}`;
  });
  if (!rule.place) chosen.dispatchEvent(new Event("change"));
  return [make("label", { children: [make("span", { text: "Stadtteil" }), chosen, slot("district")] }), make("label", { children: [make("span", { text: "Ort: Breite und Länge" }), where, slot("place")] })];
}

/** What has no value yet, all of it at once: the city stops at the first. */
const missing = (value, path = "") => Object.entries(value).flatMap(([name, inner]) => {
  const at = Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${name}` : name;
  if (inner === undefined || inner === "") return [{ path: at, problem: "is missing", expected: "a value" }];
  return inner && typeof inner === "object" ? missing(inner, at) : [];
});

/** The rule as the city takes it, where nothing is missing. */
function whole() {
  const now = rule();
  const errors = missing(now);
  if (errors.length) throw Object.assign(new Error("So kann die Regel nicht wachen."), { errors });
  return now;
}

function rule() {
  const { elements } = drawing.form;
  const [latitude, longitude] = [...elements.place.value.matchAll(/-?\d+(?:[.,]\d+)?/g)].map(found => Number(found[0].replace(",", ".")));
  const optional = elements.rota.value.trim() ? { rota: elements.rota.value.trim() } : {};
  return {
    name: elements.name.value.trim(), description: elements.description.value.trim(), city: drawing.known?.rule.city ?? duty.city ?? "dortmund", district: elements.district.value,
    place: latitude !== undefined && longitude !== undefined ? [longitude, latitude] : undefined, severity: elements.severity.value, ...optional,
    staleAfter: Math.round(Number(elements.staleAfter.value) * 60), condition: drawing.condition.value(),
  };
}

/** The same rule has the same text, in whatever order its fields stand. */
const textOf = value => JSON.stringify(value, (_, v) => (v && typeof v === "object" && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).filter(([, x]) => x !== undefined && x !== null).sort(([a], [b]) => (a < b ? -1 : 1))) : v));
const isTried = () => drawing.tried !== null && textOf(rule()) === drawing.tried;

function tell() {
  if (!drawing) return;
  const live = drawing.known?.status === "live";
  const tried = isTried();
  drawing.activate.disabled = !tried;
  drawing.save.hidden = live;
  element("rule-state").textContent = tried ? "Genau diese Fassung ist erprobt." : drawing.tried ? "Seit der Erprobung geändert: erst noch einmal erproben." : "Noch nicht erprobt.";
}

function fail(error) {
  const left = showProblems(drawing.form, error.errors ?? [], /^rule[.]/);
  element("rule-problems").textContent = error.errors?.length ? `${reason(error)} ${left}` : "";
  if (!error.errors?.length) throw error;
}

const trying = doing(async () => {
  element("rule-problems").textContent = "";
  showProblems(drawing.form, []);
  try {
    const asked = whole();
    await tryOut(drawing.trial.body(asked), element("rule-trial"));
    drawing.tried = textOf(asked);
  } catch (error) {
    fail(error);
  } finally {
    tell();
  }
});

/** Keeps the rule as it is now. Answers its version, that of the list where nothing was changed. */
async function keep() {
  const { known } = drawing;
  const now = whole();
  if (known && textOf(now) === textOf(known.rule)) return known;
  const kept = known ? await decide(`rules/${known.id}`, now, { method: "PUT" }) : await decide("rules", now);
  if (known && kept.version !== known.version + 1) say(`Jemand anderes hat inzwischen Fassung ${kept.version - 1} angelegt; Ihre ist jetzt Fassung ${kept.version}.`, true);
  return kept;
}

const save = (activates, done) => doing(async () => {
  element("rule-problems").textContent = "";
  try {
    const kept = await keep();
    drawing.known = kept;
    if (activates && kept.status !== "live") await decide(`rules/${kept.id}/activate`, { version: kept.version });
    say(activates ? `Fassung ${kept.version} ist in Dienst.` : `Gespeichert als Fassung ${kept.version}. Sie wacht noch nicht.`);
    if (activates) close();
    else tell();
    await done();
  } catch (error) {
    if (error instanceof Refused && error.status === 409) { say(inOneLine(error), true); await done(); } else fail(error);
  }
});

function close() {
  drawing = null;
  element("rule-editor").hidden = true;
  element("rule-editor").replaceChildren();
}

/** Opens the form for a new rule or one of the list; `done` is called after each decision. */
export function openRule(known, done) {
  const given = known?.rule ?? { name: "", description: "", severity: "Severe", staleAfter: 900, condition: { kind: "threshold" } };
  drawing = { known: known ?? null, tried: null, condition: conditionEditor(given.condition, "condition"), trial: trialFields() };
  drawing.activate = button(known?.status === "live" ? "Änderung in Dienst stellen" : "Diese Fassung in Dienst stellen", save(true, done), "strong");
  drawing.save = button("Nur speichern", save(false, done));
  const description = make("textarea", { name: "description", rows: "2" });
  description.value = given.description;
  drawing.form = make("form", { novalidate: true, on: { input: () => tell(), change: () => tell(), click: () => setTimeout(tell), submit: event => event.preventDefault() }, children: [
    make("h2", { id: "rule-title", tabindex: "-1", text: known ? `Regel ändern (Fassung ${known.version})` : "Neue Regel" }),
    known?.status === "live" ? make("p", { class: "then", text: "Sie ist in Dienst: eine Änderung gilt sofort, sobald Sie sie in Dienst stellen." }) : null,
    line("name", "Was der Hinweis sagt", given.name), make("label", { children: [make("span", { text: "Was es bedeutet und was zu tun ist" }), description, slot("description")] }),
    make("div", { class: "columns", children: [...place(given),
      make("label", { children: [make("span", { text: "Schwere" }), make("select", { name: "severity", children: Object.entries(severities).map(([key, s]) => make("option", { value: key, text: s.de, selected: key === given.severity })) }), slot("severity")] }),
      line("rota", "Bereitschaft, die alarmiert wird (leer: niemand)", given.rota),
      make("label", { children: [make("span", { text: "Ein Messwert gilt so lange (Minuten)" }), make("input", { name: "staleAfter", type: "number", min: "1", step: "any", value: String(given.staleAfter / 60) }), slot("staleAfter")] })] }),
    drawing.condition.field, drawing.trial.field, make("div", { id: "rule-trial" }),
    make("p", { id: "rule-problems", class: "problem", role: "status" }), make("p", { id: "rule-state", class: "quiet", role: "status" }),
    make("div", { class: "actions", children: [button("Erproben", trying, "strong"), drawing.activate, drawing.save, button("Schließen", close)] }),
  ] });
  element("rule-editor").replaceChildren(drawing.form);
  element("rule-editor").hidden = false;
  tell();
  element("rule-title").focus();
}
