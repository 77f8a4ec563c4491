// Where the equivalence classes stand: a row for each number of hyperedges, and few crossings of edges.

const ROW = 74;
// Left of the vertices stand the numbers of hyperedges of the rows.
const MARGIN = 66;
// Pixels that a vertex takes where there is room.
const ROOMY = 96;
// And at least, where its lines would be straighter.
const LEAST_ROOM = 58;
const SWEEPS = 8;
const ROUNDS = 12;
// Room for an edge that passes a row, beside 1 for a vertex.
const PASSAGE = 0.4;

/** Keeps a class's identity from one (q, p) to another: the hyperedges that it stands for. */
export function key([, hyperedges]) {
  return hyperedges.join(",");
}

/**
 * {width, height, rows, points, vertices, ways} of a cell, `width` pixels wide. Points have key, x and y; vertices are
 * those of classes, with their `place` among these; ways are the keys of the points that each edge goes through.
 */
export function layout(cell, width) {
  const sizes = [...new Set(cell.classes.map(([, hyperedges]) => hyperedges.length))].sort((a, b) => b - a);
  const rowOf = (place) => sizes.indexOf(cell.classes[place][1].length);
  const rows = sizes.map(() => []);
  cell.classes.forEach((one, place) => rows[rowOf(place)].push({ key: key(one), place, room: 1, up: [], down: [] }));
  const points = new Map(rows.flat().map((point) => [point.key, point]));
  const ways = cell.edges.map(([larger, smaller]) => {
    const ends = [larger, smaller].map((place) => points.get(key(cell.classes[place])));
    return way(ends, rowOf(larger), rowOf(smaller), rows);
  });
  rows.forEach(spread);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) sortByNeighbours(row, down ? "up" : "down");
  }
  rows.forEach((row, number) => {
    const wide = Math.min(width - MARGIN, ROOMY * taken(row));
    for (const point of row) {
      Object.assign(point, { x: (width + MARGIN) / 2 + wide * (point.rank - 0.5), y: ROW * (number + 0.5) });
    }
  });
  for (let round = 0; round < ROUNDS; round += 1) for (const row of rows) straighten(row, width);
  const all = rows.flat();
  const ends = all.map(({ x }) => x);
  const shift = (width + MARGIN - Math.min(...ends) - Math.max(...ends)) / 2;
  for (const point of all) point.x += shift;
  return {
    width,
    height: ROW * Math.max(1, rows.length),
    rows: sizes.map((size, number) => ({ size, y: ROW * (number + 0.5) })),
    points: all,
    vertices: all.filter(({ place }) => place !== undefined),
    ways,
  };
}

/** The keys from one end of an edge to the other, with a new point in each row between. */
function way([from, to], first, last, rows) {
  const points = [from];
  for (let row = first + 1; row < last; row += 1) {
    const point = { key: `${from.key}>${to.key}@${last - row}`, room: PASSAGE, up: [], down: [] };
    rows[row].push(point);
    points.push(point);
  }
  points.push(to);
  for (let i = 1; i < points.length; i += 1) {
    points[i].up.push(points[i - 1]);
    points[i - 1].down.push(points[i]);
  }
  return points.map((point) => point.key);
}

/** Sort a row by the mean place of what each of it is joined to on one side. */
function sortByNeighbours(row, side) {
  const means = new Map(
    row.map((point) => {
      const ends = point[side].map(({ rank }) => rank);
      return [point, ends.length ? ends.reduce((sum, rank) => sum + rank) / ends.length : point.rank];
    }),
  );
  // Sorting keeps the order of equals.
  row.sort((one, other) => means.get(one) - means.get(other));
  spread(row);
}

function spread(row) {
  const whole = taken(row);
  let before = 0;
  for (const point of row) {
    point.rank = (before + point.room / 2) / whole;
    before += point.room;
  }
}

/** Move the points of a row towards the middle of what they are joined to, in their order and with room between. */
function straighten(row, width) {
  const unit = Math.min(LEAST_ROOM, (width - MARGIN) / taken(row));
  const gap = (i) => (unit * (row[i].room + row[i + 1].room)) / 2;
  const wanted = row.map(({ x, up, down }) => {
    const ends = [...up, ...down];
    return ends.length ? ends.reduce((sum, end) => sum + end.x, 0) / ends.length : x;
  });
  // Pushed to the right and pushed to the left; halfway between keeps the gaps and favours neither.
  const [right, left] = [[...wanted], [...wanted]];
  for (let i = 1; i < row.length; i += 1) right[i] = Math.max(right[i], right[i - 1] + gap(i - 1));
  for (let i = row.length - 2; i >= 0; i -= 1) left[i] = Math.min(left[i], left[i + 1] - gap(i));
  row.forEach((point, i) => {
    point.x = (right[i] + left[i]) / 2;
  });
  const half = (unit * row[0].room) / 2;
  row.forEach((point, i) => {
    point.x = Math.max(point.x, i ? row[i - 1].x + gap(i - 1) : MARGIN + half);
  });
  for (let i = row.length - 1; i >= 0; i -= 1) {
    const most = i + 1 < row.length ? row[i + 1].x - gap(i) : width - (unit * row[i].room) / 2;
    row[i].x = Math.min(row[i].x, most);
  }
}

function taken(row) {
  return row.reduce((sum, { room }) => sum + room, 0);
}

/** All places above, or below, one in the order: those that edges lead to, again and again. */
export function reached(edges, place, above) {
  const [from, to] = above ? [1, 0] : [0, 1];
  const found = new Set();
  const waiting = [place];
  while (waiting.length) {
    const at = waiting.pop();
    for (const edge of edges) {
      if (edge[from] === at && !found.has(edge[to])) {
        found.add(edge[to]);
        waiting.push(edge[to]);
      }
    }
  }
  return found;
}
