// Warnings of other senders, the weather service and neighbours: marked as theirs, with their words and times, those that touch the cities first.
import { overlap } from "./shapes.js";
import { exactly, make, none, severities, text, when } from "./words.js";

const isNear = new Map();

const said = alert => {
  const german = alert.texts.filter(t => t.language.startsWith("de"));
  return german.length ? german : alert.texts;
};

const sender = alert => said(alert).find(t => t.senderName)?.senderName ?? alert.sender;

/** What others say in shapes, each area once, as polygons and circles. */
export const shapesOf = alert => ({ polygons: said(alert).flatMap(t => t.polygons ?? []), circles: said(alert).flatMap(t => t.circles ?? []) });

const around = ({ center: [x, y], radius }) => {
  const [width, height] = [radius / (111.32 * Math.cos((y * Math.PI) / 180)), radius / 110.57];
  return [[[x - width, y - height], [x + width, y - height], [x + width, y + height], [x - width, y + height], [x - width, y - height]]];
};

/** Whether it touches one of the cities' districts. Without shapes nobody knows, and so it does. */
export function touches(alert, districts) {
  const key = `${alert.sender} ${alert.identifier} ${districts.length}`;
  if (!isNear.has(key)) {
    const { polygons, circles } = shapesOf(alert);
    const areas = [...polygons, ...circles.map(around)];
    isNear.set(key, areas.length === 0 || districts.length === 0 || districts.some(d => overlap(areas, d.geometry.coordinates)));
  }
  return isNear.get(key);
}

function places(areas) {
  const names = [...new Set(areas)];
  return names.length > 6 ? `${names.slice(0, 5).join(", ")} und ${names.length - 5} weitere` : names.join(", ");
}

/** One of them; `classes` are those of the page's own cards. */
function card(alert, classes) {
  const texts = said(alert);
  return make("article", { class: `${classes} foreign ${texts[0]?.severity ?? ""} ${alert.status === "Actual" ? "" : "exercise practice"}`, id: `foreign-${alert.identifier}`, tabindex: "-1", children: [
    make("div", { class: "badges", children: [
      make("span", { class: "badge", text: `Fremde Warnung: ${sender(alert)}` }),
      alert.status === "Actual" ? null : make("span", { class: "badge exercise", text: "Übung oder Test – keine echte Gefahr" }),
    ] }),
    ...texts.flatMap(t => [
      make("h3", { lang: t.language, text: t.headline ?? t.event }),
      t.description ? make("p", { lang: t.language, text: t.description }) : null,
      t.instruction ? make("p", { lang: t.language, class: "instruction", text: t.instruction }) : null,
      make("p", { class: "quiet", text: `${severities[t.severity]?.de ?? "Schwere unbekannt"}; ${places(t.areas)}; gilt bis ${when(t.until)}${t.untilIsAssumed ? " (angenommen: der Absender sagt es nicht)" : ""}; gesendet ${exactly(alert.sent)}` }),
    ]),
  ] });
}

/** All of them: those that touch the cities, and folded away those elsewhere. */
export function foreignCards(alerts, districts, classes) {
  const near = alerts.filter(a => touches(a, districts));
  const far = alerts.filter(a => !touches(a, districts));
  return [
    ...near.map(a => card(a, classes)),
    near.length ? null : none("Keine davon betrifft Dortmund oder Schwerte."),
    far.length ? make("details", { id: "foreign-far", children: [make("summary", { text: `Anderswo: ${far.length === 1 ? "eine Warnung" : `${far.length} Warnungen`}` }), ...far.map(a => card(a, classes))] }) : null,
  ].filter(Boolean);
}

/** Draws their outlines, dotted, so that nobody takes them for the city's own. */
export function drawForeign(layer, alerts) {
  for (const alert of alerts) {
    const style = { color: "#455a64", weight: 2, dashArray: "2 6", fillOpacity: .06 };
    const { polygons, circles } = shapesOf(alert);
    const tip = document.createElement("span");
    tip.textContent = `Fremde Warnung, ${sender(alert)}: ${text(alert.texts, "de")?.headline ?? alert.texts[0]?.event ?? ""}`;
    const shapes = [L.geoJSON({ type: "MultiPolygon", coordinates: polygons }, { style }), ...circles.map(({ center: [x, y], radius }) => L.circle([y, x], { ...style, radius: radius * 1000 }))];
    for (const shape of shapes) layer.addLayer(shape.bindTooltip(tip, { sticky: true }));
  }
}
