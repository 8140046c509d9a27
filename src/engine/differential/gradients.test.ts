import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { branchesOf, infer, type Node, type OpName } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import { makeOnnxruntime } from '../onnxruntime/index.node.js';
import { makeReference } from '../reference/index.js';
import {
  arbitraryGraph,
  difference,
  graphOf,
  operatorCases,
  pooledWeights,
  slopeOf,
  wayBackOf,
  type GraphCase,
  type Slope,
} from './testing/index.js';

const operators = Object.keys(infer) as OpName[];
const exact = makeReference({ precision: 'float64' });

/** Operators whose results are truth values, places, or constants: nothing goes back through them. */
const flat: readonly OpName[] = ['Not', 'Greater', 'Less', 'Equal', 'And', 'Or', 'TopK', 'Constant'];

/** Relative, in float64: differences lose 1e-16 / 2^-12 to rounding, and their own error is of fourth order. */
const tolerance = 1e-7;

const distance = ({ byGradient, byDifference = NaN }: Slope): number =>
  Math.abs(byGradient - byDifference) / Math.max(1, Math.abs(byDifference));

/** Are all numbers there, and far from float32's end? */
const isModest = ({ data }: Tensor): boolean => Array.from(data, Number).every((x) => Math.abs(x) < 1e30);

/** Is a derivative there, and are the numbers such that differences show it? */
const comparable = (slope: Slope | 'none'): slope is Slope =>
  slope !== 'none' && slope.byDifference !== undefined && Math.abs(slope.byDifference) < 1e6;

describe('the gradient rule of each operator', () => {
  const smooth = operators.filter((op) => !flat.includes(op));

  it.each(smooth)('%s agrees with central differences', async (op) => {
    let compared = 0;
    for (const c of operatorCases[op]) {
      const feeds = new Map(c.inputs.map((tensor, i) => [`in ${i}`, tensor]));
      const slope = await slopeOf(exact, { graph: graphOf(op, c), feeds, weights: new Map() });
      if (!comparable(slope)) continue;
      expect(distance(slope), c.what).toBeLessThan(tolerance);
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });

  it.each(flat)('%s lets nothing through', (op) => {
    const [c] = operatorCases[op];
    const [node] = c ? graphOf(op, c).nodes : [];
    expect(branchesOf(node as Node, {} as never)).toEqual([]);
  });
});

describe('the way back through each operator, on onnxruntime', () => {
  const onnxruntime = makeOnnxruntime({ device: 'cpu', threads: 1, binding: 'inputs' });
  afterAll(async () => (await onnxruntime).dispose());
  // Vectorised functions are right to a few units in the last place, and some rules multiply two of them.
  const fewUlp = (x: number): number => 32 * 2 ** -24 * Math.max(1, Math.abs(x));

  it.each(operators.filter((op) => !flat.includes(op)))('%s agrees with the reference engine', async (op) => {
    const backend = await onnxruntime;
    let compared = 0;
    for (const c of operatorCases[op]) {
      if (!c.inputs.every(isModest)) continue; // what comes of 0 · ∞ is not the same everywhere
      const feeds = new Map(c.inputs.map((tensor, i) => [`in ${i}`, tensor]));
      const run = await wayBackOf(exact, { graph: graphOf(op, c), feeds, weights: new Map() });
      if (run === 'none') continue;
      const none = pooledWeights(new Map(), '');
      const expected = await (await exact.compile(run.graph, none)).run(run.feeds, run.fetch);
      const executable = await backend.compile(run.graph, none);
      const actual = await executable.run(run.feeds, run.fetch).finally(() => executable.dispose());
      for (const [name, tensor] of expected)
        if (isModest(tensor))
          expect(difference(tensor, actual.get(name), fewUlp), `${c.what}: ${name}`).toBe(undefined);
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });
});

describe('gradients of random graphs', () => {
  const filled = ({ feeds }: GraphCase): boolean => [...feeds.values()].every((t) => t.data.length > 0);

  it('agree with central differences', { timeout: 120_000 }, async () => {
    let [compared, unlike0] = [0, 0];
    const property = fc.asyncProperty(arbitraryGraph.filter(filled), async (test) => {
      const slope = await slopeOf(exact, test);
      if (!comparable(slope)) return;
      expect(distance(slope)).toBeLessThan(10 * tolerance);
      compared++;
      if (Math.abs(slope.byGradient) > 1e-3) unlike0++;
    });
    await fc.assert(property, { numRuns: 1500, seed: 20261126 });
    expect(compared).toBeGreaterThan(1000);
    expect(unlike0).toBeGreaterThan(800);
  });
});
