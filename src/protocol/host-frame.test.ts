import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DebuggerError } from '../base/index.js';
import { encodeFrame, FrameDecoder, type Frame } from './host-frame.js';

const joined = (pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(pieces.flatMap((p) => [...p]));

const readAll = (decoder: FrameDecoder): Frame[] => {
  const frames = [];
  for (let frame = decoder.next(); frame; frame = decoder.next()) frames.push(frame);
  return frames;
};

const decoded = (pieces: readonly Uint8Array[], decoder = new FrameDecoder()): Frame[] =>
  pieces.flatMap((piece) => {
    decoder.push(piece);
    return readAll(decoder);
  });

const errorOf = (work: () => unknown): DebuggerError => {
  try {
    work();
  } catch (error) {
    if (error instanceof DebuggerError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

const lengths = (header: number, payload: number): Uint8Array => new Uint8Array(Uint32Array.of(header, payload).buffer);

describe('frames', () => {
  it('are lengths, JSON and bytes, little-endian', () => {
    const bytes = joined(encodeFrame({ a: 'é' }, Uint8Array.of(9, 8, 7)));
    expect([...bytes.subarray(0, 8)]).toEqual([10, 0, 0, 0, 3, 0, 0, 0]);
    expect(new TextDecoder().decode(bytes.subarray(8, 18))).toBe('{"a":"é"}');
    expect([...bytes.subarray(18)]).toEqual([9, 8, 7]);
  });

  it('come back whole from any split', () => {
    const frame = fc.tuple(fc.jsonValue(), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(1000)), (frames, cuts) => {
        const bytes = joined(frames.flatMap(([message, payload]) => encodeFrame(message, payload)));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const back = decoded(at.slice(1).map((end, i) => bytes.subarray(at[i], end)));
        const plain = (message: unknown): unknown => JSON.parse(JSON.stringify(message));
        expect(back.map((f) => [f.message, [...f.payload]])).toEqual(frames.map(([m, p]) => [plain(m), [...p]]));
      }),
    );
  });

  it('hand out payloads that typed arrays can be laid over', () => {
    const numbers = Float64Array.of(1.5, -2);
    const [frame] = decoded([joined(encodeFrame({ odd: 1 }, new Uint8Array(numbers.buffer)))]);
    expect([...new Float64Array(frame?.payload.buffer ?? new ArrayBuffer(0))]).toEqual([1.5, -2]);
  });

  it.each([
    ['a huge header', lengths(0xffffffff, 0)],
    ['a huge payload', lengths(2, 0xffffffff)],
    ['no header', lengths(0, 4)],
    ['no JSON', joined([lengths(2, 0), Uint8Array.of(0x7b, 0x7b)])],
    ['no UTF-8', joined([lengths(2, 0), Uint8Array.of(0xff, 0xfe)])],
  ])('with %s are refused at once, and nothing after them is read', (_, bytes) => {
    const decoder = new FrameDecoder();
    decoder.push(bytes);
    expect(errorOf(() => decoder.next()).info.code).toBe('MESSAGE_INVALID');
    decoder.push(joined(encodeFrame({})));
    expect(errorOf(() => decoder.next()).info.code).toBe('MESSAGE_INVALID');
  });

  it('beyond the limits are not sent', () => {
    const limits = { header: 10, payload: 3 };
    expect(errorOf(() => encodeFrame('a text that is long', undefined, limits)).info.code).toBe('MESSAGE_INVALID');
    expect(errorOf(() => encodeFrame(1, new Uint8Array(4), limits)).message).toContain('4 bytes');
  });

  it('take any garbage as an error or as too few bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (pieces) => {
        try {
          decoded(pieces);
        } catch (error) {
          expect(error).toBeInstanceOf(DebuggerError);
        }
      }),
    );
  });

  it('of many small pieces are read in linear time', () => {
    const bytes = joined(encodeFrame({}, new Uint8Array(100_000)));
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7));
    expect(decoded(pieces).map((f) => f.payload.length)).toEqual([100_000]);
  });
});
