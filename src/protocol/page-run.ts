import { z } from 'zod';
import { motion, pointMoment, targetAbout, targetState, targetStop, targetTold } from './target.js';
import { wireError } from './wire-error.js';

/** The run under the debugger that a page's server has for all its pages, as `session` in `debug.view`. */
export const pageRun = 'page';

const text = (most: number) => z.string().max(most);
const count = z.int().min(0);

/**
 * Where a session's run is to stop; what is given must all hold. `token`: the step that is fed this token, which for
 * all of the prompt is step 0. `watch` makes it a data breakpoint, `log` a log point.
 */
export const sessionPoint = z.object({
  id: z.int().min(1).max(1_000_000),
  on: z.boolean(),
  line: z.int().min(1).optional(),
  layer: count.optional(),
  token: count.optional(),
  /** Globs. */
  sites: text(2000).optional(),
  moment: pointMoment.optional(),
  watch: text(2000).optional(),
  condition: text(2000).optional(),
  hits: text(100).optional(),
  log: text(2000).optional(),
});
export type SessionPoint = z.infer<typeof sessionPoint>;

/** What a user makes for the debugger: breakpoints, expressions that are watched, exceptions that stop a run. */
export const debugSettings = z.object({
  points: z.array(sessionPoint).max(500),
  watches: z.array(text(2000)).max(100),
  caught: z.array(text(200)).max(50),
});
export type DebugSettings = z.infer<typeof debugSettings>;

/** What a page may have done with the session's run. A move opens it where it is not open. */
export const runAct = z.discriminatedUnion('act', [
  z.object({ act: z.literal('open') }),
  z.object({ act: z.literal('move'), motion }),
  z.object({ act: z.literal('pause') }),
  /** From the beginning, with the text and the edits as they are now. */
  z.object({ act: z.literal('restart') }),
  z.object({ act: z.literal('close') }),
]);
export type RunAct = z.infer<typeof runAct>;

const refusal = z.object({ what: z.union([z.int(), z.string()]), error: wireError });

/** The session's run, as every page is told. */
export const runView = z.object({
  phase: z.enum(['off', 'opening', 'running', 'stopped']),
  /** Runs that were opened so far: what was told of another is old. */
  run: count,
  state: targetState.optional(),
  stop: targetStop.optional(),
  /** How its text or model differs from the session's by now; `edits`: by some that only a new run can have. */
  outdated: z.enum(['model', 'text', 'edits']).optional(),
  /** Edits were changed after something had run: that stands as it ran. */
  changed: z.boolean(),
  /** Breakpoints (by number) and exceptions (by text) that were refused, and why. */
  refused: z.array(refusal),
  /** What went wrong last. */
  error: wireError.optional(),
  /** Of a process that has ended: how it tells of it. */
  ended: z.string().optional(),
  notes: z.array(z.string()),
});
export type RunView = z.infer<typeof runView>;

/** To all pages, of the session's run. */
export const runMessages = [
  z.object({ type: z.literal('run'), view: runView }),
  /** What the run is of: once a run, and to each page that comes. */
  z.object({ type: z.literal('about'), run: count, about: targetAbout }),
  /** Told while it goes on. `again`: from the run's beginning, to a page that came later. */
  z.object({ type: z.literal('told'), run: count, told: z.array(targetTold), again: z.boolean() }),
] as const;
