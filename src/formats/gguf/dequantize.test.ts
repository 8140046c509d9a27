import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../../test/support/root.js';
import { dequantize, isReadable } from './dequantize.js';
import { ggmlLayouts, type GgmlType } from './ggml-types.js';

/** Of `test/golden/gguf/quants.py`: bytes in hexadecimal. */
interface Golden {
  readonly types: Readonly<Record<string, { readonly blocks: string; readonly values: string }>>;
}

const golden = JSON.parse(readFileSync(path.join(root, 'test/golden/gguf/quants.json'), 'utf8')) as Golden;
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer);
/** The bits, NaN in one form: which NaN a machine makes of infinity times zero is its own choice. */
const comparable = (values: Float32Array): readonly (number | string)[] =>
  [...bitsOf(values)].map((bits, i) => (Number.isNaN(values[i]) ? 'NaN' : bits));

describe('dequantising', () => {
  it.each(Object.keys(golden.types))('gives the bits of the gguf package for %s', (name) => {
    const { blocks, values } = golden.types[name] ?? { blocks: '', values: '' };
    const type = name as GgmlType;
    expect(isReadable(type)).toBe(true);
    if (!isReadable(type)) return;
    const got = dequantize(type, bytesOf(blocks));
    const expected = new Float32Array(bytesOf(values).buffer);
    expect(expected.length).toBeGreaterThan(60);
    expect(comparable(got)).toEqual(comparable(expected));
  });

  it('covers every type that is read, but whole numbers and float64', () => {
    const read = (Object.keys(ggmlLayouts) as GgmlType[]).filter(isReadable);
    expect(Object.keys(golden.types).sort()).toEqual(read.filter((type) => !/^I|F64/.test(type)).sort());
  });
});
