// The situation: what is to be done, open hints, what waits for approval, what holds, and what others warn of, in lists and on a map.
import { activeCard, endedLine, hasEnded } from "./active.js";
import { headline, reviewCard, waitingCard } from "./approvals.js";
import { showDetails } from "./details.js";
import { doing } from "./dialogs.js";
import { drawForeign, foreignCards } from "./foreign.js";
import { hintCard, sortedHints } from "./hints.js";
import { duty, full, isOwn } from "./officer.js";
import { drawTodo } from "./todo.js";
import { drawMap, element, make, none, redraw, severities } from "./words.js";

let drawn = null, layer = null;

function draw() {
  const alerts = duty.alerts.map(full).filter(Boolean);
  const inList = new Map(duty.alerts.map(a => [a.id.toLowerCase(), a]));
  const listed = alert => inList.get(alert.id.toLowerCase());
  const hints = sortedHints();
  const waiting = alerts.filter(a => a.draft && ["submitted", "requested"].includes(listed(a).stage)).sort((a, b) => Number(isOwn(a.draft)) - Number(isOwn(b.draft)));
  const reviews = alerts.filter(a => listed(a).reviewDue && a.head);
  const holding = alerts.filter(a => a.head && !listed(a).ending);
  const ended = duty.alerts.filter(hasEnded).slice(0, 10);
  element("hints-panel").hidden = !duty.isOfficer;
  redraw(element("hints"), hints.length ? hints.map(hintCard) : [none("Kein Hinweis ist offen.")]);
  redraw(element("approvals"), waiting.length + reviews.length ? [...waiting.map(a => waitingCard(a, listed(a))), ...reviews.map(reviewCard)] : [none(duty.isOfficer ? "Nichts wartet auf Freigabe." : "Keine Anfrage ist offen.")]);
  redraw(element("active"), holding.length ? holding.map(a => activeCard(a, listed(a))) : [none("Keine Warnung ist aktiv.")]);
  redraw(element("ended"), ended.length ? ended.map(endedLine) : [none("Noch keine.")]);
  redraw(element("foreign"), duty.foreign.length ? foreignCards(duty.foreign, duty.districts, "item") : [none("Andere Stellen warnen zurzeit vor nichts.")]);
  const count = drawTodo({ hints, waiting, reviews, holding, listed });
  element("waiting").textContent = count || "";
  document.title = `${count ? `(${count}) ` : ""}Warnungen: Dienstseite`;
  drawPlaces(hints, holding, waiting);
}

/** Brings an area into view. */
export function showOnMap(outline) {
  if (!drawn) return;
  element("map").scrollIntoView({ block: "center" });
  drawn.map.fitBounds(L.geoJSON({ type: "MultiPolygon", coordinates: outline }).getBounds().pad(.3), { maxZoom: 14, animate: false });
}

function drawPlaces(hints, holding, waiting) {
  if (!drawn) return;
  layer.clearLayers();
  drawForeign(layer, duty.foreign);
  for (const alert of holding) {
    const practice = alert.mode !== "Actual";
    const shape = L.geoJSON({ type: "MultiPolygon", coordinates: alert.head.content.area.outline }, {
      style: { color: practice ? "#556070" : severities[alert.head.content.severity]?.colour, weight: 3, fillOpacity: practice ? .08 : .25, dashArray: practice ? "6 6" : null },
    });
    layer.addLayer(shape.on("click", () => doing(() => showDetails(alert.id))()));
  }
  for (const { draft } of waiting) {
    const shape = L.geoJSON({ type: "MultiPolygon", coordinates: draft.content.area.outline }, { style: { color: "#0b5cad", weight: 3, fillOpacity: .08, dashArray: "10 6" } });
    layer.addLayer(shape.bindTooltip(make("span", { text: `Wartet auf Freigabe: ${headline(draft.content)}` }), { sticky: true }));
  }
  for (const hint of hints.filter(h => h.latitude !== null)) {
    const mark = L.circleMarker([hint.latitude, hint.longitude], { radius: 9, color: "#fff", weight: 2, fillColor: severities[hint.severity]?.colour, fillOpacity: 1 });
    layer.addLayer(mark.bindPopup(make("strong", { text: hint.title })));
  }
}

export async function startOverview() {
  try {
    drawn = await drawMap("map", "../");
    duty.districts = drawn.districts.features;
    layer = L.layerGroup().addTo(drawn.map);
  } catch (error) {
    element("map").textContent = `Die Karte kann nicht gezeigt werden (${error.message}).`;
  }
  addEventListener("resize", () => drawn?.map.invalidateSize());
  return draw;
}
