// Where a warning holds, drawn and chosen: districts by name, circles, and polygons by clicking, by keyboard or as a list of coordinates.
import { crossesItself } from "./shapes.js";
import { button, drawMap, make } from "./words.js";

const red = { color: "#c62828", weight: 2, fillOpacity: .25, interactive: false };
const round = value => Number(value.toFixed(5));

/** Corners from lines or pairs of "51.48, 7.42": latitude first, as maps name places. */
export function cornersOf(text) {
  const numbers = [...text.matchAll(/-?\d+(?:[.,]\d+)?/g)].map(found => Number(found[0].replace(",", ".")));
  if (numbers.length % 2 || numbers.length < 6) throw new Error("Ein Vieleck braucht wenigstens drei Ecken, je Zeile Breite und Länge: 51.48 7.42");
  const corners = [];
  for (let i = 0; i < numbers.length; i += 2) corners.push([round(numbers[i + 1]), round(numbers[i])]);
  if (corners.some(([x, y]) => Math.abs(x) > 180 || Math.abs(y) > 90)) throw new Error("Die Breite liegt zwischen -90 und 90, die Länge zwischen -180 und 180.");
  return corners;
}

/** Corners as they can be read and changed. */
export const textOf = ring => ring.slice(0, -1).map(([x, y]) => `${y} ${x}`).join("\n");

/**
 * The part of a form in which an area is chosen. `slot(path)` makes the place for what is wrong with it, `districts` are GeoJSON features.
 * `value()` is what the city takes; `start()` draws the map, once the form is in the page.
 */
