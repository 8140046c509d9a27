import { createHash } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { UsageError } from '../../base/index.js';

/** Results kept in a file as they come: a long sweep that was stopped goes on from them. One JSON value a line. */
export interface SweepFile {
  readonly known: ReadonlyMap<string, number>;
  add(key: string, value: number): void;
  /** Writes what was added. */
  flush(): Promise<void>;
}

const refused = (file: string, why: string, hint: string): UsageError =>
  new UsageError(`${file} ${why}`, { code: 'OPTION_INVALID', hint });

const headOf = (request: unknown): string =>
  JSON.stringify({ cutaway: 'sweep', request: createHash('sha256').update(JSON.stringify(request)).digest('hex') });

const readKnown = (file: string, content: string, head: string): Map<string, number> => {
  const [first, ...lines] = content.split('\n');
  if (first !== head)
    throw refused(
      file,
      'holds the results of another request',
      'Give another file, or ask for what that sweep was asked for.',
    );
  const known = new Map<string, number>();
  for (const line of lines) {
    // the last line may have been cut off
    const [, key, value] = /^\["([\w:.-]{1,60})",(-?[\d.e+-]{1,30}|null)\]$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && value !== 'null') known.set(key, Number(value));
  }
  return known;
};

/**
 * Opens such a file, or begins one.
 * @param request what the results depend on
 * @throws UsageError OPTION_INVALID for the file of another request, OUT_UNWRITABLE
 */
export const openSweepFile = async (file: string, request: unknown): Promise<SweepFile> => {
  const head = headOf(request);
  const there = await readFile(file, 'utf8').catch(() => undefined);
  const known = there === undefined ? new Map<string, number>() : readKnown(file, there, head);
  const unwritable = (cause: unknown): never => {
    throw new UsageError(`${file} cannot be written: ${cause instanceof Error ? cause.message : 'unknown'}`, {
      code: 'OUT_UNWRITABLE',
      hint: 'Check the folder and the rights.',
      cause,
    });
  };
  const lines = [...known].map(([key, value]) => JSON.stringify([key, value]));
  await writeFile(file, [head, ...lines, ''].join('\n')).catch(unwritable);
  let waiting: string[] = [];
  return {
    known,
    add: (key, value) => void waiting.push(`${JSON.stringify([key, value])}\n`),
    flush: async () => {
      const text = waiting.join('');
      waiting = [];
      if (text !== '') await appendFile(file, text).catch(unwritable);
    },
  };
};
