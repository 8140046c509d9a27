import { createHash } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { UsageError } from '../../base/index.js';
import type { Edit } from '../../language/index.js';
import type { OpenModel } from '../open-model.js';
import type { Pair } from './pairs.js';

/** Results kept in a file as they come: a long sweep that was stopped goes on from them. One JSON value a line. */
export interface SweepFile {
  /** What an earlier sweep had; NaN where that has no number. */
  readonly known: ReadonlyMap<string, number>;
  /** Keeps a result; what was kept is written at least every second. */
  add(key: string, value: number): Promise<void>;
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
    if (key !== undefined && value !== undefined) known.set(key, value === 'null' ? NaN : Number(value));
  }
  return known;
};

/** Of a request, what its results depend on: what its files hold, not how they are called. */
export const requestOf = async (
  {
    model,
    edits,
    pairs,
  }: { readonly model: OpenModel; readonly edits: readonly Edit[]; readonly pairs: readonly Pair[] },
  input: object,
): Promise<object> => ({
  ...input,
  ...{ out: undefined, resume: undefined, threads: undefined, maxBytes: undefined, edits },
  model: (await model.summary()).fingerprint,
  pairs: pairs.map(({ prompt, corrupt, metric, subject }) => [
    ...[prompt, corrupt, metric],
    ...(subject === undefined ? [] : [subject]),
  ]),
});

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
  const lines = [...known].map((entry) => JSON.stringify(entry));
  await writeFile(file, [head, ...lines, ''].join('\n')).catch(unwritable);
  let waiting: string[] = [];
  let written = performance.now();
  const flush = async (): Promise<void> => {
    const text = waiting.join('');
    waiting = [];
    written = performance.now();
    if (text !== '') await appendFile(file, text).catch(unwritable);
  };
  return {
    ...{ known, flush },
    add: async (key, value) => {
      waiting.push(`${JSON.stringify([key, value])}\n`);
      if (performance.now() - written > 1000) await flush();
    },
  };
};
