import { z } from 'zod';
import {
  debugInput,
  pointSpec,
  pointsInput,
  targetChange,
  targetPosition,
  type PointSpec,
} from '../../../protocol/index.js';
import { readJournal, type JournalEntry } from '../journal.js';

/** The first entry of a debugger's journal: who began it, and with what. */
export const sessionBegun = z.object({
  session: z.literal(1),
  face: z.enum(['terminal', 'editor']),
  /** The process that writes it, on this machine. */
  pid: z.int(),
  machine: z.string(),
  /** ISO 8601. */
  date: z.string(),
  /** Paths in changes are relative to this. */
  folder: z.string(),
  fingerprint: z.string(),
  /** What is shown of the prompt. */
  text: z.string(),
  input: debugInput.omit({ x: true }),
});
export type SessionBegun = z.infer<typeof sessionBegun>;

const pointsMade = z.object({
  add: z.array(pointSpec.required({ id: true })).default([]),
  remove: z.array(z.int()).default([]),
  caught: pointsInput.shape.caught,
});

/** A change, and where the run stood when it was made. */
const changeMade = z.object({ at: targetPosition, change: targetChange });
export type ChangeMade = z.infer<typeof changeMade>;

/** What each kind of entry holds. `saved`: the changes in force are somewhere else, too. */
const kinds = {
  begun: sessionBegun,
  points: pointsMade,
  change: changeMade,
  displays: z.object({ expressions: z.array(z.string()) }),
  saved: z.object({}),
  ended: z.object({ date: z.string() }),
} as const;
type Kinds = { readonly [K in keyof typeof kinds]: z.input<(typeof kinds)[K]> };

/** An entry as a journal has it. */
export const entryOf = <K extends keyof Kinds>(kind: K, data: Kinds[K]): JournalEntry => ({
  kind,
  data: JSON.parse(JSON.stringify(data)) as JournalEntry['data'],
});

/** A debugger's session as its journal has it. */
export interface KeptSession {
  readonly file: string;
  readonly begun: SessionBegun;
  /** By their numbers. */
  readonly points: readonly (PointSpec & { readonly id: number })[];
  readonly caught: readonly string[];
  /** What the terminal prints at each stop. */
  readonly displays: readonly string[];
  /** In the order in which they were made, undone ones and their undoing included. */
  readonly changes: readonly ChangeMade[];
  /** It ended as sessions should; another was killed, or goes on. */
  readonly ended: boolean;
  /** What was damaged, and left out. */
  readonly notes: readonly string[];
}

const parsed = <K extends keyof Kinds>(entries: readonly JournalEntry[], kind: K) =>
  entries.flatMap((entry) => {
    if (entry.kind !== kind) return [];
    const { data } = kinds[kind].safeParse(entry.data);
    return data === undefined ? [] : [data as z.output<(typeof kinds)[K]>];
  });

/**
 * Reads a debugger's journal.
 * @returns undefined where the file is no such journal
 * @throws UsageError FILE_UNREADABLE
 */
export const readSession = async (file: string): Promise<KeptSession | undefined> => {
  const { entries, notes } = await readJournal(file);
  const [begun] = parsed(entries, 'begun');
  if (!begun) return undefined;
  const points = new Map<number, PointSpec & { readonly id: number }>();
  const all = parsed(entries, 'points');
  for (const { add, remove } of all) {
    for (const id of remove) points.delete(id);
    for (const spec of add) points.set(spec.id, spec);
  }
  return {
    ...{ file, begun, notes, points: [...points.values()] },
    caught: all.findLast(({ caught }) => caught !== undefined)?.caught ?? [],
    displays: parsed(entries, 'displays').at(-1)?.expressions ?? [],
    changes: parsed(entries, 'change'),
    ended: parsed(entries, 'ended').length > 0,
  };
};

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** A session in a line: when, on what, how much. */
export const sessionTold = ({ begun, changes, points }: KeptSession): string =>
  `${begun.date.slice(0, 16).replace('T', ' ')} UTC, ${JSON.stringify(begun.text)}: ${counted(changes.length, 'change')}, ${counted(points.length, 'breakpoint')}`;
