import { z } from 'zod';
import { debugInput, type DebugInput } from '../protocol/index.js';

const sampling = {
  temperature: z.number().optional(),
  topK: z.int().optional(),
  topP: z.number().optional(),
  minP: z.number().optional(),
  repetitionPenalty: z.number().optional(),
  seed: z.int().optional(),
};

/** What `launch` takes; fields that clients add for themselves are left alone. */
export const launchArguments = debugInput.omit({ edits: true, x: true, prompts: true }).extend({
  ...sampling,
  /** Changes, as lines of the edit language. */
  edits: z.union([z.string(), z.array(z.string())]).default([]),
  stopOnEntry: z.boolean().default(false),
  /** Stay at the end of the generation, from where one can step back. */
  stopOnExit: z.boolean().default(false),
  noDebug: z.boolean().default(false),
  record: z.undefined({ error: 'recording is not possible from here yet: use `cutaway run --record`' }).optional(),
});
export type LaunchArguments = z.infer<typeof launchArguments>;

const editOf = {
  temperature: 'temperature',
  topK: 'top-k',
  topP: 'top-p',
  minP: 'min-p',
  repetitionPenalty: 'repetition-penalty',
  seed: 'seed',
} as const satisfies Readonly<Record<keyof typeof sampling, string>>;

/** The request behind a launch: sampling is a list of edits, which come first. */
export const debugInputOf = (given: LaunchArguments): DebugInput => {
  const { edits } = given;
  const words = (Object.keys(editOf) as (keyof typeof editOf)[]).flatMap((field) => {
    const value = given[field];
    return value === undefined ? [] : [`${editOf[field]} ${value}`];
  });
  const lines = typeof edits === 'string' ? [edits] : edits;
  const input = debugInput.parse({ ...given, edits: [] });
  return { ...input, edits: [...words, ...lines].filter((line) => line.trim() !== '').map((text) => ({ text })) };
};
