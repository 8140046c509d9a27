import type { Weights } from '../../formats/index.js';
import type { Graph, Param, Storage } from '../../graph/index.js';
import { sizeOf } from '../../tensor/index.js';
import type { SessionNeeds } from './options.js';

/** Weights that a session keeps: where its model says they are, and what the session is told besides. */
export interface Kept {
  readonly storage: (param: Param) => Storage;
  readonly needs: SessionNeeds;
}

/** How the weights of a graph reach a session that keeps them: from files, or from memory. */
export type Keep = (graph: Graph, weights: Weights) => Kept | Promise<Kept>;

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

/** Is a weight handed over narrower (or wider) than float32, and read by more than a look-up of rows? */
const widens = (graph: Graph, weights: Weights): boolean => {
  const read = new Set(graph.nodes.filter((n) => n.op !== 'Gather').flatMap((n) => n.inputs));
  return graph.params.some((p) => {
    const { dtype, encoding } = weights.info(p.name);
    return read.has(p.id) && !encoding && dtype !== 'float32';
  });
};

type ExternalData = NonNullable<SessionNeeds['externalData']>[number];

/** A weight's bytes as onnxruntime takes them: as they are stored, or decoded to float32. */
const bytesOf = async ({ id, name }: Param, weights: Weights): Promise<ExternalData> => {
  const { encoding, length } = weights.info(name);
  if (!encoding) return { path: id, data: await weights.readBytes(name, 0, length) };
  const { data } = await weights.read(name);
  return { path: id, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
};

/** Where `bytesOf` puts a weight: a file of its own, called by the weight's id. */
const inMemory = (param: Param, weights: Weights): Storage => {
  const { dtype, length, shape, encoding } = weights.info(param.name);
  const decoded = { dtype: 'float32', length: 4 * sizeOf(shape) } as const;
  return { kind: 'external', location: param.id, offset: 0, ...(encoding ? decoded : { dtype, length }) };
};

/** Weights handed over as bytes, each as a file of its own that is called by the weight's id: for a browser. */
export const keepBytes: Keep = async (graph, weights) => {
  const externalData = await Promise.all(graph.params.map((param) => bytesOf(param, weights)));
  const storage = (param: Param): Storage => inMemory(param, weights);
  return { storage, needs: { widens: widens(graph, weights), externalData } };
};

/**
 * Weights that onnxruntime reads from the user's files itself. Where one must be decoded first, all of the graph are
 * handed over as bytes: onnxruntime takes either files or memory.
 */
export const keepFiles: Keep = (graph, weights) => {
  const infos = graph.params.map((p) => weights.info(p.name));
  if (infos.some((info) => info.encoding)) return keepBytes(graph, weights);
  const files = new Set(infos.map((info) => info.file));
  const { folder, inside } = commonFolder([...files]);
  const storage = (param: Param): Storage => {
    const { dtype, file, offset, length } = weights.info(param.name);
    return { kind: 'external', dtype, location: inside(file), offset, length };
  };
  return { storage, needs: { widens: widens(graph, weights), ...(files.size > 0 ? { folder } : {}) } };
};
