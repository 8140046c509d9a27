import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Weights } from '../../formats/index.js';
import { add, GraphBuilder, mul, type ValueType } from '../../graph/index.js';
import { parseExpression } from '../../language/index.js';
import { float32, type Tensor } from '../../tensor/index.js';
import type { Backend } from '../backend.js';
import { makeOnnxruntime } from '../onnxruntime/index.node.js';
import { makeReference } from '../reference/index.js';
import { makeRows, type Rows } from '../run/rows.js';
import { evaluate, lowerExpression, type ExpressionValues } from './index.js';

const resid: ValueType = { dtype: 'float32', shape: ['batch', 'position', 3], axes: ['batch', 'position', 'model'] };
const pattern: ValueType = {
  dtype: 'float32',
  shape: ['batch', 2, 'position', 'key'],
  axes: ['batch', 'head', 'query', 'key'],
};
const axes: Readonly<Record<string, readonly string[]>> = { x: resid.axes, y: resid.axes, p: pattern.axes };

/** x, y = 2x + 1 and p, as sites. */
const graph = () => {
  const builder = new GraphBuilder('segment');
  const x = builder.site('x', builder.input('in x', resid));
  const y = builder.site('y', add(mul(x, 2), 1));
  builder.site('p', mul(builder.input('in p', pattern), 1));
  return builder.finish({ y });
};

const tokens = [' a', ' b', ' c', ' b'].map((text, id) => ({ id, text }));
const numbers = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.round(1000 * Math.sin(seed + 7.3 * i)) / 64);

/** What only the second copy of a row has. */
const copy = (count: number): number[] => Array.from({ length: count }, () => 99);

/** A prefill of four tokens, and a step of one, whose row is run twice with other numbers in the copy. */
const passes: Readonly<
  Record<string, { readonly rows: Rows; readonly x: Tensor<'float32'>; readonly p: Tensor<'float32'> }>
> = {
  prefill: {
    rows: makeRows({ ids: [[0, 1, 2, 1]], past: 0, step: 0 }),
    x: float32([1, 4, 3], Float32Array.from(numbers(12, 1))),
    p: float32([1, 2, 4, 4], Float32Array.from(numbers(32, 2))),
  },
  step: {
    rows: makeRows({ ids: [[1]], past: 3, step: 1 }),
    x: float32([1, 2, 3], Float32Array.of(1, -2, 3, ...copy(3))),
    p: float32([1, 2, 2, 5], Float32Array.of(1, 2, 3, 4, ...copy(6), 5, 6, 7, 8, ...copy(6))),
  },
};

/** The part of a step's tensor that is no copy. */
const real = (name: string, tensor: Tensor<'float32'>, { step }: Rows): Tensor<'float32'> => {
  if (step === 0) return tensor;
  if (name === 'x') return float32([1, 1, 3], tensor.data.slice(0, 3));
  return float32([1, 2, 1, 4], Float32Array.of(...tensor.data.slice(0, 4), ...tensor.data.slice(10, 14)));
};

const expected = (
  text: string,
  { rows, x, p }: { rows: Rows; x: Tensor<'float32'>; p: Tensor<'float32'> },
): unknown => {
  const own = real('x', x, rows);
  const sites: Readonly<Record<string, Tensor>> = {
    x: own,
    y: { ...own, data: own.data.map((v) => 2 * v + 1) },
    p: real('p', p, rows),
  };
  const values: ExpressionValues = {
    site: (name) => {
      const tensor = sites[name];
      return tensor && { tensor, axes: axes[name] ?? [] };
    },
    tokens,
    offset: rows.positions[0] ?? 0,
    length: 4,
    logits: () => undefined,
    encode: () => [],
    step: rows.step,
  };
  return evaluate(parseExpression(text), values);
};

const weights = { tensors: new Map() } as unknown as Weights;

