import { describe, expect, it, vi } from 'vitest';
import { add, GraphBuilder, linear, matMul, mul, reshape, slice, type Graph } from '../../graph/index.js';
import { float32, float64, int64From, type Tensor } from '../../tensor/index.js';
import { makeReference } from './reference.js';

/** Weights from memory. */
const weightsOf = (tensors: Readonly<Record<string, Tensor<'float32'>>>) =>
  ({
    names: () => Object.keys(tensors),
    read: (name: string) => Promise.resolve(tensors[name]),
  }) as never;
const none = weightsOf({});

const f32 = (shape: readonly number[], ...values: number[]) => float32(shape, Float32Array.from(values));
const failure: unknown = expect.objectContaining({
  info: expect.objectContaining({ code: 'ENGINE_FAILED' }) as object,
});

/** y = x·Wᵀ + b, and twice that; x: [position, in 2]. */
const affine = (): Graph => {
  const g = new GraphBuilder('affine');
  const x = g.input('x', { dtype: 'float32', shape: ['position', 2], axes: ['position', 'in'] });
  const w = g.param('W', [3, 2], ['out', 'in']);
  const y = add(linear(x, w, { layout: 'out,in', axis: 'out' }), g.param('b', [3], ['out']));
  return g.finish({ y, doubled: mul(y, 2), x, w });
};
const weights = weightsOf({ W: f32([3, 2], 1, 0, 0, 1, 1, 1), b: f32([3], 0.5, 0, 0) });
const feeds = new Map([['x', f32([1, 2], 1, 2)]]);

describe('the reference engine', () => {
  it('gives outputs by name, float64 in that precision', async () => {
    const backend = makeReference({ precision: 'float64' });
    const executable = await backend.compile(affine(), weights);
    const results = await executable.run(feeds, ['doubled', 'y']);
    expect(backend.name).toBe('reference float64');
    expect(Object.fromEntries(results)).toEqual({
      y: float64([1, 3], Float64Array.of(1.5, 2, 3)),
      doubled: float64([1, 3], Float64Array.of(3, 4, 6)),
    });
  });
  it('gives float32 in that precision', async () => {
    const executable = await makeReference({ precision: 'float32' }).compile(affine(), weights);
    expect((await executable.run(feeds, ['y'])).get('y')).toEqual(f32([1, 3], 1.5, 2, 3));
  });
  it('gives inputs and weights that are outputs', async () => {
    const executable = await makeReference({ precision: 'float32' }).compile(affine(), weights);
    const results = await executable.run(feeds, ['x', 'w']);
    expect(results.get('x')).toEqual(f32([1, 2], 1, 2));
    expect(results.get('w')).toEqual(f32([3, 2], 1, 0, 0, 1, 1, 1));
  });
  it('runs with other extents, none too', async () => {
    const executable = await makeReference({ precision: 'float32' }).compile(affine(), weights);
    const rows = async (n: number): Promise<unknown> => {
      const x = f32([n, 2], ...Array.from({ length: 2 * n }, () => 1));
      return (await executable.run(new Map([['x', x]]), ['y'])).get('y')?.shape;
    };
    expect([await rows(0), await rows(3)]).toEqual([
      [0, 3],
      [3, 3],
    ]);
  });
  it('takes what one graph gave as float64 into the next', async () => {
    const x = float64([1, 2], Float64Array.of(1, 1 + 2 ** -40));
    const run = async (precision: 'float32' | 'float64') => {
      const executable = await makeReference({ precision }).compile(affine(), weights);
      return (await executable.run(new Map([['x', x]]), ['y'])).get('y')?.data[1];
    };
    expect([await run('float32'), await run('float64')]).toEqual([1, 1 + 2 ** -40]);
  });
  it('computes only what is asked for', async () => {
    const g = new GraphBuilder('lazy');
    const x = g.input('x', { dtype: 'float32', shape: [1], axes: ['a'] });
    const index = g.input('index', { dtype: 'int64', shape: [1], axes: ['a'] });
    const bad = g.op('Gather', { axis: 0 }, [x, index]);
    const executable = await makeReference({ precision: 'float32' }).compile(g.finish({ y: mul(x, x), bad }), none);
    const given = new Map<string, Tensor>([
      ['x', f32([1], 3)],
      ['index', int64From([1], [7])],
    ]);
    expect((await executable.run(given, ['y'])).get('y')).toEqual(f32([1], 9));
    await expect(executable.run(given, ['y', 'bad'])).rejects.toEqual(failure);
  });
  it('keeps what is fetched though a later operation reads it last', async () => {
    const g = new GraphBuilder('chain');
    const x = g.input('x', { dtype: 'float32', shape: [2], axes: ['a'] });
    const doubled = mul(x, 2);
    const cut = slice(doubled, 0, 1);
    const executable = await makeReference({ precision: 'float32' }).compile(g.finish({ doubled, cut }), none);
    const results = await executable.run(new Map([['x', f32([2], 1, 2)]]), ['doubled', 'cut']);
    expect(results.get('doubled')).toEqual(f32([2], 2, 4));
    expect(results.get('cut')).toEqual(f32([1], 2));
  });
  it('lets the event loop turn during a long run', async () => {
    const g = new GraphBuilder('long');
    const x = g.input('x', { dtype: 'float32', shape: [64, 64], axes: ['a', 'a'] });
    let y = x;
    for (let i = 0; i < 80; i++) y = matMul(y, x);
    const executable = await makeReference({ precision: 'float32' }).compile(g.finish({ y }), none);
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000)); // as if each operation took long
    const order: string[] = [];
    const run = executable.run(new Map([['x', float32([64, 64], new Float32Array(4096))]]), ['y']);
    const turn = new Promise((resolve) => setTimeout(resolve)).then(() => order.push('turn'));
    await Promise.all([run.then(() => order.push('run')), turn]);
    vi.restoreAllMocks();
    expect(order).toEqual(['turn', 'run']);
  });
});

describe('what does not fit', () => {
  const compiled = makeReference({ precision: 'float32' }).compile(affine(), weights);
  it('is an input that is missing', async () => {
    await expect((await compiled).run(new Map(), ['y'])).rejects.toEqual(failure);
  });
  it('is an output that the graph lacks', async () => {
    await expect((await compiled).run(feeds, ['z'])).rejects.toEqual(failure);
  });
  it.each([
    ['a shape', f32([1, 3], 1, 2, 3)],
    ['a rank', f32([2], 1, 2)],
    ['a type', int64From([1, 2], [1, 2])],
  ])('is %s that the graph does not have', async (_, x) => {
    await expect((await compiled).run(new Map([['x', x]]), ['y'])).rejects.toEqual(failure);
  });
  it('is a name with two extents', async () => {
    const g = new GraphBuilder('two');
    const type = { dtype: 'float32', shape: ['position'], axes: ['position'] } as const;
    const y = reshape(g.input('x', type), [-1], ['a']);
    const executable = await makeReference({ precision: 'float32' }).compile(
      g.finish({ y, z: g.input('z', type) }),
      none,
    );
    const given = new Map([
      ['x', f32([1], 1)],
      ['z', f32([2], 1, 2)],
    ]);
    await expect(executable.run(given, ['y'])).rejects.toEqual(failure);
  });
  it('is a weight of another shape', async () => {
    const wrong = weightsOf({ W: f32([2, 3], 1, 2, 3, 4, 5, 6), b: f32([3], 1, 2, 3) });
    await expect(makeReference({ precision: 'float32' }).compile(affine(), wrong)).rejects.toEqual(failure);
  });
});
