// What a rule watches for: conditions in words, and the fields in which they are drawn up.
import { decide } from "./city.js";
import { datastreamField } from "./datastreams.js";
import { doing } from "./dialogs.js";
import { showProblems, slot } from "./formproblems.js";
import { datastream, quantity } from "./readings.js";
import { button, make } from "./words.js";

export const kindNames = {
  threshold: "Schwelle", rateOfChange: "Schneller Anstieg oder Abfall", silence: "Sensor schweigt", countOf: "Mehrere von mehreren", all: "Alle zugleich", any: "Wenigstens eine", upstream: "Pegel oberhalb kündigt an",
};
const leaves = ["threshold", "rateOfChange", "silence", "upstream"];
const minutes = seconds => `${Math.round((seconds / 60) * 100) / 100}`.replace(".", ",");
const lasting = seconds => (seconds % 3600 === 0 && seconds ? `${seconds / 3600} h` : `${minutes(seconds)} min`);
export const hours = seconds => `${(seconds / 3600).toLocaleString("de-DE", { maximumFractionDigits: 1 })} h`;
const name = id => datastream(id).name;
const value = (number, id) => quantity(number, datastream(id).unit);

/** The datastreams that it looks at. */
export const datastreamsOf = c => [c.datastream, c.gaugeA, c.gaugeB, ...(c.of ?? []).flatMap(datastreamsOf)].filter(id => id !== undefined);

/** A condition in a sentence. */
export function inWords(c) {
  switch (c.kind) {
    case "threshold": return `${name(c.datastream)} ${c.direction === "above" ? "ab" : "bis"} ${value(c.raiseAt, c.datastream)}${c.for ? `, ${lasting(c.for)} lang` : ""} (vorbei ${c.direction === "above" ? "unter" : "über"} ${value(c.clearAt, c.datastream)})`;
    case "rateOfChange": return `${name(c.datastream)} ${c.direction === "rise" ? "steigt" : "fällt"} um ${value(c.by, c.datastream)} in ${lasting(c.within)}`;
    case "silence": return `${name(c.datastream)} schweigt länger als ${lasting(c.longerThan)}`;
    case "upstream": return `${name(c.gaugeA)} kündigt ${value(c.raiseAt, c.gaugeB)} an ${name(c.gaugeB)} an, ${hours(c.model.lag)} vorher`;
    case "countOf": return `wenigstens ${c.atLeast} von: ${c.of.map(inWords).join("; ")}`;
    case "all": return `alle zugleich: ${c.of.map(inWords).join("; ")}`;
    case "any": return `wenigstens eine: ${c.of.map(inWords).join("; ")}`;
    default: return `(englisch) ${c.kind}`;
  }
}

const number = (text, given, path, { step = "any", min } = {}) => {
  const input = make("input", { type: "number", step, min, value: given ?? null, inputmode: "decimal" });
  return { field: make("label", { children: [make("span", { text }), input, slot(path)] }), value: () => (input.value === "" ? undefined : Number(input.value)) };
};
/** Minutes for people, whole seconds for the city. */
const duration = (text, seconds, path) => {
  const field = number(`${text} (Minuten)`, seconds === undefined ? undefined : Math.round((seconds / 60) * 100) / 100, path, { min: "0" });
  return { field: field.field, value: () => { const given = field.value(); return given === undefined ? undefined : Math.round(given * 60); } };
};
const choice = (text, options, given, path) => {
  const select = make("select", { children: Object.entries(options).map(([key, text]) => make("option", { value: key, text, selected: key === given })) });
  return { field: make("label", { children: [make("span", { text }), select, slot(path)] }), value: () => select.value };
};