const texts = [
  ...['norm', 'mean', 'sum', 'max', 'min', 'absmax', 'std', 'nan'].flatMap((by) => [
    `${by}(x)`,
    `${by}(y[position=-1])`,
    `${by}(x[position=" b"#2, model=(0 2)])`,
    `${by}(p[head=1, key=0..2])`,
    `${by}(x[position=1])`,
  ]),
  'cosine(x, y)',
  'cosine(x[position=-1], y[position=-1] * 2 - 1)',
  'norm(y - x * 2)',
  'max(x) - min(-x) / 2 > 3 && !(nan(p) > 0)',
  'x[position=-1, model=1] < 0 || p[head=0, query=-1, key=0] >= 1',
  'x[position=-1, model=1] != -2',
  'p[head=1, query=-1, key=3] == 8',
  'x[position=0, model=1] <= 1000',
  'x[position=0, model=1] != 1000',
  '(max(x) > 1) == (max(y) > 3)',
  '(max(x) > 1) != (max(y) < 3)',
  'sum(x) && 1',
  '1 / 0 + max(x)',
  'max(x) >= nan',
];

describe.each(['reference', 'onnxruntime'])('an expression in a graph, on %s', (engine) => {
  let backend: Backend;
  beforeAll(async () => {
    backend =
      engine === 'reference'
        ? makeReference({ precision: 'float32' })
        : await makeOnnxruntime({ device: 'cpu', threads: 1, binding: 'inputs' });
  });
  afterAll(() => backend.dispose());

  const given = async (text: string, pass: string): Promise<unknown> => {
    const { rows, x, p } = passes[pass] ?? expect.fail(pass);
    const lowered = lowerExpression(graph(), parseExpression(text), { tag: 'condition' });
    const executable = await backend.compile(lowered.graph, weights);
    const feeds = new Map<string, Tensor>([['in x', x], ['in p', p], ...lowered.numbers(rows, { tokens, length: 4 })]);
    const result = (await executable.run(feeds, [lowered.output])).get(lowered.output);
    await executable.dispose();
    expect(result?.shape).toEqual([]);
    return result?.dtype === 'bool' ? result.data[0] === 1 : Number(result?.data[0]);
  };

  it.each(Object.keys(passes))('is what its values give, in a %s', async (pass) => {
    for (const text of texts) {
      const wanted = expected(text, passes[pass] ?? expect.fail(pass));
      const got = await given(text, pass);
      if (typeof wanted === 'number' && Number.isFinite(wanted))
        expect(Math.abs(Number(got) - wanted), text).toBeLessThanOrEqual(2e-6 * Math.max(20, Math.abs(wanted)));
      else expect(got, text).toBe(wanted);
    }
  });

  it('is NaN, or counts them, where NaN is', async () => {
    const broken = {
      ...(passes['prefill'] ?? expect.fail()),
      x: float32(
        [1, 4, 3],
        Float32Array.from(numbers(12, 1), (v, i) => (i === 4 ? NaN : v)),
      ),
    };
    for (const text of [
      'max(x)',
      'min(y)',
      'absmax(x)',
      'nan(y)',
      'max(x[position=0])',
      'sum(x[position=1])',
      'sum(x[position=2]) > -1000',
    ]) {
      const lowered = lowerExpression(graph(), parseExpression(text), { tag: 'c' });
      const executable = await backend.compile(lowered.graph, weights);
      const feeds = new Map<string, Tensor>([
        ['in x', broken.x],
        ['in p', broken.p],
        ...lowered.numbers(broken.rows, { tokens, length: 4 }),
      ]);
      const result = (await executable.run(feeds, ['c'])).get('c');
      await executable.dispose();
      const value = result?.dtype === 'bool' ? result.data[0] === 1 : Number(result?.data[0]);
      const wanted = expected(text, broken);
      if (typeof wanted === 'number' && !Number.isNaN(wanted)) expect(value, text).toBeCloseTo(wanted, 4);
      else expect(value, text).toBe(wanted);
    }
  });
});

describe('what has no form in a graph', () => {
  it.each([
    ['prob(1) > 0.5', 'prob has no form inside the graph'],
    ['step + max(x)', 'column 1: step has no form'],
    ['max(elsewhere)', 'elsewhere has no form'],
    ['x > 1', 'a tensor of several numbers has no form'],
    ['norm(x[position=0] - x[position=1])', 'arithmetic on different parts has no form'],
    ['cosine(x[position=0], y)', 'cosine of different parts has no form'],
    ['norm(3)', 'a function of a number has no form'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => lowerExpression(graph(), parseExpression(text), { tag: 't' })).toThrow(message);
  });

  it('takes the names that sites have in the graph', () => {
    const options = { tag: 't', nameOf: (site: string) => site.replace('blocks.3#2.', '') };
    expect(lowerExpression(graph(), parseExpression('max(blocks.3#2.x)'), options).output).toBe('t');
  });
});
