import { describe, expect, it } from 'vitest';
import { DebuggerError } from '../../base/index.js';
import { viewInput, type HostParams } from '../../protocol/index.js';
import { Arena, float16ToNumber, float32 } from '../../tensor/index.js';
import { dropRun, heldAt, holdRun, valueKey, type HeldValue } from './held.js';
import { viewOf, type Viewed } from './view.js';

/** [batch 1, head 2, query 2, key 2]: 0 to 7. */
const held: HeldValue = {
  tensor: float32(
    [1, 2, 2, 2],
    Float32Array.from({ length: 8 }, (_, i) => i),
  ),
  axes: ['batch', 'head', 'query', 'key'],
  revision: 4,
  tokens: [{ text: 'The' }, { text: ' cat' }],
};

type Asked = Omit<HostParams<'view'>, 'at'> & { where?: HostParams<'view'>['at']['where'] };
const look = ({ where, ...asked }: Asked, value = held): Viewed =>
  viewOf(value, viewInput.parse({ ...asked, at: { run: 'r', site: 'pattern', where } }));
const numbers = ({ payload }: Viewed): number[] => [...new Float32Array(payload?.buffer ?? new ArrayBuffer(0))];

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof DebuggerError ? error.info.code : String(error);
  }
};

describe('a view', () => {
  it('is of a part, by number or by token, with the revision', () => {
    const viewed = look({ as: { kind: 'slice' }, where: { head: -1, query: { token: ' cat' } } });
    expect(viewed.result).toMatchObject({ revision: 4, axes: held.axes, shape: [1, 1, 1, 2] });
    expect(numbers(viewed)).toEqual([6, 7]);
  });

  it('is a copy', () => {
    const viewed = look({ as: { kind: 'slice' } });
    new Float32Array(viewed.payload?.buffer ?? new ArrayBuffer(0)).fill(99);
    expect(numbers(look({ as: { kind: 'slice' } }))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('has its numbers in the dtype that was asked for', () => {
    const { payload } = look({ as: { kind: 'slice' }, dtype: 'float16', where: { head: 0 } });
    expect([...new Uint16Array(payload?.buffer ?? new ArrayBuffer(0))].map(float16ToNumber)).toEqual([0, 1, 2, 3]);
    const wide = look({ as: { kind: 'slice' }, dtype: 'float64', where: { head: 0 } });
    expect([...new Float64Array(wide.payload?.buffer ?? new ArrayBuffer(0))]).toEqual([0, 1, 2, 3]);
  });

  it('has statistics', () => {
    const { view } = look({ as: { kind: 'stats' }, where: { head: 0 } }).result;
    expect(view).toMatchObject({ min: 0, max: 3, mean: 1.5, norm: Math.sqrt(14), count: 4, nan: 0, inf: 0 });
  });

  it('has null where JSON has no number', () => {
    const broken = { ...held, tensor: float32([1, 1, 1, 1], Float32Array.of(NaN)) };
    expect(look({ as: { kind: 'stats' } }, broken).result.view).toMatchObject({ min: null, norm: null, nan: 1 });
    expect(look({ as: { kind: 'histogram' } }, broken).result.view).toMatchObject({ low: null, high: null });
  });

  it('reduces along named axes', () => {
    const viewed = look({ as: { kind: 'reduce', over: ['query', 'key', 'batch'], by: 'sum' } });
    expect(viewed.result.view).toMatchObject({ result: [2], kept: ['head'] });
    expect(numbers(viewed)).toEqual([6, 22]);
    expect(codeOf(() => look({ as: { kind: 'reduce', over: ['neuron'], by: 'sum' } }))).toBe('SELECTOR_INVALID');
  });

  it('names the greatest by their place in the value, not in the part', () => {
    const { view } = look({ as: { kind: 'topk', k: 2 }, where: { head: [1], key: 1 } }).result;
    expect(view).toEqual({
      kind: 'topk',
      top: [
        { index: [0, 1, 1, 1], value: 7 },
        { index: [0, 1, 0, 1], value: 5 },
      ],
    });
  });

  it('has tiles of images of two axes', () => {
    const viewed = look({ as: { kind: 'maxPyramid', level: 1 }, where: { head: 1 } });
    expect(viewed.result.view).toMatchObject({ image: [1, 1], result: [1, 1], levels: 2 });
    expect(numbers(viewed)).toEqual([7]);
    expect(codeOf(() => look({ as: { kind: 'maxPyramid' } }))).toBe('SELECTOR_INVALID');
  });

  it('has bytes from any place on, also beyond the end', () => {
    const { result, payload } = look({ as: { kind: 'bytes', offset: 30, count: 10 } });
    expect([result.view, payload?.length]).toEqual([{ kind: 'bytes', dtype: 'float32', offset: 30, total: 32 }, 2]);
    expect(look({ as: { kind: 'bytes', offset: 99 } }).payload?.length).toBe(0);
  });

  it('larger than its limit is refused', () => {
    expect(codeOf(() => look({ as: { kind: 'slice' }, maxBytes: 31 }))).toBe('MEMORY_LIMIT');
    expect(codeOf(() => look({ as: { kind: 'bytes' }, maxBytes: 31 }))).toBe('MEMORY_LIMIT');
    expect(codeOf(() => look({ as: { kind: 'slice' }, maxBytes: 32 }))).toBeUndefined();
  });
});

describe('what the host holds', () => {
  const values = new Map([['pattern', held]]);

  it('is found by run, step and site, and gone when its run is dropped', () => {
    const arena = new Arena<HeldValue>(1000);
    holdRun(arena, 'r', values);
    holdRun(arena, 'r 0', values);
    expect(heldAt(arena, { run: 'r', step: 0, site: 'pattern' })).toBe(held);
    expect(codeOf(() => heldAt(arena, { run: 'r', step: 1, site: 'pattern' }))).toBe('SITE_NOT_CAPTURED');
    expect(dropRun(arena, 'r')).toBe(32);
    expect(arena.keys()).toEqual([valueKey({ run: 'r 0', step: 0, site: 'pattern' })]);
  });

  it('is a whole run or none of it', () => {
    const arena = new Arena<HeldValue>(40);
    holdRun(arena, 'old', values);
    expect(codeOf(() => holdRun(arena, 'new', new Map([...values, ['other', held]])))).toBe('MEMORY_LIMIT');
    expect(arena.size).toBe(1);
    holdRun(arena, 'new', values);
    expect(arena.keys()).toEqual([valueKey({ run: 'new', step: 0, site: 'pattern' })]);
  });
});
