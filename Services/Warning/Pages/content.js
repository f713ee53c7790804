// What a warning says, between the city's JSON and the fields of a form.
import { channelName } from "./details.js";
import { slot } from "./formproblems.js";
import { local, make, severities, text } from "./words.js";

export const categories = {
  Met: "Wetter", Geo: "Gelände", Safety: "Sicherheit", Security: "Öffentliche Ordnung", Rescue: "Rettung", Fire: "Feuer und Rauch", Health: "Gesundheit",
  Env: "Umwelt", Transport: "Verkehr", Infra: "Versorgung", CBRNE: "Gefahrstoffe", Other: "Anderes",
};
const urgencies = { Immediate: "sofort", Expected: "bald", Future: "später", Past: "vorbei" };
const certainties = { Observed: "beobachtet", Likely: "wahrscheinlich", Possible: "möglich", Unlikely: "unwahrscheinlich" };
export const parts = [["event", "Ereignis in einem Wort", 1], ["headline", "Überschrift", 1], ["description", "Was geschieht", 4], ["instruction", "Was zu tun ist", 3]];
export const languages = [["de-DE", "Deutsch"], ["en-GB", "Englisch"]];
const marks = { Actual: ["", ""], Exercise: ["ÜBUNG: ", "EXERCISE: "], Test: ["PROBEWARNUNG: ", "TEST ALERT: "] };
/** Characters of headline and description that fit into a channel; the city has the last word when it is submitted. */
const limits = {
  app: [100, 4000], webhook: [200, 10000], email: [200, 10000], "cap-feed": [200, 10000], displays: [70, Infinity], topic: [200, 10000],
  "mowas-handover": [200, 4000], sirens: [200, 10000], "loudspeaker-vans": [200, 500],
};

/** What the end of a warning begins with. */
const endings = {
  "all-clear": {
    de: headline => ["Entwarnung", `Entwarnung: ${headline}`, "Die Gefahr ist vorüber.", "Sie müssen nichts weiter tun."],
    en: headline => ["All clear", `All clear: ${headline}`, "The danger is over.", "You need not do anything further."],
  },
  cancel: {
    de: headline => ["Widerruf", `Widerruf: ${headline}`, "Die Warnung wird zurückgenommen: die Gefahr besteht nicht.", "Sie müssen nichts weiter tun."],
    en: headline => ["Cancelled", `Cancelled: ${headline}`, "The warning is withdrawn: there is no such danger.", "You need not do anything further."],
  },
};

export const isEnding = kind => kind in endings;

/** The texts of the end of what was issued. */
export const endingTexts = (kind, texts) => ["de", "en"].map(language => {
  const last = text(texts, language);
  const said = endings[kind][language](last?.headline ?? "");
  return { language: last?.language ?? language, ...Object.fromEntries(parts.map(([part], at) => [part, said[at]])) };
});

export const empty = () => ({
  categories: ["Met"], urgency: "Immediate", severity: "Severe", certainty: "Observed", responseTypes: [], expires: new Date(Date.now() + 6 * 3_600_000).toISOString(),
  texts: [], area: { description: "", districts: [], circles: [], polygons: [] }, channels: ["app", "webhook", "email", "cap-feed", "topic"],
});

export const select = (name, label, options, value) => make("label", { children: [
  make("span", { text: label }), make("select", { name, children: Object.entries(options).map(([key, text]) => make("option", { value: key, text, selected: key === value })) }), slot(name),
] });

export const factFields = content => make("div", { class: "columns", children: [
  select("categories", "Art der Gefahr", categories, content.categories[0]), select("severity", "Schwere", Object.fromEntries(Object.entries(severities).map(([k, v]) => [k, v.de])), content.severity),
  select("urgency", "Dringlichkeit", urgencies, content.urgency), select("certainty", "Gewissheit", certainties, content.certainty),
  make("label", { children: [make("span", { text: "Gilt bis" }), make("input", { type: "datetime-local", name: "expires", value: local(content.expires) }), slot("expires")] }),
] });

