import type { SmoothScalar, Vectors } from '../../src/analyses/attribution/index.js';
import { makeReference } from '../../src/engine/reference/index.js';
import type { Weights } from '../../src/formats/index.js';
import {
  GraphBuilder,
  gradientOfSite,
  seedInput,
  withGradients,
  type Graph,
  type RelevanceRules,
  type Value,
} from '../../src/graph/index.js';
import { float32, float64, type Tensor } from '../../src/tensor/index.js';

/** Weights of a small network, by name: rows of numbers, or one row. */
export type SmallWeights = Readonly<Record<string, readonly number[] | readonly (readonly number[])[]>>;

const tensorOf = (values: SmallWeights[string]): Tensor<'float32'> => {
  const [first] = values;
  const shape = Array.isArray(first) ? [values.length, first.length] : [values.length];
  return float32(shape, Float32Array.from<number>(values.flat()));
};

const weightsOf = (all: SmallWeights): Weights => {
  const tensor = (name: string): Tensor<'float32'> => tensorOf(all[name] ?? []);
  return {
    names: () => Object.keys(all),
    info: (name) => ({ name, dtype: 'float32', shape: tensor(name).shape, file: '', offset: 0, length: 0 }),
    read: async (name) => Promise.resolve(tensor(name)),
    readBytes: async () => Promise.resolve(new Uint8Array()),
    close: () => Promise.resolve(),
  };
};

/** What a network is made of while it is built. */
export interface NetworkParts {
  /** [row, in] */
  readonly x: Value;
  /** A weight by its name, [out, in] or [out]. */
  readonly weight: (name: string) => Value;
}

/** A small network: one number out of rows of numbers. */
export interface Network {
  readonly weights: SmallWeights;
  readonly build: (parts: NetworkParts) => Value;
}

const graphOf = ({ weights, build }: Network, { rows, width }: Pick<Vectors, 'rows' | 'width'>): Graph => {
  const builder = new GraphBuilder('network');
  const x = builder.input('x', { dtype: 'float32', shape: [rows, width], axes: ['row', 'in'] });
  const weight = (name: string): Value => {
    const { shape } = tensorOf(weights[name] ?? []);
    return builder.param(name, shape, shape.length === 2 ? ['out', 'in'] : ['out']);
  };
  builder.site('x', x);
  const f = builder.site('f', build({ x, weight }));
  return builder.finish({ f });
};

/** A small network as a scalar function of its input, on the reference engine in float64. */
export const graphScalar = async (network: Network, input: Vectors, rules?: RelevanceRules): Promise<SmoothScalar> => {
  const graph = withGradients(graphOf(network, input), {
    ...{ seeds: ['f'], upstream: [], sites: ['x'], inputs: [], weights: [], edits: [] },
    ...(rules ? { rules } : {}),
  });
  const backend = makeReference({ precision: 'float64' });
  const run = await backend.compile(graph, weightsOf(network.weights));
  const seedType = graph.inputs.find((i) => i.name === seedInput('f'))?.type.shape.map(Number) ?? [];
  const at = async ({ rows, width, data }: Vectors) => {
    const feeds = new Map<string, Tensor>([
      ['x', float64([rows, width], data)],
      [seedInput('f'), float64(seedType, Float64Array.of(1))],
    ]);
    const found = await run.run(feeds, ['f', gradientOfSite('x')]);
    const gradient = Float64Array.from(found.get(gradientOfSite('x'))?.data as Float64Array);
    return { value: Number(found.get('f')?.data[0]), gradient: { rows, width, data: gradient } };
  };
  return {
    input,
    slopes: async (points) => Promise.all(points.map(at)),
    values: async (points) => Promise.all(points.map(async (p) => (await at(p)).value)),
  };
};
