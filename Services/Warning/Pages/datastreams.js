// Choosing a datastream by its name, at the sensors' service of the same city.
import { neighbour } from "./city.js";
import { datastream, datastreamNames, keep } from "./readings.js";
import { slot } from "./formproblems.js";
import { make } from "./words.js";

let number = 0;
const label = id => `${datastream(id).name} · ${id}`;

async function found(words) {
  const matching = words.trim().toLowerCase().split(/\s+/).filter(Boolean).map(w => `contains(tolower(name),'${w.replaceAll("'", "''")}')`);
  const filter = matching.length ? `&$filter=${encodeURIComponent(matching.join(" and "))}` : "";
  const { value } = await neighbour(`sensors/v1.1/Datastreams?$select=id,name,unitOfMeasurement&$top=30&$orderby=name${filter}`);
  keep(value);
  return value.map(d => d["@iot.id"]);
}

/** A field for one of them: `id()` is what is chosen, `unit()` its unit; `path` is the field's in the JSON, `changed` is told of a choice. */
export function datastreamField(text, chosen, path, changed = () => {}) {
  let id = chosen ?? null;
  number += 1;
  const list = make("datalist", { id: `datastreams-${number}` });
  const input = make("input", { type: "search", list: list.id, placeholder: "Name des Pegels oder Sensors", autocomplete: "off", value: id === null ? null : label(id) });
  const unit = make("span", { class: "counter" });
  const tell = () => { unit.textContent = id === null ? "Noch keiner gewählt: einen aus der Liste nehmen." : `Gewählt: ${datastream(id).name}${datastream(id).unit ? `, in ${datastream(id).unit}` : ""}`; };
  let asking = null;
  const look = async () => {
    try {
      const ids = await found(input.value.split(" · ")[0]);
      list.replaceChildren(...ids.map(id => make("option", { value: label(id) })));
      if (id === null && !ids.length) unit.textContent = "Kein Datenstrom heißt so.";
    } catch {
      unit.textContent = "Der Dienst der Sensoren antwortet nicht: die Nummer des Datenstroms genügt.";
    }
  };
  input.addEventListener("input", () => {
    const said = input.value.match(/(?:^|· )(\d+)$/);
    id = said ? Number(said[1]) : null;
    tell();
    if (id !== null) datastreamNames([id]).then(tell);
    changed();
    clearTimeout(asking);
    asking = setTimeout(look, 250);
  });
  input.addEventListener("focus", () => { if (!list.hasChildNodes()) look(); });
  tell();
  return { field: make("label", { children: [make("span", { text }), input, list, unit, slot(path)] }), id: () => id };
}
