import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DebuggerError, ModelError } from '../base/index.js';
import { float32, float64, int64From } from '../tensor/index.js';
import { encodeSafetensors, parseHeader } from './index.js';

/** Without half a surrogate pair. */
const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);
const joined = (chunks: readonly Uint8Array[]): Uint8Array => Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));

/** A file of a header's text, which may be no JSON, and some bytes of data. */
const fileOf = (header: string, dataBytes: number, announced?: bigint): Uint8Array => {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, announced ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
};
const parse = (bytes: Uint8Array) => parseHeader(bytes, bytes.length, 'model.safetensors');
const parseJson = (header: unknown, dataBytes: number) => parse(fileOf(JSON.stringify(header), dataBytes));
const one = (entry: object, dataBytes = 8) => parseJson({ w: { dtype: 'F32', shape: [2], ...entry } }, dataBytes);

const refused = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof ModelError && error.info.code === 'SAFETENSORS_INVALID') return error.message;
    throw error;
  }
  throw new Error('it was not refused');
};

describe('a header that is right', () => {
  it('tells dtype, shape and the place in the file', () => {
    const header = {
      b: { dtype: 'BF16', shape: [2, 3], data_offsets: [8, 20] },
      a: { dtype: 'I64', shape: [], data_offsets: [0, 8] },
    };
    const bytes = fileOf(JSON.stringify(header), 20);
    const start = bytes.length - 20;
    expect([...parse(bytes).tensors]).toEqual([
      ['b', { dtype: 'bfloat16', shape: [2, 3], offset: start + 8, length: 12 }],
      ['a', { dtype: 'int64', shape: [], offset: start, length: 8 }],
    ]);
  });

  it('may be empty, filled up with spaces, and name tensors of no size', () => {
    expect(parse(fileOf('{}      ', 0)).tensors.size).toBe(0);
    expect(one({ shape: [0, 5], data_offsets: [0, 0] }, 0).tensors.get('w')?.length).toBe(0);
  });

  it('may carry metadata', () => {
    expect(parseJson({ __metadata__: { format: 'pt' } }, 0).metadata.get('format')).toBe('pt');
  });

  it('may name tensors like parts of an object', () => {
    const json =
      '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"constructor":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}';
    expect([...parse(fileOf(json, 2)).tensors.keys()]).toEqual(['__proto__', 'constructor']);
    expect(({} as { dtype?: string }).dtype).toBeUndefined();
  });
});

describe('a header that is refused', () => {
  it('because the file is cut short', () => {
    expect(refused(() => parse(new Uint8Array(5)))).toContain('5 bytes');
    expect(refused(() => parse(fileOf('{}', 0, 3n)))).toContain('header of 3 bytes');
    expect(refused(() => one({ data_offsets: [0, 8] }, 7))).toContain('ends at byte 8 of 7');
  });

  it('because it announces more than 100 MB, before memory is taken', () => {
    expect(refused(() => parse(fileOf('{}', 0, 2n ** 63n)))).toContain('100 MB');
    expect(refused(() => parseHeader(fileOf('{}', 0, 100_000_001n), 2 ** 40, 'f'))).toContain('100 MB');
  });

  it('because it is a Git LFS pointer', () => {
    const pointer = new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
    expect(refused(() => parse(pointer))).toContain('Git LFS');
  });

  it.each(['{', '{]', '[]', ' {}', '"{}"', '', '{"a":1', '{"a":NaN}'])('because it is no JSON object: %s', (text) => {
    refused(() => parse(fileOf(text, 0)));
  });

  it('because it is no UTF-8', () => {
    const bytes = fileOf('{"a?":{}}', 0);
    bytes[11] = 0xff;
    expect(refused(() => parse(bytes))).toContain('UTF-8');
  });

  it('because it is nested deeply', () => {
    expect(refused(() => parse(fileOf(`{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`, 0)))).toContain('nested');
  });

  it('because a name stands twice, also when spelled with an escape', () => {
    const entry = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}';
    expect(refused(() => parse(fileOf(`{"a":${entry},"a":${entry}}`, 1)))).toContain('twice');
    expect(refused(() => parse(fileOf(`{"a":${entry},"\\u0061":${entry}}`, 1)))).toContain('twice');
  });

  it.each(['F31', 'f32', 7, null, ['F32']])('because of the dtype %j', (dtype) => {
    expect(refused(() => one({ dtype, data_offsets: [0, 8] }))).toContain('dtype');
  });

  it.each([[[-2]], [[1.5]], [['2']], ['2'], [null], [[2 ** 53]], [{}]])('because of the shape %j', (shape) => {
    expect(refused(() => one({ shape, data_offsets: [0, 8] }))).toContain('shape');
  });

  it('because the shape is larger than any file', () => {
    expect(refused(() => one({ shape: [2 ** 31, 2 ** 31], data_offsets: [0, 8] }))).toContain('too large');
    expect(refused(() => one({ shape: Array.from({ length: 99 }, () => 2 ** 52), data_offsets: [0, 8] }))).toContain(
      'too large',
    );
  });

  it.each([[[0]], [[0, 8, 8]], [[-8, 0]], [[0.5, 8.5]], [null], [['0', '8']], [[0, 1e300]]])(
    'because of the offsets %j',
    (data_offsets) => {
      expect(refused(() => one({ data_offsets }))).toContain('data_offsets');
    },
  );

  it('because a tensor ends before it begins, or past the end', () => {
    expect(refused(() => one({ data_offsets: [8, 0] }))).toContain('before it begins');
    expect(refused(() => one({ data_offsets: [8, 16] }))).toContain('ends at byte 16 of 8');
  });

  it('because the bytes do not match the shape', () => {
    expect(refused(() => one({ shape: [3], data_offsets: [0, 8] }))).toContain('needs 12 bytes and has 8');
  });

  it('because tensors overlap, or bytes belong to none', () => {
    const two = (a: number[], b: number[], dataBytes: number) =>
      refused(() =>
        parseJson(
          { a: { dtype: 'F32', shape: [2], data_offsets: a }, b: { dtype: 'F32', shape: [2], data_offsets: b } },
          dataBytes,
        ),
      );
    expect(two([0, 8], [4, 12], 12)).toContain('tensor b overlaps');
    expect(two([0, 8], [0, 8], 8)).toContain('overlaps');
    expect(two([0, 8], [12, 20], 20)).toContain('4 bytes before tensor b');
    expect(two([0, 8], [8, 16], 17)).toContain('1 bytes at its end');
  });

  it('because metadata is no table of texts', () => {
    expect(refused(() => parseJson({ __metadata__: { a: 1 } }, 0))).toContain('__metadata__');
    expect(refused(() => parseJson({ __metadata__: [] }, 0))).toContain('__metadata__');
  });
});

