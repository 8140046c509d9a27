import { z } from 'zod';
import { processAddress } from './agent.js';
import { debugSettings, runAct, runMessages } from './page-run.js';
import type { PromptInput } from './inputs.js';
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

const ids = z.array(z.int().min(0)).max(1_000_000);

/** A message of a conversation. */
export const chatMessage = z.object({ role: text(200), content: text(1_000_000) });
export type ChatMessage = z.infer<typeof chatMessage>;

/** What is read in place of the text: token ids, or a conversation; and what an encoder-decoder's decoder begins with. */
const promptFields = {
  ids: ids.optional(),
  chat: z.array(chatMessage).max(1000).optional(),
  target: text(1_000_000).optional(),
  targetIds: ids.optional(),
};

/** A second run: what it has of its own. Of what is left out it has the first run's; a prompt of its own is one whole. */
export const besideState = z.object({
  model: text(4000).optional(),
  prompt: text(1_000_000).optional(),
  ...promptFields,
  name: text(200).optional(),
  edits: z.array(sessionEdit).max(500).optional(),
});
export type BesideState = z.infer<typeof besideState>;

/** What a user makes, apart from where they look: changes of it can be undone. */
export const experimentState = z.object({
  model: text(4000),
  prompt: text(1_000_000),
  ...promptFields,
  name: text(200),
  edits: z.array(sessionEdit).max(500),
  /** The word whose standing is shown: a text that is one token. The likeliest where left out. */
  word: text(1000).optional(),
  beside: besideState.optional(),
  /** For the debugger; undo leaves it as it is. */
  debug: debugSettings.optional(),
});
export type ExperimentState = z.infer<typeof experimentState>;

/** What can be looked at under the debugger and is not run by us: a recording, by its name's end, or a live process. */
export const isTargetOnly = (model: string): boolean => isProcess(model) || /\.cutrec$/i.test(model);
export const isProcess = (model: string): boolean => processAddress(model) !== undefined;

/**
 * What a state gives to read, as operations take it: ids and a chat stand in place of the text. Undefined while there is
 * nothing to read.
 */
export const sessionPrompt = (state: ExperimentState): SessionPrompt | undefined => {
  const { prompt, ids: given, chat, target, targetIds } = state;
  const behind = targetIds ? { targetIds } : target === undefined ? {} : { target };
  if (given) return given.length > 0 ? { ids: given, ...behind } : undefined;
  if (chat) return chat.length > 0 ? { messages: chat, ...behind } : undefined;
  return prompt === '' ? undefined : { prompt, ...behind };
};
export type SessionPrompt = Pick<PromptInput, 'prompt' | 'ids' | 'messages' | 'target' | 'targetIds'>;

/** A change of it; null takes away what may be left out. */
const stateChange = experimentState.partial().extend({
  ids: promptFields.ids.nullish(),
  chat: promptFields.chat.nullish(),
  target: promptFields.target.nullish(),
  targetIds: promptFields.targetIds.nullish(),
  word: text(1000).nullish(),
  beside: besideState.nullish(),
});

/** What takes long, and is answered at once where it was answered before. */
export const keptMethod = z.enum(['patch', 'circuit', 'attack']);
export type KeptMethod = z.infer<typeof keptMethod>;

/** From a page, as text beside the binary frames of the host's protocol. */
export const pageMessage = z.discriminatedUnion('type', [
  /**
   * A change; fields that are left out stay. `seq` counts what a page changes, its focus too. Changes of one `gesture`, such as a
   * slider's, are one step of undo. Null takes away what may be left out.
   */
  z.object({
    type: z.literal('change'),
    seq: z.int(),
    state: stateChange,
    gesture: text(100).optional(),
  }),
  z.object({ type: z.literal('focus'), seq: z.int(), focus: sessionFocus.nullable() }),
  z.object({ type: z.literal('undo') }),
  z.object({ type: z.literal('redo') }),
  /** Starts another host, after one died. */
  z.object({ type: z.literal('restart') }),
  z.object({ type: z.literal('models') }),
  /** The session becomes one of a live process, to which the server attaches. The token stays with the server. */
  z.object({
    type: z.literal('attach'),
    address: text(300).refine((address) => processAddress(address) !== undefined, 'this is no HOST:PORT'),
    token: text(1000),
    ranks: z.int().min(1).max(1024).optional(),
  }),
  /** What is in a folder that may be looked into; the topmost where left out. */
  z.object({ type: z.literal('browse'), folder: text(4000).optional() }),
  /** Asks for an answer that the server may still have: `params` as the host was asked for it, field for field. */
  z.object({ type: z.literal('kept'), id: z.int(), asked: keptMethod, params: z.record(z.string(), z.unknown()) }),
  /** Of the run under the debugger, which all pages share. */
  z.object({ type: z.literal('run'), act: runAct }),
]);
export type PageMessage = z.infer<typeof pageMessage>;

/** A model that can be chosen. */
export const modelChoice = z.object({ model: z.string(), from: z.enum(['zoo', 'folder', 'recent']) });
export type ModelChoice = z.infer<typeof modelChoice>;

/** A folder, as it is chosen from. `parent`: the folder above, where that may be looked into. */
export const folderView = z.object({
  folder: z.string(),
  parent: z.string().optional(),
  /** Names of the folders in it, and of the models. */
  folders: z.array(z.string()),
  models: z.array(z.object({ name: z.string(), model: z.string() })),
  /** More is in it than is told. */
  more: z.boolean(),
});
export type FolderView = z.infer<typeof folderView>;

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
  z.object({ type: z.literal('folder'), view: folderView }),
  z.object({ type: z.literal('fault'), error: wireError }),
  /** To `kept` of this `id`; without a result where the server has none. */
  z.object({ type: z.literal('kept'), id: z.int(), result: z.unknown().optional() }),
  ...runMessages,
]);
export type ServerMessage = z.infer<typeof serverMessage>;
export type SessionView = Extract<ServerMessage, { type: 'session' }>;
