import { z } from 'zod';
import { attachInput, debugInput } from '../protocol/index.js';
import type { Launch } from './opener.js';

const ways = {
  stopOnEntry: z.boolean().default(false),
  /** Stay at the end of the generation, from where one can step back. */
  stopOnExit: z.boolean().default(false),
  noDebug: z.boolean().default(false),
  /** Keep what is made on the disk. */
  journal: z.boolean().default(true),
};

/** What `launch` takes; fields that clients add for themselves are left alone. */
export const launchArguments = debugInput.omit({ edits: true, x: true, prompts: true }).extend({
  /** Changes, as lines of the edit language. */
  edits: z.union([z.string(), z.array(z.string())]).default([]),
  /** Bring back the last session of the model, or that of a file. */
  restore: z.union([z.boolean(), z.string().min(1)]).default(false),
  ...ways,
});
type LaunchArguments = z.infer<typeof launchArguments>;

/**
 * What `attach` takes: a recording, of which with its model everything in the run can be looked at; or where a live
 * process is.
 */
export const attachArguments = z.union([
  z.object({ ...attachInput.shape, ...ways }),
  z.object({
    recording: z.string({ error: 'name the file of a recording, or the port of a live process' }).min(1),
    model: z.string().optional(),
    /** Though it is of another model. */
    force: z.boolean().default(false),
    ...ways,
    stopOnEntry: z.boolean().default(true),
    stopOnExit: z.boolean().default(true),
  }),
]);

const wayOf = (given: z.output<z.ZodObject<typeof ways>>, restore: boolean | string = false): Omit<Launch, 'input'> => {
  const { stopOnEntry, stopOnExit, noDebug, journal } = given;
  return { stopOnEntry, stopOnExit, noDebug, keeping: { isPrivate: !journal, restore } };
};

export const launchOf = (given: LaunchArguments): Launch => {
  const lines = typeof given.edits === 'string' ? [given.edits] : given.edits;
  const input = debugInput.omit({ x: true }).parse({ ...given, edits: [] });
  const edits = lines.filter((line) => line.trim() !== '').map((text) => ({ text }));
  return { input: { ...input, edits }, ...wayOf(given, given.restore) };
};

/** A live process; a recording by itself, or run again on its model. */
export const attachOf = (given: z.infer<typeof attachArguments>): Launch => {
  if ('port' in given) return { input: attachInput.parse(given), ...wayOf(given) };
  const { recording, model, force, ...ways } = given;
  const asked = model === undefined ? { model: recording } : { model, fromRecording: recording, force };
  return { input: debugInput.omit({ x: true }).parse(asked), ...wayOf(ways) };
};
