import { z } from 'zod';
import { attackInput, attackResult } from './attack.js';
import { attributeInput, attributeResult } from './attribute.js';
import { attentionInput, attentionResult } from './attention.js';
import { circuitInput, circuitResult } from './circuit.js';
import { compareInput, compareResult } from './compare.js';
import { diffInput, diffResult } from './diff.js';
import { componentsInput, componentsResult } from './components.js';
import { compositionInput, compositionResult } from './composition.js';
import { debugInput } from './debug.js';
import { editInput, modelInput, promptInput } from './inputs.js';
import { headInput, headResult } from './head.js';
import { headsInput, headsResult } from './heads.js';
import { inspectInput, inspectResult } from './inspect.js';
import { knockoutInput, knockoutResult } from './knockout.js';
import { lensInput, lensResult } from './lens.js';
import { listInput, listResult } from './list.js';
import { modelSummary } from './model.js';
import { boardResult } from './packed-board.js';
import { patchInput, patchResult } from './patch.js';
import { neuronsInput, neuronsResult } from './neurons.js';
import { runInput, runResult } from './run.js';
import {
  changeResult,
  moveResult,
  motion,
  pointsInput,
  pointsResult,
  targetAbout,
  targetChange,
  targetState,
  targetTold,
  viewAsk,
} from './target.js';
import { timesInput, timesResult } from './times.js';
import { tokenizeInput, tokenizeResult } from './tokenize.js';
import { tourInput, tourResult } from './tour.js';
import { viewInput, viewResult, weightInput } from './views.js';
import { wireError } from './wire-error.js';
import { writesInput, writesResult } from './writes.js';

/** The version of the protocol: both sides must have the same. */
export const hostProtocol = 1;

const nothing = z.object({});
const session = z.string().min(1).max(200);
const oneOrMore = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.array(schema)]);

/** Values to hold, for views. `run`: replaces what an earlier capture of that name holds. */
export const captureInput = modelInput
  .extend(promptInput.omit({ prompts: true }).shape)
  .extend(editInput.shape)
  .extend(inspectInput.pick({ sites: true, maxBytes: true }).shape)
  .extend({ run: z.string().min(1).max(200).optional() });
export type CaptureInput = z.infer<typeof captureInput>;

export const captureResult = inspectResult.extend({ run: z.string(), revision: z.int() });
export type CaptureResult = z.infer<typeof captureResult>;

export const openInput = modelInput.extend({
  handle: z.string().min(1).max(200),
  /** The handle is noted, and the model opened with the first request that uses it. */
  lazy: z.boolean().default(false),
});
export type OpenInput = z.infer<typeof openInput>;
export const openResult = z.object({ handle: z.string(), model: modelSummary.optional(), notes: z.array(z.string()) });
export type OpenResult = z.infer<typeof openResult>;

const bytesHeld = z.object({ bytes: z.int(), limit: z.int(), entries: z.int() });
export const statusResult = z.object({
  pid: z.int(),
  /** Requests that have no answer yet, this one not counted. */
  pending: z.int(),
  models: bytesHeld,
  arena: bytesHeld,
});
export type HostStatus = z.infer<typeof statusResult>;

