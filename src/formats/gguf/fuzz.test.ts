import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { root } from '../../../test/support/root.js';
import { ModelError } from '../../base/index.js';
import { ggufWeights } from './gguf-weights.js';
import { memorySource, readGguf } from './index.js';
import { toHuggingFace } from './model.js';

const model = new Uint8Array(readFileSync(path.join(root, 'test/golden/gguf/phi3-longrope-f16.gguf')));
/** Beyond its header, every byte is a number. */
const headerBytes = Math.min(
  ...[...(await readGguf(memorySource('x.gguf', model))).tensors.values()].map((tensor) => tensor.offset),
);

/** Reads all that is in a file, or finds out why not. */
const readAll = async (bytes: Uint8Array): Promise<'read' | ModelError> => {
  const source = { ...memorySource('x.gguf', bytes), path: '/x.gguf', close: () => Promise.resolve() };
  try {
    const { tensors } = await toHuggingFace(source, await readGguf(source));
    const weights = ggufWeights(source, tensors);
    for (const name of weights.names())
      if (weights.info(name).length <= bytes.length) expect((await weights.read(name)).dtype).toBe('float32');
    return 'read';
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
};

const changed = (change: (bytes: Uint8Array) => void): Uint8Array => {
  const bytes = Uint8Array.from(model);
  change(bytes);
  return bytes;
};

describe('a damaged GGUF file', () => {
  it('is the model that it was, undamaged', async () => {
    expect(await readAll(model)).toBe('read');
  });

  it('is refused with a code, wherever it is cut short', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: model.length - 1 }), async (length) => {
        const result = await readAll(model.subarray(0, length));
        expect(result).toMatchObject({ info: { code: 'GGUF_INVALID' } });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('is read or refused with a code, whatever bytes of its header change', async () => {
    const spot = fc.tuple(fc.integer({ min: 0, max: headerBytes - 1 }), fc.integer({ min: 0, max: 255 }));
    let refusals = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(spot, { minLength: 1, maxLength: 6 }), async (spots) => {
        const result = await readAll(
          changed((bytes) => {
            for (const [at, value] of spots) bytes[at] = value;
          }),
        );
        if (result !== 'read') refusals++;
      }),
      { numRuns: 1500, seed: 2 },
    );
    expect(refusals).toBeGreaterThan(300);
  });

  it('is read or refused with a code, whatever 64-bit numbers are put into its header', async () => {
    const huge = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.constantFrom(2n ** 31n, 2n ** 53n, 2n ** 63n),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: headerBytes - 8 }), huge, async (at, value) => {
        await readAll(changed((bytes) => new DataView(bytes.buffer).setBigUint64(at, value, true)));
      }),
      { numRuns: 1500, seed: 3 },
    );
  });

  it('is refused with a code where all of it is noise after the first bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (noise) => {
        const bytes = Uint8Array.of(...model.subarray(0, 8), ...noise);
        expect(await readAll(bytes)).toBeInstanceOf(ModelError);
      }),
      { numRuns: 500, seed: 4 },
    );
  });
});
