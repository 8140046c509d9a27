import { crc32 } from 'node:zlib';
import { realpath } from 'node:fs/promises';
import { DebuggerError } from '../../base/index.js';
import { bytesPer, sizeOf, type Tensor } from '../../tensor/index.js';
import { openFile, readInto, unreadable } from '../file.node.js';
import { scanJson } from '../json-scan.js';
import { headerEnd, parseHeader, type SafetensorsHeader } from '../safetensors.js';
import { widen } from '../widen.js';
import { isPart, manifestName, partFacts, startName } from './names.js';
import { isIntact, readZip, type ZipContent } from './zip-read.js';
import { invalidRecording, type ZipEntry, type ZipSource } from './zip.js';

/** Where a tensor of a recording is, as its manifest says. */
export interface TensorPlace {
  readonly part: string;
  readonly tensor: string;
  /** Of the tensor's bytes. */
  readonly crc32?: number | undefined;
}

/** A recording that is open. Tensors are read when they are asked for. */
export interface RecordingFile {
  readonly file: string;
  /** The manifest's JSON, unchecked; of a recording that was cut off, what its start and its parts say. */
  readonly manifest: unknown;
  /** Why it was recovered from its parts. */
  readonly damage: string | undefined;
  /** A tensor as float32. @throws ModelError RECORDING_INVALID, FILE_UNREADABLE */
  read(place: TensorPlace): Promise<Tensor<'float32'>>;
  close(): Promise<void>;
}

interface OpenSource extends ZipSource {
  close(): Promise<void>;
}

/** A manifest of a million steps has some hundred MB. */
const longestManifest = 2 ** 28;
const deepestManifest = 32;
/** Bytes converted at a time. A multiple of every dtype's size. */
const pieceBytes = 8 * 2 ** 20;

const openSource = async (file: string): Promise<OpenSource> => {
  const path = await realpath(file).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  const { handle, size } = await openFile(path);
  return {
    ...{ name: file, size },
    read: async (offset, length) => {
      const bytes = new Uint8Array(length);
      await readInto({ handle, path }, bytes, offset);
      return bytes;
    },
    close: () => handle.close(),
  };
};

const toJson = (bytes: Uint8Array, what: string, file: string): unknown => {
  if (scanJson(bytes).depth > deepestManifest) throw invalidRecording(file, `${what} is nested too deeply`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidRecording(file, `${what} is not JSON in UTF-8`, cause);
  }
};

const readJson = async (source: ZipSource, entry: ZipEntry): Promise<unknown> => {
  if (entry.size > longestManifest)
    throw invalidRecording(source.name, `${entry.name} has ${entry.size} bytes, the most is ${longestManifest}`);
  const bytes = await source.read(entry.dataOffset, entry.size);
  if (crc32(bytes) !== entry.crc32) throw invalidRecording(source.name, `the bytes of ${entry.name} were changed`);
  return toJson(bytes, entry.name, source.name);
};

const readHeader = async (source: ZipSource, entry: ZipEntry): Promise<SafetensorsHeader> => {
  try {
    const start = await source.read(entry.dataOffset, Math.min(8, entry.size));
    const end = headerEnd(start, entry.size, entry.name);
    return parseHeader(await source.read(entry.dataOffset, end), entry.size, entry.name);
  } catch (cause) {
    if (!(cause instanceof DebuggerError && cause.info.code === 'SAFETENSORS_INVALID')) throw cause;
    throw invalidRecording(source.name, cause.message, cause);
  }
};

/** The parts of a recording and their tensors. */
class Parts {
  readonly #headers = new Map<string, Promise<SafetensorsHeader>>();
  constructor(
    readonly source: ZipSource,
    readonly entries: ZipContent['entries'],
  ) {}

  async header(entry: ZipEntry): Promise<SafetensorsHeader> {
    const header = this.#headers.get(entry.name) ?? readHeader(this.source, entry);
    this.#headers.set(entry.name, header);
    return header;
  }

