// Questions to the graph: an edge counts where its significance reaches the threshold of the slider.

/** Up to `limit` edges before (or after) a vertex, strongest first. */
export function edgesAt(moment, vertex, side, threshold, limit = Infinity) {
  const { starts, list } = moment[side];
  const found = [];
  for (let place = starts[vertex]; place < starts[vertex + 1] && found.length < limit; place += 1) {
    if (moment.edges.significance[list[place]] >= threshold) found.push(list[place]);
  }
  return found;
}

/** The vertex at the other end of an edge that lies before (or after) a vertex. */
export function otherEnd(moment, edge, side) {
  return side === "before" ? moment.edges.from[edge] : moment.edges.to[edge];
}

/** Edges of the chain through a vertex that follows the strongest edge at each step, both ways, in running order. */
export function strongestChain(moment, vertex, threshold) {
  const walk = (side) => {
    const edges = [];
    for (let place = vertex, [edge] = edgesAt(moment, place, side, threshold, 1); edge !== undefined; ) {
      edges.push(edge);
      place = otherEnd(moment, edge, side);
      [edge] = edgesAt(moment, place, side, threshold, 1);
    }
    return edges;
  };
  return [...walk("before").reverse(), ...walk("after")];
}

/** The strongest edges that count, of all or of one vertex. */
export function strongestEdges(moment, vertex, threshold, limit) {
  if (vertex !== null) {
    const both = [...edgesAt(moment, vertex, "before", threshold), ...edgesAt(moment, vertex, "after", threshold)];
    return both.sort((a, b) => moment.edges.coefficient[b] - moment.edges.coefficient[a]).slice(0, limit);
  }
  const found = [];
  for (const edge of moment.edges.strongest) {
    if (found.length === limit) break;
    if (moment.edges.significance[edge] >= threshold) found.push(edge);
  }
  return found;
}

/**
 * How many edges count, how many pairs chance alone would join at the threshold, and whether edges that count are
 * missing because only the strongest of each connection were kept.
 */
export function edgeCounts(moment, threshold) {
  const { significance } = moment.edges;
  let shown = 0;
  let cut = false;
  let edge = 0;
  for (const { edges, significant } of moment.connections) {
    let counting = 0;
    for (const end = edge + edges; edge < end; edge += 1) if (significance[edge] >= threshold) counting += 1;
    shown += counting;
    cut ||= significant > edges && counting === edges;
  }
  return { shown, cut, chance: moment.candidates * Math.min(moment.cut, 10 ** -threshold) };
}

/** The vertex that an arrow key leads to from a vertex. */
export function step(moment, vertex, key, threshold) {
  const layer = moment.layers[moment.layerOf[vertex]];
  const last = layer.start + layer.count - 1;
  switch (key) {
    // Singular values decrease with the index.
    case "ArrowUp":
      return Math.max(layer.start, vertex - 1);
    case "ArrowDown":
      return Math.min(last, vertex + 1);
    case "Home":
      return layer.start;
    case "End":
      return last;
    case "ArrowLeft":
      return across(moment, vertex, "before", threshold);
    case "ArrowRight":
      return across(moment, vertex, "after", threshold);
    default:
      return vertex;
  }
}

/** Along the strongest edge; where none counts, to the vertex of the same index in the neighbouring layer. */
function across(moment, vertex, side, threshold) {
  const [edge] = edgesAt(moment, vertex, side, threshold, 1);
  if (edge !== undefined) return otherEnd(moment, edge, side);
  const here = moment.layerOf[vertex];
  const next = moment.layers[here + (side === "before" ? -1 : 1)];
  if (next === undefined) return vertex;
  return next.start + Math.min(vertex - moment.layers[here].start, next.count - 1);
}