export const textFields = content => languages.map(([language, name], index) => make("fieldset", { lang: language.slice(0, 2), children: [
  make("legend", { text: name, lang: "de" }),
  ...parts.map(([part, label, rows]) => {
    const input = rows > 1 ? make("textarea", { rows, name: `${part}-${index}` }) : make("input", { name: `${part}-${index}` });
    input.value = text(content.texts, language.slice(0, 2))?.[part] ?? "";
    const counter = part === "headline" || part === "description" ? make("span", { class: "counter", "data-counts": `${part}-${index}` }) : null;
    return make("label", { children: [make("span", { text: label, lang: "de" }), input, counter, slot(`texts[${index}].${part}`)] });
  }),
] }));

export const channelFields = content => make("fieldset", { children: [make("legend", { text: "Kanäle" }), ...Object.keys(limits).map(name => make("label", { class: "check", children: [
  make("input", { type: "checkbox", name: "channels", value: name, checked: content.channels.includes(name) }), make("span", { text: channelName(name) })] })), slot("channels")] });

/** How much fits, by the narrowest of the channels chosen. */
export function count(form, mode, channels) {
  for (const counter of form.querySelectorAll("[data-counts]")) {
    const [part, index] = counter.dataset.counts.split("-");
    const at = part === "headline" ? 0 : 1;
    const narrow = channels.reduce((least, name) => (limits[name][at] < least[1] ? [name, limits[name][at]] : least), [null, Infinity]);
    const length = [...(part === "headline" ? marks[mode][Number(index)] : "") + form.elements[counter.dataset.counts].value].length;
    counter.textContent = narrow[0] ? `${length} von ${narrow[1]} Zeichen (${channelName(narrow[0])})` : `${length} Zeichen`;
    counter.classList.toggle("over", length > narrow[1]);
  }
}

export const checked = (form, name) => [...form.querySelectorAll(`[name="${name}"]:checked`)].map(box => box.value);

export const readTexts = (form, content) => languages.map(([language], index) => ({
  language: text(content.texts, language.slice(0, 2))?.language ?? language, ...Object.fromEntries(parts.map(([part]) => [part, form.elements[`${part}-${index}`].value.trim()])),
}));

/** The whole content as the city takes it, of a message that is no ending; what the form does not show stays as it is. */
export function readContent(form, content, area) {
  const others = content.texts.filter(t => !t.language.startsWith("de") && !t.language.startsWith("en"));
  const until = new Date(form.elements.expires.value);
  if (Number.isNaN(until.getTime())) throw Object.assign(new Error("Bis wann sie gilt, fehlt."), { errors: [{ path: "expires", problem: "is missing", expected: "a time to come" }] });
  const first = form.elements.categories.value;
  return {
    ...optional(content), responseTypes: content.responseTypes ?? [], texts: [...readTexts(form, content), ...others],
    categories: [first, ...content.categories.slice(1).filter(c => c !== first)], severity: form.elements.severity.value, urgency: form.elements.urgency.value,
    certainty: form.elements.certainty.value, expires: until.toISOString(), channels: checked(form, "channels"), area,
  };
}

const optional = content => Object.fromEntries(["eventCode", "onset", "contact", "web"].filter(name => content[name]).map(name => [name, content[name]]));

/** The same of an ending: nothing but its words can be written. */
export function readEnding(form, content) {
  const { categories, urgency, severity, certainty, expires, channels, responseTypes, area: { description, districts, circles, polygons } } = content;
  return { ...optional(content), categories, urgency, severity, certainty, expires, channels, responseTypes, texts: readTexts(form, content), area: { description, districts, circles, polygons } };
}

/** Writes into the form what a template says; what it leaves open stays as it is. */
export function fill(form, template) {
  const { content } = template;
  for (const name of ["severity", "urgency", "certainty"]) if (content[name]) form.elements[name].value = content[name];
  if (content.categories?.length) [form.elements.categories.value] = content.categories;
  for (const [index, [language]] of languages.entries()) {
    const said = text(content.texts ?? [], language.slice(0, 2));
    for (const [part] of parts) if (said?.[part]) form.elements[`${part}-${index}`].value = said[part];
  }
  if (content.channels) for (const box of form.querySelectorAll('[name="channels"]')) box.checked = content.channels.includes(box.value);
}
