import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../base/index.js';
import type { StoredDType } from '../tensor/index.js';
import { fingerprint } from './index.node.js';
import type { Weights } from './index.js';

interface Stored {
  readonly dtype?: StoredDType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Weights in memory. */
const weightsOf = (tensors: Readonly<Record<string, Stored>>): Weights => {
  const at = (name: string): Stored => tensors[name] ?? { shape: [], bytes: new Uint8Array() };
  return {
    names: () => Object.keys(tensors),
    info: (name) => ({
      name,
      dtype: at(name).dtype ?? 'uint8',
      shape: at(name).shape,
      file: '/f',
      offset: 0,
      length: at(name).bytes.length,
    }),
    read: () => Promise.reject(new Error('not read as numbers')),
    readBytes: async (name, start, length) => at(name).bytes.slice(start, start + length),
    close: () => Promise.resolve(),
  };
};
const large = (change?: number): Stored => {
  const bytes = new Uint8Array(400_000);
  if (change !== undefined) bytes[change] = 1;
  return { shape: [400_000], bytes };
};
const small: Stored = { shape: [2], bytes: Uint8Array.of(1, 2) };
const of = (config: JsonObject, tensors: Readonly<Record<string, Stored>>) =>
  fingerprint({ config, weights: weightsOf(tensors) });

describe('a fingerprint', () => {
  it('is a SHA-256 that does not change from one version to the next', async () => {
    expect(await of({ layers: 2, act: 'gelu' }, { a: small })).toBe(
      'sha256:283b5fa99760c83f8893d9ab61d457142b9b87773895eb6501901a942a259844',
    );
  });

  it('does not depend on the order of fields or tensors, nor on names and versions in the config', async () => {
    const expected = await of({ a: 1, b: { c: 2, d: 3 } }, { x: small, y: large() });
    const config = {
      _name_or_path: 'here',
      transformers_version: '5',
      torch_dtype: 'float32',
      b: { d: 3, c: 2 },
      a: 1,
    };
    expect(await of(config, { y: large(), x: small })).toBe(expected);
  });

  it('depends on the config, on names, dtypes and shapes, and on both ends of each tensor', async () => {
    const all = await Promise.all([
      of({ a: 1 }, { x: small, y: large() }),
      of({ a: 2 }, { x: small, y: large() }),
      of({ a: 1 }, { z: small, y: large() }),
      of({ a: 1 }, { x: { ...small, dtype: 'int8' }, y: large() }),
      of({ a: 1 }, { x: { ...small, shape: [2, 1] }, y: large() }),
      of({ a: 1 }, { x: small, y: large(0) }),
      of({ a: 1 }, { x: small, y: large(65_535) }),
      of({ a: 1 }, { x: small, y: large(399_999) }),
      of({ a: 1 }, { x: small, y: large(400_000 - 65_536) }),
    ]);
    expect(new Set(all).size).toBe(all.length);
  });

  it('does not read the middle of a large tensor', async () => {
    expect(await of({}, { y: large(200_000) })).toBe(await of({}, { y: large() }));
  });
});
