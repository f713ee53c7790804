// Places and areas compared on the device: where somebody is never leaves it. Areas are the coordinates of GeoJSON polygons, in degrees.

/** Whether a place `[longitude, latitude]` lies in one of the polygons, not in a hole (even-odd rule). */
export function contains(polygons, [x, y]) {
  return polygons.some(rings => {
    let inside = false;
    for (const ring of rings) {
      for (let i = 0; i + 1 < ring.length; i++) {
        const [[ax, ay], [bx, by]] = [ring[i], ring[i + 1]];
        if ((ay > y) !== (by > y) && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
      }
    }
    return inside;
  });
}

const side = ([ax, ay], [bx, by], [px, py]) => Math.sign((bx - ax) * (py - ay) - (by - ay) * (px - ax));
const cross = (a, b, c, d) => side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);

/** Whether two areas have anything in common: one too many rather than one too few. */
export function overlap(left, right) {
  const corners = polygons => polygons.flatMap(rings => rings[0]);
  if (corners(left).some(place => contains(right, place)) || corners(right).some(place => contains(left, place))) return true;
  const edges = polygons => polygons.flatMap(rings => rings.flatMap(ring => ring.slice(1).map((end, index) => [ring[index], end])));
  const others = edges(right);
  return edges(left).some(([a, b]) => others.some(([c, d]) => cross(a, b, c, d)));
}

/** Whether a closed line of places meets itself anywhere but at its corners. */
export function crossesItself(ring) {
  const edges = ring.slice(1).map((end, index) => [ring[index], end]);
  return edges.some(([a, b], i) => edges.some(([c, d], j) => j > i + 1 && !(i === 0 && j === edges.length - 1) && cross(a, b, c, d)));
}
