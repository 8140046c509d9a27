import { rename, unlink, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { bug } from '../../base/index.js';
import type { Tensor } from '../../tensor/index.js';
import { encodeSafetensors, type NamedTensor } from '../safetensors-write.js';
import { openBeside, targetOf, unwritable, writeAll } from '../whole-file.node.js';
import { manifestName, partFacts, partName, startName } from './names.js';
import { directory, localHeader } from './zip-write.js';
import type { ZipEntry } from './zip.js';

/** The checksum of a tensor's bytes, which lets a reader check one value without the others. */
export const tensorCrc32 = ({ data }: Tensor): number =>
  crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));

/**
 * A recording that is being written, beside the file whose place it takes at its end. What was flushed can be read
 * from the temporary file, whatever happens to the process.
 */
export interface RecordingWriter {
  /** The file that is written to. */
  readonly temporary: string;
  /** What the next part will be called. */
  nextPart(): string;
  /**
   * Writes a part and hands it to the disk.
   * @param facts what the manifest will say of it, for the case that there never is one
   */
  flush(tensors: readonly NamedTensor[], facts: object): Promise<void>;
  /** Writes the manifest, syncs, and gives the file its name. */
  finish(manifest: object): Promise<void>;
  /** Gives up. `keep`: the temporary file stays, to be recovered. */
  abandon(keep: boolean): Promise<void>;
}

class Writer implements RecordingWriter {
  readonly #entries: ZipEntry[] = [];
  #at = 0;
  #parts = 0;
  #open = true;

  constructor(
    readonly file: string,
    readonly target: string,
    readonly place: { readonly handle: FileHandle; readonly temporary: string },
  ) {}

  get temporary(): string {
    return this.place.temporary;
  }

  nextPart(): string {
    return partName(this.#parts);
  }

  async json(name: string, value: object): Promise<void> {
    await this.#write(name, [new TextEncoder().encode(JSON.stringify(value))]);
  }

  async flush(tensors: readonly NamedTensor[], facts: object): Promise<void> {
    const chunks = encodeSafetensors(tensors, { [partFacts]: JSON.stringify(facts) });
    await this.#write(partName(this.#parts++), chunks);
    await this.#told(() => this.place.handle.datasync());
  }

  async finish(manifest: object): Promise<void> {
    await this.json(manifestName, manifest);
    await this.#told(async () => {
      await writeAll(this.place.handle, [directory(this.#entries, this.#at)]);
      await this.place.handle.sync();
      this.#open = false;
      await this.place.handle.close();
      await rename(this.temporary, this.target);
    });
  }

  async abandon(keep: boolean): Promise<void> {
    if (this.#open) await this.place.handle.close();
    this.#open = false;
    if (!keep) await unlink(this.temporary).catch(() => undefined);
  }

  async #write(name: string, chunks: readonly Uint8Array[]): Promise<void> {
    if (!this.#open) throw bug('a recording was written to after its end');
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const sum = chunks.reduce((crc, chunk) => crc32(chunk, crc), 0);
    const head = localHeader({ name, size, crc32: sum, offset: this.#at });
    await this.#told(() => writeAll(this.place.handle, [head, ...chunks]));
    this.#entries.push({ name, size, crc32: sum, offset: this.#at, dataOffset: this.#at + head.length });
    this.#at += head.length + size;
  }

  /** Does something with the file; what the system refuses is told as ours. */
  async #told(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw unwritable(this.file, cause);
    }
  }
}

/**
 * Begins a recording. The file of that name stays what it is until `finish`.
 * @param start what is known of the run before it begins: with it a recording that was cut off can be read
 * @throws UsageError OUT_UNWRITABLE
 */
export const createRecording = async (file: string, start: object): Promise<RecordingWriter> => {
  const writer = await beside(file).catch((cause: unknown) => {
    throw unwritable(file, cause);
  });
  try {
    await writer.json(startName, start);
    return writer;
  } catch (error) {
    await writer.abandon(false);
    throw error;
  }
};

const beside = async (file: string): Promise<Writer> => {
  const target = await targetOf(file);
  return new Writer(file, target, await openBeside(target, 'partial'));
};
