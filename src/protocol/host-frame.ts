import { UsageError, type Json } from '../base/index.js';

/** A message with raw bytes beside it: u32 header length, u32 payload length, JSON, bytes; all little-endian. */
export interface Frame {
  readonly message: Json;
  /** Its own copy, at offset 0 of its buffer: any typed array can be laid over it. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** What a frame may take, in bytes; more is refused before it is held. */
export interface FrameLimits {
  readonly header: number;
  readonly payload: number;
}
export const frameLimits: FrameLimits = { header: 2 ** 24, payload: 2 ** 28 };

const lengthsBytes = 8;

/** Something that does not keep to the protocol. */
export const invalidMessage = (message: string, cause?: unknown): UsageError =>
  new UsageError(message, {
    code: 'MESSAGE_INVALID',
    hint: 'Both sides must be of one version of Cutaway, and nothing else may write to the connection.',
    ...(cause === undefined ? {} : { cause }),
  });

/**
 * A frame as pieces to be written one after the other; the payload is not copied.
 * @throws UsageError MESSAGE_INVALID beyond the limits
 */
export const encodeFrame = (
  message: unknown,
  payload: Uint8Array = new Uint8Array(0),
  limits: FrameLimits = frameLimits,
): readonly Uint8Array[] => {
  const json = new TextEncoder().encode(JSON.stringify(message));
  checkLengths({ header: json.length, payload: payload.length }, limits);
  const head = new Uint8Array(lengthsBytes + json.length);
  const lengths = new DataView(head.buffer);
  lengths.setUint32(0, json.length, true);
  lengths.setUint32(4, payload.length, true);
  head.set(json, lengthsBytes);
  return payload.length === 0 ? [head] : [head, payload];
};

const checkLengths = (length: FrameLimits, limits: FrameLimits): void => {
  for (const part of ['header', 'payload'] as const)
    if (length[part] > limits[part])
      throw invalidMessage(`a frame's ${part} of ${length[part]} bytes is beyond the limit of ${limits[part]}`);
  if (length.header === 0) throw invalidMessage('a frame has no header');
};

const parseHeader = (bytes: Uint8Array): Json => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
  } catch (cause) {
    throw invalidMessage('the header of a frame is no JSON', cause);
  }
};

/** Bytes that came in pieces. */
class Pieces {
  #pieces: Uint8Array[] = [];
  bytes = 0;

  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.bytes += piece.length;
  }

  /** The next `count` bytes, copied; they must be there. */
  take(count: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(count);
    let [at, used] = [0, 0];
    for (const piece of this.#pieces) {
      const part = piece.subarray(0, count - at);
      out.set(part, at);
      at += part.length;
      if (part.length < piece.length) {
        this.#pieces[used] = piece.subarray(part.length);
        break;
      }
      used++;
    }
    this.#pieces.splice(0, used);
    this.bytes -= count;
    return out;
  }
}

/** Frames out of bytes that come in any pieces. After an error nothing more is read: where a frame begins is lost. */
export class FrameDecoder {
  readonly #pieces = new Pieces();
  #lengths: FrameLimits | undefined;
  #error: UsageError | undefined;

  constructor(readonly limits: FrameLimits = frameLimits) {}

  push(bytes: Uint8Array): void {
    if (this.#error === undefined) this.#pieces.push(bytes);
  }

  /** The next whole frame, if it is there. @throws UsageError MESSAGE_INVALID, from then on each time */
  next(): Frame | undefined {
    if (this.#error !== undefined) throw this.#error;
    try {
      return this.#next();
    } catch (error) {
      this.#error = error as UsageError;
      throw error;
    }
  }

  #next(): Frame | undefined {
    const lengths = (this.#lengths ??= this.#readLengths());
    if (!lengths || this.#pieces.bytes < lengths.header + lengths.payload) return undefined;
    this.#lengths = undefined;
    return { message: parseHeader(this.#pieces.take(lengths.header)), payload: this.#pieces.take(lengths.payload) };
  }

  #readLengths(): FrameLimits | undefined {
    if (this.#pieces.bytes < lengthsBytes) return undefined;
    const view = new DataView(this.#pieces.take(lengthsBytes).buffer);
    const lengths = { header: view.getUint32(0, true), payload: view.getUint32(4, true) };
    checkLengths(lengths, this.limits);
    return lengths;
  }
}