  async read({ part, tensor, crc32: expected }: TensorPlace): Promise<Tensor<'float32'>> {
    const entry = this.entries.get(part);
    const stored = entry && (await this.header(entry)).tensors.get(tensor);
    if (!entry || !stored) throw invalidRecording(this.source.name, `${tensor} is not in ${part}, as it should be`);
    const { dtype, shape, length } = stored;
    const data = new Float32Array(sizeOf(shape));
    let crc = 0;
    for (let at = 0; at < length; at += pieceBytes) {
      const from = entry.dataOffset + stored.offset + at;
      const piece = new Uint8Array(await this.source.read(from, Math.min(pieceBytes, length - at)));
      crc = crc32(piece, crc);
      data.set(widen(dtype, piece.buffer), at / bytesPer[dtype]);
    }
    if (expected !== undefined && crc !== expected)
      throw invalidRecording(this.source.name, `the numbers of ${tensor} were changed`);
    return { dtype: 'float32', shape, data };
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listIn = (facts: unknown, key: string): readonly unknown[] => {
  const list: unknown = isObject(facts) ? facts[key] : undefined;
  return Array.isArray(list) ? list : [];
};

/** What the parts say of steps, or of sites; of one that was recorded again the last counts. */
const lastOf = (facts: readonly unknown[], list: 'steps' | 'sites'): unknown[] => {
  const all = facts.flatMap((f) => [...listIn(f, list)]);
  const keyOf = (line: unknown): string => (isObject(line) ? JSON.stringify([line['step'], line['name']]) : '');
  return [...new Map(all.map((line) => [keyOf(line), line])).values()];
};

/** The manifest of a recording without one: its start, and what the parts that are whole say of themselves. */
const gathered = async (parts: Parts, start: ZipEntry): Promise<object> => {
  const { source, entries } = parts;
  const known = await readJson(source, start);
  if (!isObject(known)) throw invalidRecording(source.name, `${startName} is no JSON object`);
  const facts: unknown[] = [];
  for (const entry of [...entries.values()].filter((e) => isPart(e.name)).sort((a, b) => a.offset - b.offset)) {
    if (!(await isIntact(source, entry, crc32))) continue;
    const text = (await parts.header(entry)).metadata.get(partFacts) ?? '{}';
    facts.push(toJson(new TextEncoder().encode(text), `what ${entry.name} says of itself`, source.name));
  }
  return { ...known, complete: false, steps: lastOf(facts, 'steps'), sites: lastOf(facts, 'sites') };
};

const openFrom = async (source: OpenSource): Promise<RecordingFile> => {
  const { entries, damage } = await readZip(source, crc32);
  const parts = new Parts(source, entries);
  const [manifest, start] = [entries.get(manifestName), entries.get(startName)];
  const lost = 'its manifest is missing';
  if (!manifest && !start) throw invalidRecording(source.name, damage === undefined ? lost : `${damage}, and ${lost}`);
  return {
    file: source.name,
    manifest: manifest ? await readJson(source, manifest) : start && (await gathered(parts, start)),
    damage: damage ?? (manifest ? undefined : lost),
    read: (place) => parts.read(place),
    close: () => source.close(),
  };
};

/**
 * Opens a recording. One whose writing was cut off is recovered as far as its parts are whole.
 * @throws ModelError RECORDING_INVALID, FILE_UNREADABLE
 */
export const openRecording = async (file: string): Promise<RecordingFile> => {
  const source = await openSource(file);
  try {
    return await openFrom(source);
  } catch (error) {
    await source.close();
    throw error;
  }
};

const zipStart = [0x50, 0x4b, 3, 4];

/** Whether a file is a recording, by its content: a ZIP that is no pickle of PyTorch. What cannot be read is none. */
export const isRecording = async (file: string): Promise<boolean> => {
  const source = await openSource(file).catch(() => undefined);
  if (!source) return false;
  try {
    const start = await source.read(0, Math.min(source.size, 256));
    const text = new TextDecoder('latin1').decode(start);
    return zipStart.every((byte, i) => start[i] === byte) && !/\.pkl|\.pickle|\.npy/.test(text);
  } finally {
    await source.close();
  }
};
