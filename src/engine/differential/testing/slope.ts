import {
  gradientOfInput,
  typesOf,
  upstreamInput,
  weightsAsInputs,
  withGradients,
  type Graph,
} from '../../../graph/index.js';
import { float32, float64, type Tensor } from '../../../tensor/index.js';
import type { Backend, Tensors } from '../../backend.js';
import type { GraphCase } from './arbitrary-graph.js';
import { pooledWeights } from './pooled-weights.js';
import { randomNumbers } from './random.js';

type Case = Pick<GraphCase, 'graph' | 'feeds' | 'weights'>;

/** A derivative in one direction, by gradients and by differences. */
export interface Slope {
  readonly byGradient: number;
  /** Undefined at a kink or a jump. */
  readonly byDifference: number | undefined;
}

const isFloat = ({ dtype }: Pick<Tensor, 'dtype'>): boolean => dtype === 'float32' || dtype === 'float64';

/** A float tensor as float64, each number changed by `by` times a random one in [-1, 1). */
const shifted = (tensor: Tensor, by: number, seed: number): Tensor => {
  const random = randomNumbers(tensor.data.length, seed);
  const data = Float64Array.from(tensor.data as ArrayLike<number>, (x, i) => x + by * (2 * (random[i] ?? 0) - 1));
  return { dtype: 'float64', shape: tensor.shape, data };
};

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
};

/** Random numbers in [-1, 1), one for each element of a tensor. */
const directionOf = (tensor: Tensor, seed: number): Float64Array => {
  const flat = { ...tensor, dtype: 'float64' as const, data: new Float64Array(tensor.data.length) };
  return shifted(flat, 1, seed).data as Float64Array;
};

/** Weights as inputs, so that they can be changed too, with their numbers. */
const fedWith = async ({ graph, feeds, weights }: Case): Promise<{ graph: Graph; feeds: Tensors }> => {
  const names = graph.params.map((p) => p.name);
  const open = weightsAsInputs(graph, new Set(names));
  const source = pooledWeights(weights, '');
  const given = await Promise.all(names.map(async (name) => [`weight:${name}`, await source.read(name)] as const));
  return { graph: open, feeds: new Map<string, Tensor>([...feeds, ...given]) };
};

interface Sides {
  readonly up: number;
  readonly down: number;
}

/**
 * A derivative by differences, what is left of the error being of fourth order in the step (Richardson 1911), or
 * undefined where the function has a kink or a jump nearby: the two sides then do not approach each other.
 */
const derivative = ({ up, down }: Sides, near: Sides, zero: number): number | undefined => {
  const [central, closer] = [(up - down) / (2 * step), (near.up - near.down) / step];
  const bend = Math.abs(up - 2 * zero + down) / step;
  const nearBend = Math.abs(near.up - 2 * zero + near.down) / (step / 2);
  const scale = Math.max(1, Math.abs(closer));
  const smooth = Math.abs(closer - central) < 1e-5 * scale && (nearBend < 0.75 * bend || nearBend < 1e-6 * scale);
  return smooth ? (4 * closer - central) / 3 : undefined;
};
const step = 2 ** -12;

/** A graph, what is fed to it, and which of its inputs and outputs have derivatives. */
interface Setting {
  readonly graph: Graph;
  readonly feeds: Tensors;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const settingOf = async (test: Case): Promise<Setting | undefined> => {
  const { graph, feeds } = await fedWith(test);
  const inputs = graph.inputs.filter(({ type }) => isFloat(type)).map((i) => i.name);
  const types = typesOf(graph);
  const outputs = graph.outputs.filter(({ value }) => types.get(value)?.dtype === 'float32').map((o) => o.name);
  return inputs.length === 0 || outputs.length === 0 ? undefined : { graph, feeds, inputs, outputs };
};

/** All float inputs moved along the direction that their place among the inputs gives. */
const movedFeeds = ({ feeds, inputs }: Setting, by: number): Tensors =>
  new Map([...feeds].map(([name, t], i) => [name, inputs.includes(name) ? shifted(t, by, i + 1) : t]));

/** A graph to be run, and what is wanted of it. */
export interface Run {
  readonly graph: Graph;
  readonly feeds: Tensors;
  readonly fetch: readonly string[];
}

const ran = async (exact: Backend, { graph, feeds, fetch }: Run): Promise<Tensors> =>
  (await exact.compile(graph, pooledWeights(new Map(), ''))).run(feeds, fetch);

/** Random numbers by which each output is multiplied. */
const seedsOf = async (exact: Backend, { graph, feeds, outputs }: Setting): Promise<Map<string, Tensor<'float64'>>> => {
  const here = await ran(exact, { graph, feeds, fetch: outputs });
  return new Map([...here].map(([name, tensor], i) => [name, float64(tensor.shape, directionOf(tensor, 100 + i))]));
};

/** The graph of the gradients of Σ seeds · outputs by all inputs, to be run. */
const backward = ({ graph, feeds, inputs, outputs }: Setting, seeds: Tensors): Run => {
  const request = { seeds: [], upstream: outputs, sites: [], inputs, weights: [], edits: [] };
  const upstream = [...seeds].map(([name, seed]) => [upstreamInput(name), seed] as const);
  return {
    graph: withGradients(graph, request),
    feeds: new Map([...feeds, ...upstream]),
    fetch: inputs.map(gradientOfInput),
  };
};

/** The way back through a graph in float32, as any engine can run it; `none` as `slopeOf`. */
export const wayBackOf = async (exact: Backend, test: Case): Promise<Run | 'none'> => {
  const setting = await settingOf(test);
  if (!setting) return 'none';
  const seeds = await seedsOf(exact, setting);
  return backward(
    setting,
    new Map([...seeds].map(([name, { shape, data }]) => [name, float32(shape, Float32Array.from(data))])),
  );
};

/**
 * Σ over the float outputs of random numbers times the output, as a function of all float inputs and weights: its
 * derivative in a random direction. `none` where no output is float, or no input.
 * @param exact an engine in float64
 */
export const slopeOf = async (exact: Backend, test: Case): Promise<Slope | 'none'> => {
  const setting = await settingOf(test);
  if (!setting) return 'none';
  const { graph, outputs: fetch } = setting;
  const seeds = await seedsOf(exact, { ...setting, feeds: movedFeeds(setting, 0) });
  const scalar = async (by: number): Promise<number> => {
    const made = await ran(exact, { graph, feeds: movedFeeds(setting, by), fetch });
    return [...seeds].reduce((sum, [name, { data }]) => sum + dot(made.get(name)?.data as Float64Array, data), 0);
  };
  const wide = { up: await scalar(step), down: await scalar(-step) };
  const near = { up: await scalar(step / 2), down: await scalar(-step / 2) };
  const byDifference = derivative(wide, near, await scalar(0));
  const back = await ran(exact, backward({ ...setting, feeds: movedFeeds(setting, 0) }, seeds));
  const byGradient = [...setting.feeds.keys()].reduce((sum, name, i) => {
    const gradient = back.get(gradientOfInput(name));
    return gradient ? sum + dot(gradient.data as Float64Array, directionOf(gradient, i + 1)) : sum;
  }, 0);
  return { byGradient, byDifference };
};
