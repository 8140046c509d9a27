import type { Journal, JournalEntry } from '../journal.js';
import { beginFile, removeSession } from './session-files.js';

/** What one session may take on the disk. */
const mostBytes = 64 * 2 ** 20;

/**
 * Writes down what is made in a session, from the first thing on. Where that cannot be done, it is told once and the
 * session goes on without.
 */
export class Keeper {
  #journal: Journal | undefined;
  #last: Promise<void> = Promise.resolve();
  #stopped = false;
  #bytes = 0;

  /**
   * @param first the entry that a journal begins with
   * @param note told why nothing is kept any more
   */
  constructor(
    readonly first: () => JournalEntry,
    readonly note: (text: string) => void,
  ) {}

  /** Is there anything on the disk? */
  get holds(): boolean {
    return this.#journal !== undefined;
  }

  /** Resolves when it is on the disk, or was given up. */
  keep(entry: JournalEntry): Promise<void> {
    this.#last = this.#last.then(() => this.#write(entry));
    return this.#last;
  }

  /** Ends the session. `last`: what its journal is kept with; without it, it is removed. */
  async end(last?: JournalEntry): Promise<void> {
    if (last && this.#journal) await this.keep(last);
    await this.#last;
    this.#stopped = true;
    const journal = this.#journal;
    this.#journal = undefined;
    await journal?.dispose();
    if (journal && !last) await removeSession(journal.path);
  }

  async #write(entry: JournalEntry): Promise<void> {
    if (this.#stopped) return;
    this.#bytes += JSON.stringify(entry).length;
    try {
      if (this.#bytes > mostBytes) throw new Error(`it would take more than ${mostBytes} bytes`);
      this.#journal ??= await this.#begun();
      await this.#journal.append(entry);
    } catch (error) {
      this.#stopped = true;
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      this.note(`this session is kept on the disk no more: ${(error as Error).message}${cause}`);
    }
  }

  async #begun(): Promise<Journal> {
    const journal = await beginFile();
    try {
      await journal.append(this.first());
      return journal;
    } catch (error) {
      await journal.dispose();
      throw error;
    }
  }
}