describe('any bytes at all', () => {
  /** Either a header or a refusal, nothing else. */
  const settles = (bytes: Uint8Array): void => {
    try {
      const { tensors } = parse(bytes);
      for (const { offset, length } of tensors.values()) expect(offset + length).toBeLessThanOrEqual(bytes.length);
    } catch (error) {
      expect(error).toBeInstanceOf(DebuggerError);
      expect((error as DebuggerError).info.code).toBe('SAFETENSORS_INVALID');
    }
  };
  const valid = joined(
    encodeSafetensors([
      ['model.wte', float32([2, 3], new Float32Array(6))],
      ['scale', float64([], new Float64Array(1))],
      ['none', float32([0], new Float32Array(0))],
    ]),
  );

  it('random ones are parsed or refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), settles), { numRuns: 500 });
  });

  it('valid ones with some bytes changed, cut or repeated are parsed or refused', () => {
    const change = fc.record({ at: fc.nat(valid.length - 1), byte: fc.nat(255) });
    const cut = fc.tuple(fc.nat(valid.length), fc.nat(valid.length));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), cut, (changes, [from, to]) => {
        const bytes = Uint8Array.from([
          ...valid.subarray(0, Math.max(from, to)),
          ...valid.subarray(Math.min(from, to)),
        ]);
        for (const { at, byte } of changes) if (at < bytes.length) bytes[at] = byte;
        settles(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('any JSON as the header is parsed or refused', () => {
    const counts = fc.oneof(fc.integer({ min: -1, max: 40 }), fc.double(), fc.maxSafeNat(), fc.string());
    const entry = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom('F32', 'F16', 'U8', 'I64'), fc.jsonValue()),
        shape: fc.oneof(fc.array(counts, { maxLength: 3 }), fc.jsonValue()),
        data_offsets: fc.oneof(fc.array(counts, { maxLength: 3 }), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const header = fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.oneof(entry, fc.jsonValue())));
    fc.assert(
      fc.property(header, fc.nat(64), (value, dataBytes) => settles(fileOf(JSON.stringify(value), dataBytes))),
      { numRuns: 1000 },
    );
  });
});

describe('encodeSafetensors', () => {
  it('writes what parseHeader reads, aligned, wider numbers first', () => {
    const bytes = joined(
      encodeSafetensors(
        [
          ['half', float32([3], Float32Array.of(1, 2, 3))],
          ['__proto__', int64From([2], [7, -8])],
        ],
        { made: 'by a test' },
      ),
    );
    const { tensors, metadata } = parse(bytes);
    expect(metadata.get('made')).toBe('by a test');
    const [first, second] = [tensors.get('__proto__'), tensors.get('half')];
    expect(first).toMatchObject({ dtype: 'int64', shape: [2], length: 16 });
    expect((first?.offset ?? 1) % 8).toBe(0);
    const at = second?.offset ?? 0;
    expect([...new Float32Array(bytes.slice(at, at + 12).buffer)]).toEqual([1, 2, 3]);
  });

  it('does not write one name twice', () => {
    const tensor = float32([1], new Float32Array(1));
    expect(() => encodeSafetensors([['a', tensor], ['a', tensor]])).toThrow('named a'); // prettier-ignore
  });

  it('is read back for any names and shapes', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'grapheme' }), { maxLength: 5 });
    fc.assert(
      fc.property(names, fc.array(fc.nat(3), { maxLength: 3 }), (all, shape) => {
        const kept = all.filter((name) => name !== '__metadata__' && isWellFormed(name));
        const size = shape.reduce((a, b) => a * b, 1);
        const tensors = kept.map((name) => [name, float32(shape, new Float32Array(size))] as const);
        expect([...parse(joined(encodeSafetensors(tensors))).tensors.keys()].sort()).toEqual([...kept].sort());
      }),
    );
  });
});
