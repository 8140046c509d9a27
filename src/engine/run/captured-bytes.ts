import { shapeOf, typesOf, type Extents, type Graph, type ValueType } from '../../graph/index.js';
import { bytesPer, sizeOf } from '../../tensor/index.js';

/** Bytes of a value of this type at these extents. */
export const valueBytes = (type: ValueType | undefined, extents: Extents): number =>
  type ? sizeOf(shapeOf(type, extents)) * bytesPer[type.dtype] : 0;

/** Bytes that capturing these sites takes, by site, when a graph is run at these extents. */
export const siteBytes = (graph: Graph, names: Iterable<string>, extents: Extents): Map<string, number> => {
  const types = typesOf(graph);
  const sites = new Map(graph.sites.map((s) => [s.name, s.value]));
  const sizes = new Map<string, number>();
  for (const name of names) {
    const value = sites.get(name);
    const type = value === undefined ? undefined : types.get(value);
    if (!type) continue;
    sizes.set(name, valueBytes(type, extents));
  }
  return sizes;
};

/** The extents of a first pass over sequences without a cache. `source`: tokens of the encoder's text, if there is one. */
export const extentsFor = (batch: number, position: number, source = 0): Extents => ({
  ...{ batch, position, source },
  past: 0,
  key: position,
  chosen: 2, // one row, twice
});