/** The fields of one kind: `{fields, value()}`. */
const editors = {
  threshold(c, path) {
    const stream = datastreamField("Datenstrom", c.datastream, `${path}.datastream`);
    const direction = choice("Richtung", { above: "steigt auf oder über", below: "fällt auf oder unter" }, c.direction ?? "above", `${path}.direction`);
    const [raise, clear] = [number("Marke", c.raiseAt, `${path}.raiseAt`), number("Vorbei bei (Abstand gegen Flattern)", c.clearAt, `${path}.clearAt`)];
    const least = duration("Mindestens so lange", c.for ?? 0, `${path}.for`);
    return { fields: [stream, direction, raise, clear, least], value: () => ({ datastream: stream.id() ?? undefined, direction: direction.value(), raiseAt: raise.value(), clearAt: clear.value() ?? raise.value(), for: least.value() ?? 0 }) };
  },
  rateOfChange(c, path) {
    const stream = datastreamField("Datenstrom", c.datastream, `${path}.datastream`);
    const direction = choice("Richtung", { rise: "steigt", fall: "fällt" }, c.direction ?? "rise", `${path}.direction`);
    const [by, clear] = [number("um", c.by, `${path}.by`), number("Vorbei, wenn die Änderung kleiner ist als", c.clearBelow, `${path}.clearBelow`)];
    const within = duration("innerhalb von", c.within, `${path}.within`);
    return { fields: [stream, direction, by, within, clear], value: () => ({ datastream: stream.id() ?? undefined, direction: direction.value(), by: by.value(), within: within.value(), clearBelow: clear.value() ?? by.value() }) };
  },
  silence(c, path) {
    const stream = datastreamField("Datenstrom", c.datastream, `${path}.datastream`);
    const longer = duration("Kein Messwert seit mehr als", c.longerThan, `${path}.longerThan`);
    return { fields: [stream, longer], value: () => ({ datastream: stream.id() ?? undefined, longerThan: longer.value() }) };
  },
  upstream(c, path) {
    let model = c.model;
    const [above, below] = [datastreamField("Pegel oberhalb", c.gaugeA, `${path}.gaugeA`, () => tell(null)), datastreamField("Pegel, um den es geht", c.gaugeB, `${path}.gaugeB`, () => tell(null))];
    const [raise, clear] = [number("Marke am unteren Pegel", c.raiseAt, `${path}.raiseAt`), number("Vorbei bei", c.clearAt, `${path}.clearAt`)];
    const certainty = choice("Wie sicher", { Likely: "wahrscheinlich (Mitte der Vorhersage)", Possible: "möglich (oberer Rand: früher, öfter falsch)" }, c.certainty ?? "Likely", `${path}.certainty`);
    const days = number("Aus den letzten Tagen", 90, "days", { step: "1", min: "1" });
    const said = make("p", { class: "then", role: "status" });
    const unit = () => datastream(below.id() ?? 0).unit;
    const tell = fit => {
      model = fit ? fit.model : fit === null ? undefined : model;
      if (!model) said.textContent = "Noch kein Modell: es wird aus der Vergangenheit beider Pegel bestimmt.";
      else said.textContent = `Laufzeit ${hours(model.lag)}, aus ${model.floods} Hochwassern; Fehler ${quantity(model.error, unit())}`
        + (fit ? ` (ohne Modell ${quantity(fit.errorIfUnchanged, unit())}); im 90-%-Band lagen ${Math.round(fit.coverage.all * 100)} % der Fälle, die es nicht kannte.` : ".");
    };
    tell(undefined);
    const find = doing(async () => {
      const form = said.closest("form");
      showProblems(form, []);
      try {
        tell(await decide("rules:fit", { gaugeA: above.id() ?? undefined, gaugeB: below.id() ?? undefined, days: days.value() }, { within: 60_000 }));
      } catch (error) {
        tell(null);
        if (!error.errors?.length) throw error;
        const left = showProblems(form, error.errors.map(e => ({ ...e, path: e.path === "days" ? "days" : `${path}.${e.path}` })));
        said.textContent = `Kein Modell. ${left}`;
      }
    });
    const fitting = { field: make("div", { children: [days.field, button("Modell bestimmen", find), said, slot(`${path}.model`)] }) };
    return { fields: [above, below, raise, clear, certainty, fitting], value: () => ({ gaugeA: above.id() ?? undefined, gaugeB: below.id() ?? undefined, model, raiseAt: raise.value(), clearAt: clear.value() ?? raise.value(), certainty: certainty.value() }) };
  },
};

/** Several conditions within one; `atLeast` for how many of them must hold. */
function several(c, path, kind) {
  const least = kind === "countOf" ? number("Wenigstens so viele", c.atLeast ?? 2, `${path}.atLeast`, { step: "1", min: "1" }) : null;
  const place = make("div");
  let parts = (c.of ?? [{ kind: "threshold" }, { kind: "threshold" }]).map((part, index) => conditionEditor(part, `${path}.of[${index}]`, leaves));
  const again = values => { parts = values.map((part, index) => conditionEditor(part, `${path}.of[${index}]`, leaves)); draw(); };
  const draw = () => place.replaceChildren(...parts.map((part, index) => make("div", { class: "part", children: [part.field, parts.length > 1 ? button(`Bedingung ${index + 1} entfernen`, () => again(parts.filter((_, i) => i !== index).map(p => p.value()))) : null] })));
  draw();
  const add = button("Weitere Bedingung", () => again([...parts.map(p => p.value()), { kind: parts.at(-1)?.value().kind ?? "threshold" }]));
  const whole = { field: make("div", { children: [place, add, slot(`${path}.of`)] }) };
  return { fields: least ? [least, whole] : [whole], value: () => ({ ...(least ? { atLeast: least.value() } : {}), of: parts.map(p => p.value()) }) };
}

/** The fields of a condition, with its kind to choose. What is nested deeper than this form goes is kept as it is. */
export function conditionEditor(condition, path, kinds = Object.keys(kindNames)) {
  if (!kinds.includes(condition.kind)) return { field: make("p", { class: "quiet", text: `Bleibt, wie es ist: ${inWords(condition)}` }), value: () => condition };
  let inner = null;
  const select = make("select", { "data-kind": path, children: kinds.map(kind => make("option", { value: kind, text: kindNames[kind], selected: kind === condition.kind })) });
  const fields = make("div", { class: "columns" });
  const draw = given => {
    inner = editors[select.value] ? editors[select.value](given, path) : several(given, path, select.value);
    fields.className = editors[select.value] ? "columns" : "";
    fields.replaceChildren(...inner.fields.map(f => f.field));
  };
  select.addEventListener("change", () => draw({}));
  draw(condition);
  return {
    field: make("fieldset", { children: [make("legend", { text: path === "condition" ? "Bedingung" : `Bedingung ${Number(path.match(/\[(\d+)\]$/)?.[1] ?? 0) + 1}` }), make("label", { children: [make("span", { text: "Art" }), select] }), fields, slot(path)] }),
    value: () => ({ kind: select.value, ...inner.value() }),
  };
}