/** What can be asked of a host: input and output of each method. */
export const hostMethods = {
  /** Answered by the thread that never runs a model. */
  ping: { input: nothing, output: nothing },
  status: { input: nothing, output: statusResult },
  /** Opens a model under a name that requests can use as their `handle`. */
  open: { input: openInput, output: openResult },
  close: { input: z.object({ handle: z.string() }), output: nothing },
  capture: { input: captureInput, output: captureResult },
  /** Attention, held a layer at a time as pictures, a mean or a rollout. */
  attention: { input: attentionInput, output: attentionResult },
  /** Frees what a run holds. */
  drop: { input: z.object({ run: z.string() }), output: z.object({ bytes: z.int() }) },
  view: { input: viewInput, output: viewResult },
  /** A look at a weight of the model, as `view` looks at a value. */
  weight: { input: weightInput, output: viewResult },
  run: { input: runInput, output: oneOrMore(runResult) },
  inspect: { input: inspectInput, output: oneOrMore(inspectResult) },
  lens: { input: lensInput, output: lensResult },
  /** The same, its cells as numbers in the payload. */
  board: { input: lensInput, output: boardResult },
  compare: { input: compareInput, output: compareResult },
  diff: { input: diffInput, output: diffResult },
  components: { input: componentsInput, output: componentsResult },
  composition: { input: compositionInput, output: compositionResult },
  head: { input: headInput, output: headResult },
  heads: { input: headsInput, output: headsResult },
  knockout: { input: knockoutInput, output: knockoutResult },
  attribute: { input: attributeInput, output: attributeResult },
  attack: { input: attackInput, output: attackResult },
  /** What neurons and heads write by the direct way, as words. */
  writes: { input: writesInput, output: writesResult },
  /** How long each part of the model takes. */
  times: { input: timesInput, output: timesResult },
  circuit: { input: circuitInput, output: circuitResult },
  patch: { input: patchInput, output: patchResult },
  neurons: { input: neuronsInput, output: neuronsResult },
  list: { input: listInput, output: listResult },
  tokenize: { input: tokenizeInput, output: tokenizeResult },
  tour: { input: tourInput, output: tourResult },
  /** Opens a model under the debugger; `session` names the run in the requests that follow. */
  'debug.open': {
    input: debugInput.omit({ x: true }).extend({ session }),
    output: z.object({ about: targetAbout, state: targetState }),
  },
  /** Answered when the run stands again; a cancel pauses it. */
  'debug.move': { input: z.object({ session, motion }), output: moveResult },
  /** Also while the run goes on. */
  'debug.points': { input: pointsInput.extend({ session }), output: pointsResult },
  /** The answer is the one of the kind of look; `bytes` are in its payload. */
  'debug.view': { input: z.object({ session, ask: viewAsk }), output: z.unknown() },
  'debug.apply': { input: z.object({ session, change: targetChange }), output: changeResult },
  'debug.close': { input: z.object({ session }), output: nothing },
} as const;

export type HostMethod = keyof typeof hostMethods;
/** What a client gives: fields with a default may be left out. */
export type HostParams<M extends HostMethod> = z.input<(typeof hostMethods)[M]['input']>;
export type HostInput<M extends HostMethod> = z.output<(typeof hostMethods)[M]['input']>;
export type HostOutput<M extends HostMethod> = z.output<(typeof hostMethods)[M]['output']>;

const id = z.int().min(0);

/** From a client. A request is answered exactly once, a cancelled one with the error CANCELLED or with what is there. */
export const clientMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('request'),
    id,
    method: z.string(),
    params: z.unknown(),
    /** The model that was opened under this name, in place of the one in the params. */
    handle: z.string().optional(),
    /** A newer request of the same key cancels the older. */
    key: z.string().max(1000).optional(),
  }),
  z.object({ type: z.literal('cancel'), id }),
]);
export type ClientMessage = z.infer<typeof clientMessage>;
export type HostRequest = Extract<ClientMessage, { type: 'request' }>;

/** How far something is. `bytes`: of weights, as they are computed with, that are being made ready. */
export const progressPart = z.object({
  ...{ done: z.int(), total: z.int(), what: z.string() },
  bytes: z.object({ done: z.number(), total: z.number() }).optional(),
});
export type ProgressPart = z.infer<typeof progressPart>;

/** What is told of a request before its answer. */
export const notification = z.discriminatedUnion('type', [
  z.object({ type: z.literal('note'), id, text: z.string() }),
  z.object({ type: z.literal('text'), id, text: z.string() }),
  progressPart.extend({ type: z.literal('progress'), id }),
  z.object({ type: z.literal('told'), id, told: targetTold }),
]);
export type Notification = z.infer<typeof notification>;

/** From the host. `fault`: something that came was no message; the host goes on where it can. */
export const hostMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), protocol: z.int(), pid: z.int() }),
  z.object({ type: z.literal('answer'), id, result: z.unknown() }),
  z.object({ type: z.literal('error'), id, error: wireError }),
  ...notification.options,
  z.object({ type: z.literal('fault'), error: wireError }),
]);
export type HostMessage = z.infer<typeof hostMessage>;
