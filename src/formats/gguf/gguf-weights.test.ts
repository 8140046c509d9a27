import { describe, expect, it } from 'vitest';
import { fingerprint, readRow, storedAs } from '../index.node.js';
import { ggmlLayouts, type GgmlType } from './ggml-types.js';
import { ggufWeights } from './gguf-weights.js';
import { memorySource } from './index.js';
import type { Layout } from './layout.js';

const [rows, width] = [1200, 512];
/** A tensor of several pieces, at byte 32 of its file; `at(row, column)` is what is stored there. */
const stored = (type: GgmlType, layout: Layout) => {
  const { numbers, bytes: size } = ggmlLayouts[type];
  const length = ((rows * width) / numbers) * size;
  const bytes = new Uint8Array(32 + length);
  for (let i = 0; i < length; i++) bytes[32 + i] = (i * 7919) >> 4;
  if (type === 'Q8_0') for (let i = 0; i < length; i += size) bytes.set([0, 0x3c], 32 + i); // scales of 1
  if (type === 'F32') new Float32Array(bytes.buffer, 32).forEach((_, i, all) => (all[i] = 1 + i / 2 ** 20));
  const source = { ...memorySource('x.gguf', bytes), path: '/x.gguf', close: () => Promise.resolve() };
  const asked: number[] = [];
  const counting = { ...source, read: (at: number, n: number) => (asked.push(n), source.read(at, n)) };
  const shape = layout.kind === 'transposed' ? [width, rows] : [rows, width];
  const weights = ggufWeights(counting, [
    { name: 'w', stored: { type, shape: [rows, width], offset: 32, length }, layout },
  ]);
  const at = (row: number, column: number): number => {
    const i = row * width + column;
    if (type === 'F32') return 1 + i / 2 ** 20;
    return ((bytes[32 + Math.floor(i / 32) * 34 + 2 + (i % 32)] ?? 0) << 24) >> 24;
  };
  return { weights, at, asked, shape };
};

/** Where a number of the model is stored, said the other way round than the reader says it. */
const origins: Readonly<Record<Layout['kind'], (row: number, column: number) => readonly [number, number]>> = {
  plain: (row, column) => [row, column],
  'plus one': (row, column) => [row, column],
  transposed: (row, column) => [column, row],
  heads: (row, column) => {
    const [head, i] = [Math.floor(row / 300), row % 300]; // 4 heads of 300
    return [head * 300 + (i < 150 ? 2 * i : 2 * (i - 150) + 1), column];
  },
};

const layouts: readonly Layout[] = [
  { kind: 'plain' },
  { kind: 'plus one' },
  { kind: 'transposed' },
  { kind: 'heads', heads: 4 },
];

describe.each(['F32', 'Q8_0'] as const)('a tensor stored as %s', (type) => {
  it.each(layouts)('is read in pieces and put right: $kind', async (layout) => {
    const { weights, at, asked, shape } = stored(type, layout);
    const { data, shape: given } = await weights.read('w');
    expect(given).toEqual(shape);
    const less = layout.kind === 'plus one' ? 1 : 0;
    const [, across = 1] = shape;
    const expected = Float32Array.from(data, (_, i) => {
      const [row, column] = origins[layout.kind](Math.floor(i / across), i % across);
      return at(row, column) - less;
    });
    expect(data.findIndex((value, i) => value !== expected[i])).toBe(-1);
    expect(Math.max(...asked)).toBeLessThanOrEqual(2 ** 20);
    expect(asked.length).toBe(type === 'F32' ? 3 : 1);
  });

  it.each(layouts)('gives one row as it gives all: $kind', async (layout) => {
    const { weights, asked } = stored(type, layout);
    const row = await readRow(weights, 'w', 7);
    if (layout.kind === 'plain') expect(asked).toEqual([type === 'F32' ? 4 * width : (width / 32) * 34]);
    const { data, shape } = await weights.read('w');
    const [, across = 1] = shape;
    expect(row).toEqual(data.slice(7 * across, 8 * across));
  });

  it('says whether its bytes are its numbers', () => {
    const infos = layouts.map((layout) => stored(type, layout).weights.info('w'));
    expect(infos.map(storedAs)).toEqual(infos.map(() => (type === 'F32' ? 'float32' : 'Q8_0')));
    const encoded = infos.map((info) => info.encoding?.type);
    expect(encoded).toEqual(type === 'F32' ? [undefined, 'F32', 'F32', 'F32'] : ['Q8_0', 'Q8_0', 'Q8_0', 'Q8_0']);
  });
});

it('a fingerprint depends on how the tensors are encoded', async () => {
  const prints = await Promise.all(
    layouts.map(({ kind }) =>
      fingerprint({ config: {}, weights: stored('F32', kind === 'heads' ? { kind, heads: 4 } : { kind }).weights }),
    ),
  );
  expect(new Set(prints).size).toBe(4);
});

it('an unknown name is an error that gives the nearest', async () => {
  await expect(stored('F32', { kind: 'plain' }).weights.read('v')).rejects.toMatchObject({
    info: { code: 'TENSOR_MISSING', hint: 'The nearest names: w.' },
  });
});