export function areaEditor(area, districts, slot) {
  let shapes = { circles: [...area.circles], polygons: [...area.polygons], open: [] };
  /** What was there before each step, to go back to. */
  const past = [];
  let map = null, layer = null;

  const description = make("input", { name: "area", value: area.description });
  const boxes = districts.map(({ properties: { name } }) => make("input", { type: "checkbox", name: "districts", value: name, checked: area.districts.includes(name), on: { change: () => draw() } }));
  const radius = make("input", { name: "radius", type: "number", min: "0.1", max: "100", step: "0.1", value: "1" });
  const tools = [["circle", "Kreis"], ["polygon", "Vieleck"]].map(([value, label], index) => make("label", { class: "check", children: [
    make("input", { type: "radio", name: "tool", value, checked: index === 0, on: { change: () => draw() } }), make("span", { text: label })] }));
  const tool = () => tools.find(t => t.firstChild.checked).firstChild.value;
  const place = make("div", { id: "editor-map", tabindex: "0", "aria-label": "Karte zum Zeichnen. Mit den Pfeiltasten verschieben; die Knöpfe darunter setzen Punkte in ihre Mitte." });
  const list = make("div", { id: "shapes" });
  const problem = make("p", { class: "problem", role: "status", hidden: true });
  const corners = make("textarea", { name: "corners", rows: "4", placeholder: "51.48 7.42\n51.49 7.44\n51.47 7.45" });
  const chosen = () => boxes.filter(box => box.checked).map(box => box.value);

  function change(next) {
    past.push(shapes);
    shapes = { ...shapes, ...next };
    problem.hidden = true;
    draw();
  }
  function complain(text) {
    problem.textContent = text;
    problem.hidden = false;
  }

  function put([x, y]) {
    const at = [round(x), round(y)];
    if (tool() === "circle") {
      const size = Number(radius.value);
      if (!(size > 0 && size <= 100)) return complain("Der Radius eines Kreises liegt zwischen 0 und 100 km.");
      return change({ circles: [...shapes.circles, { center: at, radius: size }] });
    }
    change({ open: [...shapes.open, at] });
  }

  function add(open) {
    if (open.length < 3) return complain("Ein Vieleck braucht wenigstens drei Ecken.");
    const ring = [...open, open[0]];
    if (crossesItself(ring)) return complain("Die Linie kreuzt sich: so umschließt sie kein Gebiet.");
    change({ polygons: [...shapes.polygons, [ring]], open: [] });
  }

  const close = button("Vieleck schließen", () => add(shapes.open));
  const center = button("Punkt in der Kartenmitte", () => { const { lng, lat } = map.getCenter(); put([lng, lat]); });
  const undo = button("Rückgängig", () => {
    const before = past.pop();
    if (!before) return;
    shapes = before;
    problem.hidden = true;
    draw();
  });
  const take = button("Als Vieleck übernehmen", () => {
    try {
      add(cornersOf(corners.value));
      if (problem.hidden) corners.value = "";
    } catch (error) {
      complain(error.message);
    }
  });

  const without = (name, index) => change({ [name]: shapes[name].filter((_, i) => i !== index) });
  const amend = index => {
    corners.value = textOf(shapes.polygons[index][0]);
    without("polygons", index);
    corners.focus();
  };

  function drawList() {
    list.replaceChildren(
      ...shapes.circles.map(({ center: [x, y], radius: size }, index) => make("p", { children: [
        make("span", { text: `Kreis ${index + 1}: ${size} km um ${y.toFixed(4)}, ${x.toFixed(4)} ` }), button(`Kreis ${index + 1} löschen`, () => without("circles", index))] })),
      ...shapes.polygons.map((rings, index) => make("div", { children: [make("p", { children: [
        make("span", { text: `Vieleck ${index + 1}: ${rings[0].length - 1} Ecken ` }), button(`Vieleck ${index + 1} löschen`, () => without("polygons", index)), " ",
        rings.length === 1 && rings[0].length <= 100 ? button(`Vieleck ${index + 1} als Text ändern`, () => amend(index)) : null] }), slot(`area.polygons[${index}]`)] })),
      ...(shapes.open.length ? [make("p", { role: "status", text: `Offenes Vieleck: ${shapes.open.length} ${shapes.open.length === 1 ? "Ecke" : "Ecken"}. Es zählt erst, wenn es geschlossen ist.` })] : []));
    close.hidden = tool() !== "polygon";
    close.disabled = shapes.open.length < 3;
    undo.disabled = past.length === 0;
    radius.parentElement.hidden = tool() !== "circle";
  }

  function draw() {
    drawList();
    if (!map) return;
    layer.clearLayers();
    const names = new Set(chosen());
    layer.addLayer(L.geoJSON(districts.filter(d => names.has(d.properties.name)), { style: red, interactive: false }));
    for (const rings of shapes.polygons) layer.addLayer(L.geoJSON({ type: "Polygon", coordinates: rings }, { style: red, interactive: false }));
    for (const { center: [x, y], radius: size } of shapes.circles) layer.addLayer(L.circle([y, x], { ...red, radius: size * 1000 }));
    if (!shapes.open.length) return;
    const open = shapes.open.map(([x, y]) => [y, x]);
    layer.addLayer(L.polyline(open, { ...red, dashArray: "4 4" }));
    for (const [index, corner] of open.entries()) {
      const mark = L.circleMarker(corner, { radius: index ? 5 : 9, color: "#c62828", fillColor: "#fff", fillOpacity: 1, interactive: index === 0, bubblingMouseEvents: false });
      layer.addLayer(index ? mark : mark.on("click", () => add(shapes.open)).bindTooltip("Hier klicken schließt das Vieleck"));
    }
  }

  const form = make("fieldset", { children: [
    make("legend", { text: "Gebiet" }),
    make("label", { children: [make("span", { text: "In Worten" }), description, slot("area.description")] }),
    make("div", { children: [make("div", { class: "choices", children: boxes.map(box => make("label", { class: "check", children: [box, make("span", { text: box.value })] })) }), slot("area.districts"), slot("area")] }),
    make("div", { class: "tools", role: "radiogroup", "aria-label": "Was ein Klick auf die Karte zeichnet", children: [make("span", { text: "Auf der Karte zeichnen:" }), ...tools, make("label", { class: "inline", children: [make("span", { text: "Radius in km" }), radius] })] }),
    place, make("div", { class: "actions", children: [center, close, undo] }), problem, list, slot("area.circles"), slot("area.polygons"),
    make("details", { children: [make("summary", { text: "Vieleck als Koordinaten eingeben" }), make("label", { children: [make("span", { text: "Je Zeile eine Ecke: Breite und Länge in Grad" }), corners]}), take] }),
  ] });

  drawList();
  return {
    form,
    async start() {
      try {
        const drawn = await drawMap(place, "../");
        map = drawn.map;
        layer = L.layerGroup().addTo(map);
        map.on("click", ({ latlng }) => put([latlng.lng, latlng.lat]));
        const { circles, polygons } = shapes;
        if (circles.length || polygons.length) map.fitBounds(L.featureGroup([...polygons.map(coordinates => L.geoJSON({ type: "Polygon", coordinates })), ...circles.map(c => L.circleMarker([c.center[1], c.center[0]]))]).getBounds().pad(.5), { maxZoom: 13, animate: false });
        draw();
      } catch (error) {
        place.textContent = `Die Karte kann nicht gezeigt werden (${error.message}).`;
      }
    },
    resize: () => map?.invalidateSize(),
    /** Refuses while a polygon is open: nobody should warn a smaller area than they have drawn. */
    value() {
      if (shapes.open.length) {
        complain("Das Vieleck ist noch offen: schließen Sie es, oder gehen Sie mit „Rückgängig“ zurück.");
        throw Object.assign(new Error("Ein Vieleck ist noch offen."), { errors: [] });
      }
      return { description: description.value.trim(), districts: chosen(), circles: shapes.circles, polygons: shapes.polygons };
    },
  };
}
