import { extentOf, typesOf, type Extents, type Graph } from '../../graph/index.js';
import { bytesPer } from '../../tensor/index.js';

/** Bytes that capturing these sites takes, by site, when a graph is run at these extents. */
export const siteBytes = (graph: Graph, names: Iterable<string>, extents: Extents): Map<string, number> => {
  const types = typesOf(graph);
  const sites = new Map(graph.sites.map((s) => [s.name, s.value]));
  const sizes = new Map<string, number>();
  for (const name of names) {
    const value = sites.get(name);
    const type = value === undefined ? undefined : types.get(value);
    if (!type) continue;
    const elements = type.shape.reduce<number>((product, dim) => product * extentOf(dim, extents), 1);
    sizes.set(name, elements * bytesPer[type.dtype]);
  }
  return sizes;
};

/** The extents of a first pass over sequences without a cache. `source`: tokens of the encoder's text, if there is one. */
export const extentsFor = (batch: number, position: number, source = 0): Extents => ({
  ...{ batch, position, source },
  past: 0,
  key: position,
});
