import { z } from 'zod';
import { ModelError } from '../base/index.js';
import { toExperiment, type Experiment } from '../language/index.js';
import { modelSummary, scoredToken, tokenView } from './model.js';
import { maskView, stopReason } from './run.js';

/** The version of recordings that this reads and writes. */
export const recordingVersion = 1;

const count = z.int().min(0);
/** No axis of a model is as long; so that what selects along one stays small. */
const extents = z.array(count.max(2 ** 24)).max(16);

/** A value in a recording: which site, of which step, and where its numbers are. */
export const recordedSite = z
  .object({
    /** In the run order: `blocks.3#2.attn.z` where a block is repeated. */
    name: z.string().min(1).max(1000),
    /** 0 is the prefill. */
    step: count,
    axes: z.array(z.string()).max(16),
    /** Of the numbers that are there. */
    shape: extents,
    /** Of the whole value: positions count from the start of the sequence. `shape` where left out. */
    whole: extents.optional(),
    /** Along an axis, the indices of the whole value that the numbers are of; of other axes all, from 0. */
    indices: z.record(z.string(), z.array(count)).optional(),
    /** The entry of the ZIP, and the tensor in it. */
    part: z.string(),
    tensor: z.string(),
    /** Of the tensor's bytes. */
    crc32: count.optional(),
  })
  .refine(
    ({ axes, shape, whole = shape, indices = {} }) =>
      axes.length === shape.length &&
      axes.length === whole.length &&
      Object.keys(indices).every((axis) => axes.includes(axis)) &&
      axes.every((axis, a) => {
        const [n = 0, all = 0, list] = [shape[a], whole[a], Object.hasOwn(indices, axis) ? indices[axis] : undefined];
        return list ? list.length === n && list.every((i) => i < all) : n === all;
      }),
    'its axes, shape and indices do not fit each other',
  );
export type RecordedSite = z.infer<typeof recordedSite>;

/** One step of a run. `probability` and `entropy` (in nats) are of the model's own scores, before sampling. */
export const recordedStep = z.object({
  step: count,
  /** The token that was taken, where one was asked for; left out where redacted. */
  token: tokenView.optional(),
  logit: z.number().nullable().optional(),
  probability: z.number().optional(),
  entropy: z.number().nullable().optional(),
  /** The likeliest, with the token's ids; left out where redacted. */
  top: z.array(scoredToken).optional(),
});
export type RecordedStep = z.infer<typeof recordedStep>;

const experiment = z.unknown().transform((value, context): Experiment => {
  try {
    return toExperiment(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'no experiment' });
    return z.NEVER;
  }
});

/** From a place of the run on (before instance `at` of a step), these changes were in force, in place of those before. */
const recordedStage = z.object({ step: count, at: count, experiment });
export type RecordedStage = z.infer<typeof recordedStage>;

const recordedPrompt = z.object({
  /** Tokens of the sequence that goes on: of an encoder-decoder the decoder's. */
  length: count,
  /** Tokens that the encoder of an encoder-decoder reads. */
  sourceLength: count.optional(),
  /** As in a run's result: of an encoder-decoder the source. Left out where redacted. */
  tokens: z.array(tokenView).optional(),
  /** What the decoder of an encoder-decoder began with. */
  target: z.array(tokenView).optional(),
  /** What the user gave, where that was a text or a conversation. */
  text: z.string().optional(),
  chat: z.json().optional(),
});

/** `manifest.json` of a recording: all but the numbers. */
export const recordingManifest = z.object({
  recording: z.literal(recordingVersion),
  writer: z.object({ name: z.string(), version: z.string() }),
  /** When the run began, ISO 8601. */
  date: z.string(),
  verb: z.enum(['run', 'inspect', 'debug']),
  /** False where the run or its writing was cut off. */
  complete: z.boolean(),
  /** Texts, token ids and the experiment are left out. */
  redacted: z.boolean(),
  /** `name`: as the user gave it. */
  model: z.object({ name: z.string().optional(), summary: modelSummary }),
  engine: z.object({ device: z.string(), engine: z.string() }).optional(),
  prompt: recordedPrompt,
  /** The changes in force at the end. */
  experiment: experiment.optional(),
  /** Where they were made on the way: what was in force from where on, the first from the beginning. */
  stages: z.array(recordedStage).max(100_000).optional(),
  /** As the options gave it; edits of sampling stand in the experiment. */
  sampling: z
    .object({
      ...{ temperature: z.number().optional(), topK: z.int().optional(), topP: z.number().optional() },
      ...{ minP: z.number().optional(), repetitionPenalty: z.number().optional(), seed: z.int().optional() },
    })
    .default({}),
  maxNewTokens: count.optional(),
  ignoreEos: z.boolean().optional(),
  steps: z.array(recordedStep).default([]),
  /** Text of the generated tokens. */
  generated: z.string().optional(),
  stop: stopReason.default('none'),
  /** Of models that find words behind masks, and of classifiers. */
  masks: z.array(maskView).optional(),
  labels: z.array(scoredToken).optional(),
  sites: z.array(recordedSite).default([]),
  notes: z.array(z.string()).optional(),
});
export type RecordingManifest = z.infer<typeof recordingManifest>;

const invalid = (file: string, what: string, cause?: unknown): ModelError =>
  new ModelError(`${file} is no valid recording: ${what}`, {
    code: 'RECORDING_INVALID',
    hint: 'The file is damaged, was changed, or was written by another program: docs/recordings.md has the format.',
    details: { file },
    cause,
  });

const versionOf = (data: unknown): unknown => (data as { recording?: unknown } | null)?.recording;

/**
 * A manifest from untrusted data.
 * @throws ModelError RECORDING_INVALID with the place of what is wrong
 */
export const toManifest = (data: unknown, file: string): RecordingManifest => {
  const version = versionOf(data);
  if (typeof version === 'number' && version > recordingVersion)
    throw invalid(file, `it is of version ${version}, and this Cutaway reads version ${recordingVersion}`);
  const parsed = recordingManifest.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = (issue?.path ?? []).map(String).join('.');
  throw invalid(file, `${place === '' ? 'its manifest' : place}: ${issue?.message ?? 'invalid'}`, parsed.error);
};
