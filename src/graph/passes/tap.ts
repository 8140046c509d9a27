import { bug } from '../../base/index.js';
import type { Graph } from '../graph.js';
import { verify } from '../verify.js';

/** Makes each of these sites an output under its name, where it is none yet. */
export const tap = (graph: Graph, names: Iterable<string>): Graph => {
  const sites = new Map(graph.sites.map((s) => [s.name, s.value]));
  const there = new Set(graph.outputs.map((o) => o.name));
  const wanted = [...new Set(names)].filter((name) => !there.has(name));
  const outputs = wanted.map((name) => {
    const value = sites.get(name);
    if (value === undefined) throw bug(`graph ${graph.name} has no site ${name}`);
    return { name, value };
  });
  return verify({ ...graph, outputs: [...graph.outputs, ...outputs] });
};
