import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { infer, type OpName } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { Backend, Tensors } from '../backend.js';
import { makeOnnxruntime, type Binding } from '../onnxruntime/index.node.js';
import { makeReference } from '../reference/index.js';
import {
  arbitraryGraph,
  difference,
  graphOf,
  operatorCases,
  poolFile,
  pooledWeights,
  type GraphCase,
} from './testing/index.js';

const operators = Object.keys(infer) as OpName[];

let folder = '';
let file = '';
beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'cutaway-engines-')));
  file = path.join(folder, 'pool.bin');
  await writeFile(file, poolFile());
});
afterAll(() => rm(folder, { recursive: true }));

type Runnable = Pick<GraphCase, 'graph' | 'feeds' | 'weights'>;

/** All outputs of a graph. */
const run = async (backend: Backend, { graph, weights, feeds }: Runnable): Promise<Tensors> => {
  const executable = await backend.compile(graph, pooledWeights(weights, file));
  const fetch = graph.outputs.map((o) => o.name);
  return executable.run(feeds, fetch).finally(() => executable.dispose());
};

describe('each operator by itself', () => {
  const onnxruntime = makeOnnxruntime({ device: 'cpu', threads: 1, binding: 'inputs' });
  const reference = makeReference({ precision: 'float32' });
  afterAll(async () => (await onnxruntime).dispose());

  it('has a case', () => {
    expect(Object.keys(operatorCases).sort()).toEqual([...operators].sort());
    expect(operators.filter((op) => operatorCases[op].length === 0)).toEqual([]);
  });

  // Vectorised exp, tanh and erf are right to a few units in the last place; sums round in another order.
  const fewUlp = (x: number): number => 16 * 2 ** -24 * Math.max(1, Math.abs(x));

  describe.each(operators)('%s', (op) => {
    it.each(operatorCases[op].map((c) => [c.what, c] as const))('agrees on both engines: %s', async (_, c) => {
      const feeds = new Map(c.inputs.map((tensor, i) => [`in ${i}`, tensor]));
      const runnable = { graph: graphOf(op, c), feeds, weights: new Map() };
      const backend = await onnxruntime;
      const before = backend.sessionsMade;
      const [expected, actual] = [await run(reference, runnable), await run(backend, runnable)];
      expect(difference(expected.get('out') as Tensor, actual.get('out'), fewUlp)).toBe(undefined);
      expect(backend.sessionsMade - before).toBe(1);
    });
  });
});

/** Every number of a tensor too large by a thousandth; integers and truth values as they are. */
const slightlyOff = (tensor: Tensor): Tensor =>
  tensor.dtype === 'float64' ? { ...tensor, data: tensor.data.map((x) => x * 1.001) } : tensor;

describe('random graphs', () => {
  const exact = makeReference({ precision: 'float64' });
  const seed = 20261123;

  /** Every way in which results are not those of the exact engine. */
  const differences = ({ tolerances }: GraphCase, expected: Tensors, actual: Tensors): string[] =>
    [...tolerances].flatMap(([name, tolerance]) => {
      const found = difference(expected.get(name) as Tensor, actual.get(name), () => tolerance);
      return found === undefined ? [] : [`${name}: ${found}`];
    });

  /** Checks random graphs on a backend; gives the number of runs that it made. */
  const agreesOn = async (backend: Backend, numRuns: number) => {
    let runs = 0;
    const property = fc.asyncProperty(arbitraryGraph, async (test) => {
      const expected = await run(exact, test);
      expect(differences(test, expected, await run(backend, test))).toEqual([]);
      runs++;
    });
    await fc.assert(property, { numRuns, seed });
    return runs;
  };

  it('have every operator many times, open extents, weights and tight tolerances', () => {
    const tests = fc.sample(arbitraryGraph, { numRuns: 2000, seed });
    const nodes = tests.flatMap((t) => t.graph.nodes);
    const rare = operators.filter((op) => nodes.filter((n) => n.op === op).length < 50);
    expect(rare).toEqual([]);
    expect(nodes.length).toBeGreaterThan(4 * tests.length);
    expect(tests.filter((t) => t.weights.size > 0).length).toBeGreaterThan(500);
    expect(tests.filter((t) => [...t.feeds.values()].some((f) => f.data.length === 0)).length).toBeGreaterThan(100);
    const tolerances = tests.flatMap((t) => [...t.tolerances.values()]).sort((a, b) => a - b);
    expect(tolerances[Math.floor(0.9 * tolerances.length)]).toBeLessThan(1e-4);
  });

  it('differ where a result is off by a thousandth, so that a mistake would show', async () => {
    const tests = fc.sample(arbitraryGraph, { numRuns: 200, seed });
    const found = await Promise.all(
      tests.map(async (test) => {
        const expected = await run(exact, test);
        const off = [...expected].map(([name, tensor]) => [name, slightlyOff(tensor)] as const);
        return differences(test, expected, new Map(off)).length > 0;
      }),
    );
    expect(found.filter(Boolean).length).toBeGreaterThan(120);
  });

  it('are the same in float32 and float64 of the reference engine', async () => {
    expect(await agreesOn(makeReference({ precision: 'float32' }), 1000)).toBe(1000);
  });

  it.each<[Binding, number]>([
    ['inputs', 1500],
    ['packed', 700],
    ['apart', 300],
    ['mapped', 100],
  ])('are the same on onnxruntime, weights %s', { timeout: 120_000 }, async (binding, graphs) => {
    const backend = await makeOnnxruntime({ device: 'cpu', threads: 1, binding });
    expect(backend.name).toBe('onnxruntime cpu');
    expect(await agreesOn(backend, graphs)).toBe(graphs);
    expect(backend.sessionsMade).toBeGreaterThanOrEqual(graphs);
    await backend.dispose();
  });
});
