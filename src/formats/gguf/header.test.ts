import { describe, expect, it } from 'vitest';
import { ggufBytes, text, u32, u64, type GgufParts } from '../../../test/support/gguf-bytes.js';
import type { GgufSource } from './gguf.js';
import { memorySource, readGguf } from './index.js';

const read = (parts: GgufParts) => readGguf(memorySource('x.gguf', ggufBytes(parts)));
/** A file whose header is these bytes, after magic, version and counts. */
const raw = (counts: readonly [number | bigint, number | bigint], rest: readonly number[], more = 0) => {
  const bytes = [...new TextEncoder().encode('GGUF'), ...u32(3), ...u64(counts[0]), ...u64(counts[1]), ...rest];
  return readGguf(memorySource('x.gguf', Uint8Array.from([...bytes, ...new Array<number>(more).fill(0)])));
};
const refused = async (act: Promise<unknown>, why: string, code = 'GGUF_INVALID'): Promise<void> => {
  await expect(act).rejects.toMatchObject({ info: { code }, blame: 'model' });
  await expect(act).rejects.toThrow(why);
};
const f32 = { type: 0, offset: 0 };

describe('the header of a GGUF file', () => {
  it.each([2, 3] as const)('of version %i gives metadata and tensors', async (version) => {
    const file = await read({
      version,
      metadata: [
        ['a.text', ['text', 'Grüße\uFEFF']],
        ['a.number', ['u32', 7]],
        ['a.float', ['f32', 0.5]],
        ['a.flag', ['bool', true]],
        ['a.small', ['i64', -5n]],
        ['a.large', ['u64', 2n ** 63n]],
        ['a.texts', ['array', [['text', '\uFEFFx'], ['text', '']]]], // prettier-ignore
        ['a.numbers', ['array', [['u32', 1], ['u32', 2]]]], // prettier-ignore
        ['a.nested', ['array', [['array', [['bool', false]]], ['array', []]]]], // prettier-ignore
      ],
      tensors: [
        { name: 'w', dims: [32, 3], type: 8, offset: 0 },
        { name: 'b', dims: [5], type: 0, offset: 128 },
      ],
      dataBytes: 148,
    });
    expect(file.version).toBe(version);
    expect([...file.metadata.values()]).toEqual([
      ...['Grüße\uFEFF', 7, 0.5, true, -5, 2n ** 63n, ['\uFEFFx', '']],
      ...[Uint32Array.of(1, 2), [[false], Uint32Array.of()]],
    ]);
    const start = (file.tensors.get('w')?.offset ?? 0) % 32;
    expect(start).toBe(0);
    expect(file.tensors.get('w')).toMatchObject({ type: 'Q8_0', shape: [3, 32], length: 3 * 34 });
    expect(file.tensors.get('b')).toMatchObject({ type: 'F32', shape: [5], length: 20 });
  });

  it('places tensors at multiples of its own alignment', async () => {
    const file = await read({
      metadata: [['general.alignment', ['u32', 512]]],
      tensors: [{ ...f32, name: 'w', dims: [1] }],
      alignment: 512,
      dataBytes: 4,
    });
    expect(file.alignment).toBe(512);
    expect(file.tensors.get('w')?.offset).toBe(512);
  });

  it('is read piece by piece, and no more than is needed', async () => {
    const long = ggufBytes({ metadata: [['a', ['text', 'x'.repeat(2 ** 21)]]], dataBytes: 2 ** 23 });
    const asked: number[] = [];
    const source: GgufSource = {
      ...memorySource('x.gguf', long),
      read: async (offset, length) => {
        asked.push(length);
        return long.subarray(offset, offset + length);
      },
    };
    expect((await readGguf(source)).metadata.get('a')).toHaveLength(2 ** 21);
    expect(asked).toEqual([2 ** 20, 2 ** 22]);
  });

  it('is refused where it goes on beyond 100 MB, which are all that is read', async () => {
    const start = ggufBytes({ metadata: [['a', ['text', '']]] }).subarray(0, 24);
    const asked: number[] = [];
    const source: GgufSource = {
      name: 'x.gguf',
      size: 2 ** 40,
      read: async (_, length) => {
        asked.push(length);
        const bytes = new Uint8Array(length);
        bytes.set(start);
        bytes.set([...text('a'), ...u32(8), ...u64(2 ** 39)], 24);
        return bytes;
      },
    };
    await refused(readGguf(source), 'beyond 100 MB');
    expect(Math.max(...asked)).toBe(100_000_000);
  });

  it('is refused where it is another file, another version or another byte order', async () => {
    await refused(read({ magic: 'PK12' }), 'does not begin with "GGUF"');
    await refused(readGguf(memorySource('x.gguf', new Uint8Array(3))), 'does not begin with "GGUF"');
    await refused(read({ version: 1 }), 'version 1 was replaced');
    await refused(read({ version: 4 }), 'it is of version 4');
    await refused(read({ version: 0x03000000 }), 'big-endian');
  });

  it('is refused for counts and lengths that the file has no room for, before memory is taken', async () => {
    await refused(raw([0, 2n ** 60n], []), 'metadata entries, more than its 24 bytes can hold');
    await refused(raw([2n ** 64n - 1n, 0], []), 'tensors, more than its 24 bytes can hold');
    await refused(raw([0, 1], u64(2n ** 62n), 40), 'bytes of key 0');
    await refused(raw([0, 1], [...text('a'), ...u32(8), ...u64(99)], 9), 'bytes of the value of "a"');
    await refused(raw([0, 1], [...text('a'), ...u32(9), ...u32(12), ...u64(2n ** 50n)]), 'numbers of the value of "a"');
    await refused(raw([0, 1], [...text('a'), ...u32(9), ...u32(8), ...u64(2n ** 50n)]), 'values of the value of "a"');
    await refused(raw([0, 70_000], [], 13 * 70_000), 'the most is 65536');
  });

  it('is refused for values that do not exist', async () => {
    await refused(raw([0, 1], [...text('a'), ...u32(13)], 8), 'is of type 13');
    await refused(raw([0, 1], [...text('a'), ...u32(9), ...u32(77), ...u64(0)]), 'is of type 77');
    await refused(raw([0, 1], [...text('a'), ...u32(7), 2], 8), 'neither true nor false');
    await refused(raw([0, 1], [...u64(1), 0xff], 16), 'no text in UTF-8');
    await refused(read({ metadata: [['a', ['u32', 1]], ['a', ['u32', 2]]] }), 'stands twice'); // prettier-ignore
    await refused(read({ metadata: [['general.alignment', ['u32', 48]]] }), 'no power of two');
  });

  it('is refused for arrays in arrays, too deep or too many', async () => {
    const deep = (levels: number): number[] =>
      levels === 0 ? [...u32(4), ...u64(0)] : [...u32(9), ...u64(1), ...deep(levels - 1)];
    await refused(raw([0, 1], [...text('a'), ...u32(9), ...deep(9)]), 'arrays in arrays');
    const many = [...u32(9), ...u64(20_000), ...Array.from({ length: 20_000 }, () => [...u32(4), ...u64(0)]).flat()];
    await refused(raw([0, 1], [...text('a'), ...u32(9), ...many]), 'arrays in arrays');
  });

  it('is refused for tensors that cannot be where they are said to be', async () => {
    const one = (tensor: Partial<NonNullable<GgufParts['tensors']>[number]>, dataBytes = 64) =>
      read({ tensors: [{ ...f32, name: 'w', dims: [4], ...tensor }], dataBytes });
    await refused(one({ dims: [17] }), 'ends at byte');
    await refused(one({ offset: 2 ** 50 }), 'ends at byte');
    await refused(one({ offset: 4 }), 'no multiple of 32');
    await refused(one({ dims: [1, 1, 1, 1, 1] }), '5 dimensions');
    await refused(one({ dims: [2 ** 52, 2 ** 52] }), 'too large');
    await refused(one({ type: 2, dims: [33] }), 'no whole blocks of Q4_0');
    await refused(one({ type: 99 }), 'type 99', 'TENSOR_DTYPE');
    const two = (offset: number, name: string) =>
      read({ tensors: [{ ...f32, name: 'w', dims: [16] }, { ...f32, name, dims: [8], offset }], dataBytes: 128 }); // prettier-ignore
    await refused(two(32, 'v'), 'overlaps');
    await refused(two(64, 'w'), 'two tensors are called w');
    expect((await two(64, 'v')).tensors.size).toBe(2);
  });
});
