import { open, type FileHandle } from 'node:fs/promises';
import { EngineError, UsageError, type Json } from '../../base/index.js';

/** Something that a user made: an edit of the experiment, a breakpoint, a prompt. What kinds there are is the face's. */
export interface JournalEntry {
  readonly kind: string;
  readonly data: Json;
}

/** Line 1 says what the file is. */
const header = '{"journal":1}\n';
const mostBytes = 2 ** 28;
const newline = 0x0a;

const unreadable = (path: string, reason: string, cause?: unknown): UsageError =>
  new UsageError(`the journal ${path} cannot be used: ${reason}`, {
    code: 'FILE_UNREADABLE',
    hint: 'Name another file, or move this one away.',
    ...(cause === undefined ? {} : { cause }),
  });

/** A line as an entry; undefined where it is none. */
const parseEntry = (line: string): JournalEntry | undefined => {
  try {
    const value = JSON.parse(line) as Partial<JournalEntry> | null;
    const isEntry = typeof value?.kind === 'string' && value.data !== undefined;
    return isEntry ? { kind: value.kind, data: value.data } : undefined;
  } catch {
    return undefined;
  }
};

/**
 * What the user made, as lines that are only ever added to a file and are on the disk before `append` resolves. For one
 * writer at a time.
 */
export class Journal {
  readonly #entries: JournalEntry[];
  readonly #file: FileHandle;
  #last: Promise<unknown> = Promise.resolve();
  #failed: unknown;

  constructor(
    readonly path: string,
    file: FileHandle,
    { entries, notes }: { readonly entries: readonly JournalEntry[]; readonly notes: readonly string[] },
  ) {
    this.#file = file;
    this.#entries = [...entries];
    this.notes = notes;
  }

  /** What was damaged, and left out, when it was opened. */
  readonly notes: readonly string[];

  entries(): readonly JournalEntry[] {
    return [...this.#entries];
  }

  /** Adds an entry; several at a time are written in the order of the calls. @throws EngineError OUT_UNWRITABLE */
  append({ kind, data }: JournalEntry): Promise<void> {
    const line = `${JSON.stringify({ kind, data })}\n`;
    const entry = parseEntry(line);
    const written = this.#last.then(async () => {
      if (this.#failed !== undefined || !entry) throw this.#unwritable(this.#failed);
      try {
        await this.#file.appendFile(line);
        await this.#file.datasync();
      } catch (cause) {
        this.#failed = cause; // half a line may be there: nothing may follow it
        throw this.#unwritable(cause);
      }
      this.#entries.push(entry);
    });
    this.#last = written.catch(() => undefined);
    return written;
  }

  /** Closes the file, when all is written. */
  async dispose(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }

  #unwritable(cause: unknown): EngineError {
    return new EngineError(`the journal ${this.path} cannot be written`, {
      code: 'OUT_UNWRITABLE',
      hint: 'Make room on the disk and open the journal again: what was written before is kept.',
      cause,
    });
  }
}

const readAll = async (file: FileHandle, path: string): Promise<Uint8Array> => {
  const { size } = await file.stat();
  if (size > mostBytes) throw unreadable(path, `it has ${size} bytes, more than ${mostBytes}`);
  return file.readFile();
};

/** Whole lines, without the newline; a last one that has none was torn. */
const wholeLines = (bytes: Uint8Array): { readonly lines: readonly string[]; readonly end: number } => {
  const end = bytes.lastIndexOf(newline) + 1;
  const text = new TextDecoder().decode(bytes.subarray(0, end));
  return { lines: text.split('\n').slice(0, -1), end };
};

/** What the bytes of a journal say. `end`: behind the last whole line. */
const parseJournal = (bytes: Uint8Array, path: string) => {
  const { lines, end } = wholeLines(bytes);
  const isOurs =
    lines.length > 0 ? `${lines[0] ?? ''}\n` === header : header.startsWith(new TextDecoder().decode(bytes));
  if (!isOurs) throw unreadable(path, 'it is no journal of this version');
  const parsed = lines.slice(1).map((line, i) => ({ entry: parseEntry(line), line: i + 2 }));
  const torn = end < bytes.length && end > 0 ? ['the last line was not written whole and is left out'] : [];
  const bad = parsed.filter(({ entry }) => !entry).map(({ line }) => `line ${line} is damaged and left out`);
  return { entries: parsed.flatMap(({ entry }) => entry ?? []), notes: [...bad, ...torn], end };
};

const readAndMend = async (file: FileHandle, path: string) => {
  const bytes = await readAll(file, path);
  const read = parseJournal(bytes, path);
  if (read.end < bytes.length) await file.truncate(read.end);
  if (read.end === 0) await file.appendFile(header);
  return read;
};

const opened = (path: string, flags: 'a+' | 'r'): Promise<FileHandle> =>
  open(path, flags, 0o600).catch((cause: unknown) => {
    throw unreadable(path, (cause as Error).message, cause);
  });

/**
 * What a journal has, which may be another's that is being written: nothing in the file is changed.
 * @throws UsageError FILE_UNREADABLE
 */
export const readJournal = async (path: string): Promise<Pick<Journal, 'notes'> & { entries: JournalEntry[] }> => {
  const file = await opened(path, 'r');
  try {
    const { entries, notes } = parseJournal(await readAll(file, path), path);
    return { entries, notes };
  } finally {
    await file.close();
  }
};

/**
 * Opens a journal, or begins one, for its user's eyes alone. A last line that a crash tore is taken away; other damage
 * is told in `notes`.
 * @throws UsageError FILE_UNREADABLE
 */
export const openJournal = async (path: string): Promise<Journal> => {
  const file = await opened(path, 'a+');
  try {
    return new Journal(path, file, await readAndMend(file, path));
  } catch (error) {
    await file.close();
    throw error;
  }
};
