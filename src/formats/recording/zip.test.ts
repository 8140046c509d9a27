import fc from 'fast-check';
import { crc32 as systemCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DebuggerError } from '../../base/index.js';
import { alignment, crc32, directory, localHeader, readZip, type ZipEntry, type ZipSource } from './index.js';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);

/** A ZIP in memory, and where its directory begins. */
const zipOf = (files: readonly (readonly [name: string, bytes: Uint8Array])[]) => {
  const pieces: Uint8Array[] = [];
  const entries: ZipEntry[] = [];
  let at = 0;
  for (const [name, bytes] of files) {
    const entry = { name, size: bytes.length, crc32: crc32(bytes), offset: at };
    const head = localHeader(entry);
    entries.push({ ...entry, dataOffset: at + head.length });
    pieces.push(head, bytes);
    at += head.length + bytes.length;
  }
  pieces.push(directory(entries, at));
  return { bytes: Uint8Array.from(pieces.flatMap((p) => [...p])), directoryAt: at, entries };
};

/** A source that fails a test where more is asked for than there is. */
const sourceOf = (bytes: Uint8Array): ZipSource => ({
  ...{ name: 'a.cutrec', size: bytes.length },
  read: async (offset, length) => {
    if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length))
      throw new RangeError(`${offset} + ${length} is outside ${bytes.length}`);
    return bytes.slice(offset, offset + length);
  },
});
const read = (bytes: Uint8Array) => readZip(sourceOf(bytes));
const files = [
  ['start.json', text('{}')],
  ['parts/00000.safetensors', text('x'.repeat(100))],
  ['manifest.json', text('{"recording": 1}')],
] as const;

describe('crc32', () => {
  it('is the one of zlib, in one piece or in several', () => {
    expect(crc32(text('123456789'))).toBe(0xcbf43926);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        expect(crc32(bytes)).toBe(systemCrc32(bytes));
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(systemCrc32(bytes));
      }),
    );
  });
});

describe('a ZIP of ours', () => {
  it('is read as it was written', async () => {
    const { bytes, entries } = zipOf(files);
    const content = await read(bytes);
    expect([...content.entries.values()]).toEqual(entries);
    expect(content.damage).toBeUndefined();
  });

  it('has its entries aligned, whatever their names are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.stringMatching(/^[a-zé]{1,40}$/), fc.uint8Array())), async (list) => {
        const named = list.map(([name, bytes], i) => [`${i}${name}`, bytes] as const);
        const content = await read(zipOf(named).bytes);
        expect(content.entries.size).toBe(list.length);
        for (const { dataOffset } of content.entries.values()) expect(dataOffset % alignment).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('says of a size beyond 4 GiB what it is', async () => {
    const entry = { name: 'big', size: 2 ** 33, crc32: 1, offset: 0 };
    const head = localHeader(entry);
    const at = head.length + entry.size;
    const tail = directory([{ ...entry, dataOffset: head.length }], at);
    const source: ZipSource = {
      ...{ name: 'big', size: at + tail.length },
      read: async (offset, length) =>
        Uint8Array.from({ length }, (_, i) => head[offset + i] ?? tail[offset + i - at] ?? 0),
    };
    expect((await readZip(source)).entries.get('big')).toEqual({ ...entry, dataOffset: head.length });
  });
});

describe('a ZIP that was cut off or damaged', () => {
  it('gives the entries that are whole, at any cut', async () => {
    const { bytes, entries } = zipOf(files);
    for (let cut = 0; cut < bytes.length; cut++) {
      const whole = entries.filter((e) => e.dataOffset + e.size <= cut).map((e) => e.name);
      const content = await read(bytes.subarray(0, cut));
      expect([...content.entries.keys()], `cut at ${cut}`).toEqual(whole);
      expect(content.damage).toMatch(/\S/);
    }
  });

  it('leaves out an entry whose bytes were changed, where the directory is gone', async () => {
    const { bytes, directoryAt, entries } = zipOf(files);
    bytes[(entries[1]?.dataOffset ?? 0) + 5] = 0;
    expect([...(await read(bytes.subarray(0, directoryAt))).entries.keys()]).toEqual(['start.json', 'manifest.json']);
  });

  it('is read or refused with our own error, whatever bytes are changed', async () => {
    const { bytes } = zipOf(files);
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        const damaged = Uint8Array.from(bytes);
        for (const [at, value] of list) damaged[at] = value;
        const content = await read(damaged).catch((error: unknown) => error);
        if (content instanceof DebuggerError) expect(content.info.code).toBe('RECORDING_INVALID');
        else if (content instanceof Error) throw content;
      }),
      { numRuns: 2000 },
    );
  });

  it('is told apart from bytes of any kind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect((await read(bytes)).entries.size).toBe(0);
      }),
    );
  });
});

describe('what is refused', () => {
  const refused = async (bytes: Uint8Array): Promise<string> => {
    const error: unknown = await read(bytes).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ info: { code: 'RECORDING_INVALID' } });
    return (error as Error).message;
  };

  it.each(['../out', '/etc/passwd', 'a/../../b', 'a\\b', 'C:x', '', 'a\nb', 'x'.repeat(1001), './a'])(
    'the name %j',
    async (name) => {
      expect(await refused(zipOf([[name, text('x')]]).bytes)).toMatch(/name/);
      const { bytes, directoryAt } = zipOf([[name, text('x')]]);
      expect(await refused(bytes.subarray(0, directoryAt))).toMatch(/name/);
    },
  );

  it('two entries of one name', async () => {
    expect(await refused(zipOf([...files, ...files]).bytes)).toMatch(/one name/);
  });

  it('entries that share bytes', async () => {
    const { bytes, directoryAt, entries } = zipOf(files);
    const [first, second] = entries as [ZipEntry, ZipEntry, ZipEntry];
    const twice = [{ ...first, size: second.dataOffset + 3 }, second];
    const tail = directory(twice, directoryAt);
    expect(await refused(Uint8Array.from([...bytes.subarray(0, directoryAt), ...tail]))).toMatch(/overlaps/);
  });

  it('an entry that reaches past the end', async () => {
    const { bytes, directoryAt, entries } = zipOf(files);
    const tail = directory([{ ...(entries[0] as ZipEntry), size: 2 ** 50 }], directoryAt);
    expect(await refused(Uint8Array.from([...bytes.subarray(0, directoryAt), ...tail]))).toMatch(/past the end/);
  });

  it.each([
    [8, 'compressed'],
    [0, 'encrypted'],
  ])('method %i: %s', async (method, what) => {
    const { bytes, directoryAt } = zipOf(files);
    const view = new DataView(bytes.buffer);
    if (method === 0) view.setUint16(directoryAt + 8, 1, true);
    else view.setUint16(directoryAt + 10, method, true);
    expect(await refused(bytes)).toMatch(what);
  });

  it('more entries than are sensible, before they are read', async () => {
    const { bytes } = zipOf(files);
    const view = new DataView(bytes.buffer);
    const zip64EndAt = bytes.length - 22 - 20 - 56;
    view.setBigUint64(zip64EndAt + 32, 10n ** 9n, true);
    expect(await refused(bytes)).toMatch(/1000000000 entries/);
  });
});
