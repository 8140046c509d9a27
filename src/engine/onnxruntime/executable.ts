import { outputName, type Graph, type Param } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { Executable, Tensors } from '../backend.js';
import { failed, fromOrt, toOrt, type Ort, type OrtSession, type OrtTensor } from './ort.js';

/** Weights that a session takes as inputs, by the ids they have in the graph. */
export type BoundWeights = ReadonlyMap<string, OrtTensor>;

const feedOf = (ort: Ort, graph: Graph, feeds: Tensors): Record<string, OrtTensor> => {
  const bound: Record<string, OrtTensor> = {};
  for (const input of graph.inputs) {
    const tensor = feeds.get(input.name);
    if (!tensor) throw failed(`graph ${graph.name} was run without its input ${input.name}`);
    bound[input.id] = toOrt(ort, tensor);
  }
  return bound;
};

/** One graph as one session. `release` is called once when it is disposed of. */
export const sessionExecutable = (
  ort: Ort,
  {
    graph,
    session,
    bound,
    release,
  }: { graph: Graph; session: OrtSession; bound: BoundWeights; release: () => Promise<void> },
): Executable => {
  const outputs = new Map(graph.outputs.map((o) => [o.name, outputName(graph, o.value)]));
  const wanted = (name: string): string => {
    const output = outputs.get(name);
    if (output === undefined) throw failed(`graph ${graph.name} has no output ${name}`);
    return output;
  };
  return {
    async run(feeds, fetch) {
      const fetches = [...new Set(fetch.map(wanted))];
      if (fetches.length === 0) return new Map();
      const all = { ...feedOf(ort, graph, feeds), ...Object.fromEntries(bound) };
      const results = await session.run(all, fetches).catch((error: unknown) => {
        throw failed(`onnxruntime could not run ${graph.name}`, error);
      });
      const tensors = new Map<string, Tensor>();
      for (const name of fetches) {
        const result = results[name];
        if (result) tensors.set(name, await fromOrt(result));
      }
      return new Map(
        fetch.flatMap((name) => {
          const tensor = tensors.get(wanted(name));
          return tensor ? [[name, tensor] as const] : [];
        }),
      );
    },
    dispose: release,
  };
};

/** A graph without operations, which onnxruntime refuses: its outputs are its inputs. */
export const passThrough = (graph: Graph): Executable => ({
  run(feeds, fetch) {
    const sources = new Map(graph.outputs.map((o) => [o.name, graph.inputs.find((i) => i.id === o.value)?.name]));
    const given = fetch.flatMap((name) => {
      const tensor = feeds.get(sources.get(name) ?? '');
      return tensor ? [[name, tensor] as const] : [];
    });
    return Promise.resolve(new Map(given));
  },
  dispose: () => Promise.resolve(),
});

/** A weight read into memory, as a session's input. */
export const boundWeight = (ort: Ort, param: Param, tensor: Tensor): readonly [string, OrtTensor] => [
  param.id,
  toOrt(ort, tensor),
];
