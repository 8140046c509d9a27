import { withResidual, type Pattern } from './rollout.js';

interface Edge {
  readonly to: number;
  capacity: number;
  /** The edge back, in the list of `to`. */
  readonly back: number;
}

/** A network of pipes. Mutable while a flow is sought. */
class Network {
  readonly #edges: Edge[][];
  constructor(nodes: number) {
    this.#edges = Array.from({ length: nodes }, () => []);
  }

  pipe(from: number, to: number, capacity: number): void {
    const [out, into] = [this.#edges[from] ?? [], this.#edges[to] ?? []];
    out.push({ to, capacity, back: into.length });
    into.push({ to: from, capacity: 0, back: out.length - 1 });
  }

  /** The largest flow, by shortest paths with room left. Edmonds & Karp 1972. */
  flow(source: number, sink: number): number {
    let whole = 0;
    for (let path = this.#path(source, sink); path.length > 0; path = this.#path(source, sink)) {
      const room = Math.min(...path.map((edge) => edge.capacity));
      for (const edge of path) {
        edge.capacity -= room;
        const back = this.#edges[edge.to]?.[edge.back];
        if (back) back.capacity += room;
      }
      whole += room;
    }
    return whole;
  }

  #path(source: number, sink: number): readonly Edge[] {
    const came = new Map<number, { readonly edge: Edge; readonly from: number }>();
    const open = [source];
    for (const node of open) {
      if (node === sink) break;
      for (const edge of this.#edges[node] ?? [])
        if (edge.capacity > 1e-12 && edge.to !== source && !came.has(edge.to)) {
          came.set(edge.to, { edge, from: node });
          open.push(edge.to);
        }
    }
    const path: Edge[] = [];
    for (let step = came.get(sink); step; step = came.get(step.from)) path.push(step.edge);
    return path;
  }
}

/** The network of all layers, a node for each place before and behind each. */
const networkOf = (layers: readonly Pattern[], length: number): Network => {
  const network = new Network((layers.length + 1) * length);
  layers.forEach((pattern, layer) =>
    pattern.forEach((row, q) =>
      row.forEach((x, k) => {
        if (x > 0) network.pipe((layer + 1) * length + q, layer * length + k, x);
      }),
    ),
  );
  return network;
};

/**
 * How much can flow from a place behind the last layer to each input, if each attention weight, the residual among
 * them, is what a pipe can carry; made to add up to 1.
 * @param patterns of each layer, the mean of its heads
 * @param onInput called before each input; throws to stop
 * @source Abnar & Zuidema 2020 §4
 */
export const attentionFlow = async (
  patterns: readonly Pattern[],
  position: number,
  onInput?: () => void | Promise<void>,
): Promise<readonly number[]> => {
  const layers = patterns.map(withResidual);
  const length = layers[0]?.length ?? 0;
  const flows: number[] = [];
  for (let input = 0; input < length; input++) {
    await onInput?.();
    flows.push(networkOf(layers, length).flow(layers.length * length + position, input));
  }
  const whole = flows.reduce((a, b) => a + b, 0);
  return flows.map((x) => (whole === 0 ? 0 : x / whole));
};
