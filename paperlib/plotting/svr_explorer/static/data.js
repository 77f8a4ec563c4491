// From the page's JSON to typed arrays: moments of a network, each with layers, vertices and edges.

/** What `payload.py` made, as {moments, level, least, largest, highest}: bounds of the values and significances. */
export function decode(payload) {
  const moments = payload.moments.map(decodeMoment);
  const [least, largest] = bounds(moments.map((moment) => moment.values));
  const [, highest] = bounds(moments.map((moment) => moment.edges.significance));
  return { moments, level: payload.level, least, largest, highest };
}

function decodeMoment(raw) {
  let start = 0;
  const layers = raw.layers.map((layer) => {
    const whole = { ...layer, start };
    start += layer.count;
    return whole;
  });
  const values = new Float32Array(bytes(raw.singularValues));
  const layerOf = new Uint16Array(values.length);
  layers.forEach((layer, number) => layerOf.fill(number, layer.start, layer.start + layer.count));
  const edges = decodeEdges(raw, layers);
  return {
    label: raw.label,
    layers,
    connections: raw.connections,
    cut: raw.cut,
    candidates: raw.candidates,
    most: raw.most,
    values,
    intensities: new Uint8Array(bytes(raw.intensities)),
    layerOf,
    edges,
    before: incidence(edges.to, edges.strongest, values.length),
    after: incidence(edges.from, edges.strongest, values.length),
  };
}

function decodeEdges(raw, layers) {
  const earlier = new Uint16Array(bytes(raw.earlier));
  const later = new Uint16Array(bytes(raw.later));
  const coefficient = new Float32Array(bytes(raw.coefficients));
  const edges = {
    count: earlier.length,
    from: new Uint32Array(earlier.length),
    to: new Uint32Array(earlier.length),
    coefficient,
    // -log10 of the p-value: the larger, the less chance explains the edge.
    significance: new Float32Array(bytes(raw.significances)),
    // The root of a coefficient is a cosine; it spreads the many weak ones over more greys.
    share: coefficient.map((value) => Math.min(1, Math.sqrt(value))),
    strongest: Uint32Array.from(coefficient.keys()).sort((a, b) => coefficient[b] - coefficient[a]),
  };
  let edge = 0;
  for (const connection of raw.connections) {
    const first = layers[connection.earlier].start;
    const second = layers[connection.later].start;
    for (const end = edge + connection.edges; edge < end; edge += 1) {
      edges.from[edge] = first + earlier[edge];
      edges.to[edge] = second + later[edge];
    }
  }
  return edges;
}

/** Edges at each vertex, strongest first: those of vertex v are list[starts[v]] to list[starts[v + 1] - 1]. */
function incidence(ends, strongest, vertices) {
  const starts = new Uint32Array(vertices + 1);
  for (const vertex of ends) starts[vertex + 1] += 1;
  for (let vertex = 0; vertex < vertices; vertex += 1) starts[vertex + 1] += starts[vertex];
  const next = starts.slice(0, vertices);
  const list = new Uint32Array(ends.length);
  for (const edge of strongest) {
    list[next[ends[edge]]] = edge;
    next[ends[edge]] += 1;
  }
  return { starts, list };
}

function bounds(arrays) {
  let low = Infinity;
  let high = -Infinity;
  for (const array of arrays) {
    for (const value of array) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return [low, high];
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}
