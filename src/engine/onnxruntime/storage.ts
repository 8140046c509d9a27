import type { Weights } from '../../formats/index.js';
import type { Graph, Param, Storage } from '../../graph/index.js';

/** A folder that holds all the files, and how each file is called inside it. */
export interface Located {
  readonly folder: string;
  readonly inside: (file: string) => string;
}

const split = (path: string): string[] => path.split(/[\\/]/);

/** The deepest folder that holds all the files (absolute, real paths). */
export const commonFolder = (files: readonly string[]): Located => {
  const paths = files.map((f) => split(f).slice(0, -1));
  const first = paths[0] ?? [];
  let depth = first.length;
  for (const path of paths) while (path.slice(0, depth).join('/') !== first.slice(0, depth).join('/')) depth--;
  return {
    folder: first.slice(0, depth).join('/') || '/',
    inside: (file) => split(file).slice(depth).join('/'),
  };
};

/** Where each weight of a graph is, for a model that reads them from the files themselves. */
export const externalStorage = (
  graph: Graph,
  weights: Weights,
): { readonly folder: string; readonly storage: (param: Param) => Storage; readonly widens: boolean } => {
  const infos = new Map(graph.params.map((p) => [p.name, weights.info(p.name)]));
  const { folder, inside } = commonFolder([...new Set([...infos.values()].map((i) => i.file))]);
  const storage = (param: Param): Storage => {
    const { dtype, file, offset, length } = infos.get(param.name) ?? weights.info(param.name);
    return { kind: 'external', dtype, location: inside(file), offset, length };
  };
  const read = new Set(graph.nodes.filter((n) => n.op !== 'Gather').flatMap((n) => n.inputs));
  const widens = graph.params.some((p) => read.has(p.id) && infos.get(p.name)?.dtype !== 'float32');
  return { folder, storage, widens };
};
