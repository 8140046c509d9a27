import { z } from 'zod';
import { debugSettings, runAct, runMessages } from './page-run.js';
import { wireError } from './wire-error.js';

const text = (most: number) => z.string().max(most);

/** An edit of the experiment, switched on or off. */
export const sessionEdit = z.object({ text: text(20_000), on: z.boolean() });
export type SessionEdit = z.infer<typeof sessionEdit>;

/** Where everybody looks: a part of the stream (`blocks.3`, `embed`), a position, a head of that layer. */
export const sessionFocus = z.object({
  after: text(100),
  position: z.int().min(0),
  head: z.int().min(0).optional(),
});
export type SessionFocus = z.infer<typeof sessionFocus>;

/** What a user makes, apart from where they look: changes of it can be undone. */
export const experimentState = z.object({
  model: text(4000),
  prompt: text(1_000_000),
  /** What an encoder-decoder's decoder begins with. */
  target: text(1_000_000).optional(),
  name: text(200),
  edits: z.array(sessionEdit).max(500),
  /** The word whose standing is shown: a text that is one token. The likeliest where left out. */
  word: text(1000).optional(),
  /** For the debugger; undo leaves it as it is. */
  debug: debugSettings.optional(),
});
export type ExperimentState = z.infer<typeof experimentState>;

/** From a page, as text beside the binary frames of the host's protocol. */
export const pageMessage = z.discriminatedUnion('type', [
  /**
   * A change; fields that are left out stay. `seq` counts what a page changes, its focus too. Changes of one `gesture`, such as a
   * slider's, are one step of undo. Null takes away what may be left out.
   */
  z.object({
    type: z.literal('change'),
    seq: z.int(),
    state: experimentState.partial().extend({ target: text(1_000_000).nullish(), word: text(1000).nullish() }),
    gesture: text(100).optional(),
  }),
  z.object({ type: z.literal('focus'), seq: z.int(), focus: sessionFocus.nullable() }),
  z.object({ type: z.literal('undo') }),
  z.object({ type: z.literal('redo') }),
  /** Starts another host, after one died. */
  z.object({ type: z.literal('restart') }),
  z.object({ type: z.literal('models') }),
  /** Of the run under the debugger, which all pages share. */
  z.object({ type: z.literal('run'), act: runAct }),
]);
export type PageMessage = z.infer<typeof pageMessage>;

/** A model that can be chosen. */
export const modelChoice = z.object({ model: z.string(), from: z.enum(['zoo', 'folder', 'recent']) });
export type ModelChoice = z.infer<typeof modelChoice>;

/** The first minute: a prompt that a model of the zoo gets wrong. */
export const tourHint = z.object({
  ...{ model: z.string(), prompt: z.string(), expected: z.string(), wrong: z.string() },
  ...{ layer: z.int(), head: z.int() },
});
export type TourHint = z.infer<typeof tourHint>;

/** To a page. */
export const serverMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('session'),
    /** How many of this page's own changes are in it. */
    seq: z.int(),
    state: experimentState,
    focus: sessionFocus.nullable(),
    canUndo: z.boolean(),
    canRedo: z.boolean(),
    tour: tourHint.optional(),
    /** Whether models can run; why not. */
    host: z.object({ alive: z.boolean(), error: wireError.optional() }),
    notes: z.array(z.string()),
  }),
  z.object({ type: z.literal('models'), models: z.array(modelChoice) }),
  z.object({ type: z.literal('fault'), error: wireError }),
  ...runMessages,
]);
export type ServerMessage = z.infer<typeof serverMessage>;
export type SessionView = Extract<ServerMessage, { type: 'session' }>;
