import { z } from 'zod';
import { modelSummary, scoredToken, tokenView } from './model.js';
import { wireError } from './wire-error.js';

/**
 * What a debugger's face and the place where a run happens (a target) tell each other: plain data, so that a host's
 * process or a program elsewhere can stand between them. Numbers are shown as texts where they may be NaN.
 */

const count = z.int().min(0);
const text = z.string().max(1_000_000);

/** Before an operation of an instance (a layer, as the run order has it) of a step; step 0 is the prefill. */
export const targetPosition = z.object({
  ...{ step: count, at: count, op: count },
  /** On a way back: where the gradient of what the operation gives is. */
  backward: z.literal(true).optional(),
});
export type TargetPosition = z.infer<typeof targetPosition>;

/** How far a step goes. */
export const targetUnit = z.enum(['op', 'module', 'layer', 'token']);
export type TargetUnit = z.infer<typeof targetUnit>;

/** How a run is moved. */
export const motion = z.discriminatedUnion('kind', [
  /** `times`: so often, unless something else stops it. */
  z.object({
    kind: z.literal('step'),
    by: targetUnit,
    back: z.boolean().optional(),
    times: z.int().min(1).max(1_000_000).optional(),
  }),
  /** Out of the module, or, outside of any, out of the layer. */
  z.object({ kind: z.literal('out') }),
  /** To the next breakpoint, or, back, to the one before. `here`: one at the present place stops, too. */
  z.object({ kind: z.literal('continue'), back: z.boolean().optional(), here: z.boolean().optional() }),
  z.object({ kind: z.literal('goto'), position: targetPosition }),
  /**
   * To the beginning of the way back of a number, an expression; left out: off the way back that it is on. At its end the
   * run stands where it stood.
   */
  z.object({ kind: z.literal('backward'), of: text.optional() }),
]);
export type Motion = z.infer<typeof motion>;

const watched = z.union([z.string(), z.number(), z.boolean()]);

/** Why a run stands. `point`: the number of the breakpoint, `filter`: of the exception. */
export const targetStop = z.object({
  reason: z.enum(['entry', 'step', 'goto', 'pause', 'breakpoint', 'data', 'exception', 'end', 'beginning']),
  point: z.int().optional(),
  label: z.string().optional(),
  before: watched.optional(),
  after: watched.optional(),
  filter: z.string().optional(),
  description: z.string().optional(),
});
export type TargetStop = z.infer<typeof targetStop>;

/** A part of the run that it is inside of. `line`: in the listing, or, of steps, in the transcript; from 1. */
export const targetFrame = z.object({
  kind: z.enum(['op', 'module', 'layer', 'step', 'generation']),
  name: z.string(),
  line: z.int(),
  /** Where it begins. */
  begins: targetPosition,
});
export type TargetFrame = z.infer<typeof targetFrame>;

/** Where a run stands, and what it has come to. */
export const targetState = z.object({
  /** Another number after each move and each change: what was shown before is old. */
  revision: count,
  position: targetPosition,
  /** The name of the layer (or other instance) that the run is in; left out at the end of a step. */
  place: z.string().optional(),
  layer: count.optional(),
  /** Of the listing. */
  line: z.int().optional(),
  /** Innermost first. */
  frames: z.array(targetFrame),
  /**
   * On a way back: of what (`value`: null for NaN and infinity), the gradient that has come last by its site and how
   * long it is, in words, and where the run itself stands.
   */
  backward: z
    .object({ of: text, value: z.number().nullable(), site: z.string(), norm: z.string(), from: targetPosition })
    .optional(),
  /** The prompt and the tokens made so far. */
  tokens: z.array(tokenView),
  /** The changes in force, in the edit language. */
  edits: z.array(z.string()),
});
export type TargetState = z.infer<typeof targetState>;

/** What a target can do; what it cannot is not offered. */
export const targetAbilities = z.object({
  /** Steps back, runs back, goes to what has passed. */
  back: z.boolean(),
  /** Values, weights and structure can be changed. */
  change: z.boolean(),
  units: z.array(targetUnit),
  /** Runs a module that it is inside of again, with what the module was given; true where left out. */
  again: z.boolean().optional(),
  /** The way back of a number can be walked: gradients. Of a process its own backward is, where that runs. */
  backward: z.boolean().optional(),
  /** Exceptions that it catches; all that there are, where left out. */
  catches: z.array(z.string()).optional(),
  /** What is not there, and why: for people. */
  limits: z.array(z.string()),
});
export type TargetAbilities = z.infer<typeof targetAbilities>;

/** What a target is, which does not change. */
export const targetAbout = z.object({
  kind: z.enum(['engine', 'recording', 'process']),
  name: z.string(),
  model: modelSummary,
  notes: z.array(z.string()),
  can: targetAbilities,
  /** The source text; `stops`: a run can stand at the line. */
  listing: z.array(z.object({ text: z.string(), stops: z.boolean() })),
  prompt: z.object({ length: count, source: z.array(tokenView).optional() }),
  /** Tokens that the run makes at the most. */
  maxNewTokens: count,
});
export type TargetAbout = z.infer<typeof targetAbout>;

/** At which moment of a module; of our engine `backward` alone. */
export const pointMoment = z.enum(['before', 'after', 'backward']);
export type PointMoment = z.infer<typeof pointMoment>;

/**
 * Where to stop: what is given must all hold. `watch` makes it a data breakpoint, on an expression or `weight NAME`;
 * `log` a log point, a text with expressions in braces.
 */
export const pointSpec = z.object({
  label: text,
  lines: z.array(z.int().min(1)).optional(),
  /** Globs. */
  sites: text.optional(),
  /** Of the modules that lines or sites name; before them, or where a site's value is, where left out. */
  moment: pointMoment.optional(),
  layers: z.array(count).optional(),
  steps: z.array(count).optional(),
  /** A token's text in quotes: in the step that is fed it. */
  fed: text.optional(),
  watch: text.optional(),
  condition: text.optional(),
  /** `5` or `>= 5` from the fifth time on, `== 5`, `> 5`, `% 5`. */
  hits: z.string().max(100).optional(),
  log: text.optional(),
  /** Passed so often, in a run, before it stops. */
  ignore: count.optional(),
  temporary: z.boolean().optional(),
  /** The number that it had before, where it is made again. */
  id: z.int().min(1).optional(),
});
export type PointSpec = z.infer<typeof pointSpec>;

/** Another condition (null: none) of a breakpoint, or how often it is passed from now on. */
const pointChange = z.object({ id: z.int(), condition: text.nullable().optional(), ignore: count.optional() });

/** `caught`: the exceptions that stop a run, in place of those before: `nan`, `entropy 0.5`, `lost " x"`. */
export const pointsInput = z.object({
  add: z.array(pointSpec).max(100_000).default([]),
  remove: z.array(z.int()).default([]),
  change: z.array(pointChange).default([]),
  caught: z.array(text).max(1000).optional(),
});
export type PointsInput = z.input<typeof pointsInput>;

const refusable = <Schema extends z.ZodRawShape>(shape: Schema) =>
  z.union([z.object(shape), z.object({ error: wireError })]);

/** An answer a wish, in their order. */
export const pointsResult = z.object({
  added: z.array(refusable({ id: z.int() })),
  /** Those that were there. */
  removed: z.array(z.int()),
  changed: z.array(refusable({ id: z.int(), label: z.string() })),
  caught: z.array(refusable({ kind: z.string() })),
});
export type PointsResult = z.infer<typeof pointsResult>;

/** The part of a value that is opened: fixed indices of its first axes, and a range of the next one. */
export const openedPart = z.object({ at: z.array(count).max(16), from: count.optional(), to: count.optional() });
export type OpenedPart = z.infer<typeof openedPart>;

/** Something that can be looked at, with its value in words. */
export const item = z.object({
  name: z.string(),
  value: z.string(),
  type: z.string().optional(),
  /** What it is a part of, for `children` and `bytes`; with `part` it can be opened. */
  ref: z.string().optional(),
  part: openedPart.optional(),
  /** How many children it has. */
  length: count.optional(),
  /** What is set to change it: a site with a selector, `weight NAME[...]`. */
  place: z.string().optional(),
  /** An expression that gives it. */
  expression: z.string().optional(),
});
export type Item = z.infer<typeof item>;

const paging = { start: count.optional(), count: count.optional() };

/** Groups of values, as `scopes` offers them. */
export const scopeName = z.enum([
  'inputs',
  'outputs',
  'sites',
  'attention',
  'residual',
  'words',
  'statistics',
  'tokens',
  'cache',
  'edits',
  'weights',
  'gradients',
  'training',
  'processes',
]);
export type ScopeName = z.infer<typeof scopeName>;

/**
 * A look at where the run stands. `ref`: a site, `weight:NAME`, `cache:LAYER/NAME`, `op:ID` (a value of the layer), or
 * `=EXPRESSION`.
 */
export const viewAsk = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('scopes'), frame: targetFrame.shape.kind }),
  z.object({ ask: z.literal('scope'), scope: scopeName, frame: targetFrame.shape.kind, ...paging }),
  z.object({ ask: z.literal('children'), ref: text, part: openedPart, ...paging }),
  z.object({ ask: z.literal('evaluate'), expression: text }),
  /** The numbers as little-endian float32; fewer than asked for at the end. */
  z.object({ ask: z.literal('bytes'), ref: text, offset: count, count }),
  /**
   * A value at a glance: numbers, distribution, and its last two axes as a picture, at these indices of the others. The
   * pixels are the bytes.
   */
  z.object({
    ask: z.literal('picture'),
    ref: text,
    at: z.array(count).max(16).default([]),
    bins: z.int().min(1).max(500).default(61),
    /** Pixels along a side at the most. */
    most: z.int().min(16).max(1024).default(512),
  }),
  /** Of a process that trains: its last steps, and what they suggest. Also while it goes on. */
  z.object({ ask: z.literal('training'), last: z.int().min(1).max(1000).default(200) }),
  z.object({ ask: z.literal('words'), count: count.max(1000) }),
  z.object({ ask: z.literal('token'), name: text }),
  /** All sites of the run order; `here`: of the layer that the run is in. */
  z.object({ ask: z.literal('sites') }),
  z.object({ ask: z.literal('points') }),
  /** What can be written at a column, from 1. */
  z.object({ ask: z.literal('complete'), text, column: z.int() }),
  /** Where a run could go that a line stands for: of the listing in this step, of the transcript in the generation. */
  z.object({ ask: z.literal('places'), source: z.enum(['listing', 'transcript']), line: z.int() }),
  /** Beside the unedited run, at this place of this step: what comes next in both. `tokens`: texts or ids, told too. */
  z.object({ ask: z.literal('compare'), tokens: z.array(text).max(100).default([]) }),
  /** What the model would say before each layer that the step has come to; `tokens`: whose probabilities are told. */
  z.object({ ask: z.literal('lens'), tokens: z.array(text).max(100).default([]) }),
  /** Where a step could go in: the modules of the layer that are ahead, or the layers of the step. */
  z.object({ ask: z.literal('ahead'), frame: targetFrame.shape.kind }),
]);
export type ViewAsk = z.infer<typeof viewAsk>;

const completion = z.object({
  text: z.string(),
  kind: z.enum(['function', 'word', 'site', 'axis']),
  from: z.int(),
  detail: z.string(),
});

/** What an expression gives: a text; of a tensor its axes and first numbers, too. */
export const evaluated = item.extend({
  axes: z.array(z.string()).optional(),
  shape: z.array(z.int()).optional(),
  first: z.array(z.string()).optional(),
});
export type Evaluated = z.infer<typeof evaluated>;

const likely = tokenView.extend({ probability: z.number() });
const compared = tokenView.extend({ here: z.number(), unedited: z.number() });

const finite = z.number().nullable();

const places = z.object({ places: z.array(z.object({ label: z.string(), position: targetPosition })) });

/** The answer to each kind of look. */
export const viewAnswers = {
  scopes: z.object({ scopes: z.array(z.object({ scope: scopeName, name: z.string(), expensive: z.boolean() })) }),
  scope: z.object({ items: z.array(item) }),
  children: z.object({ items: z.array(item) }),
  evaluate: evaluated,
  bytes: z.object({ total: count, axes: z.array(z.string()), shape: z.array(z.int()) }),
  /** What is no number, as of a value that is all NaN, is null. */
  picture: z.object({
    axes: z.array(z.string()),
    shape: z.array(z.int()),
    dtype: z.string(),
    stats: z.object({
      ...{ nan: count, inf: count, min: finite, max: finite, mean: finite, std: finite, norm: finite },
    }),
    histogram: z.object({ low: finite, high: finite, counts: z.array(count) }),
    /** Each pixel is the number farthest from 0 of 2^level x 2^level, float32 row by row. */
    pixels: z.object({ rows: count, columns: count, level: count }),
  }),
  training: z.object({
    steps: z.array(
      z.object({
        step: count,
        ...{ loss: finite, gradNorm: finite, noise: finite },
        lr: z.array(finite),
        /** Norm of the gradient of each layer's parameters. */
        layers: z.record(z.string(), finite),
      }),
    ),
    advice: z.array(z.object({ kind: z.string(), text: z.string() })),
  }),
  words: z.object({ words: z.array(scoredToken) }),
  token: z.object({ token: z.int(), text: z.string() }),
  sites: z.object({ sites: z.array(z.object({ name: z.string(), axes: z.array(z.string()), here: z.boolean() })) }),
  points: z.object({
    /** `ignore`: how often it is still passed. */
    points: z.array(
      z.object({ id: z.int(), label: z.string(), met: count, ignore: count.optional(), temporary: z.boolean() }),
    ),
    caught: z.array(z.string()),
  }),
  complete: z.object({ completions: z.array(completion) }),
  places,
  ahead: places,
  lens: z.object({ rows: z.array(z.object({ place: z.string(), top: likely, words: z.array(likely) })) }),
  /** `kl`: nats, of the unedited run's distribution from this one's. The likeliest of both, and those asked for. */
  compare: z.object({
    kl: z.number(),
    words: z.array(compared),
    tokens: z.object({ here: z.array(tokenView), unedited: z.array(tokenView) }),
  }),
} as const satisfies Record<ViewAsk['ask'], z.ZodType>;
export type ViewAskOf<K extends ViewAsk['ask']> = Extract<ViewAsk, { ask: K }>;
export type ViewAnswerOf<K extends ViewAsk['ask']> = z.infer<(typeof viewAnswers)[K]>;

/** A change of the run. `write`: numbers as bytes, in base64. */
export const targetChange = z.discriminatedUnion('change', [
  /** Lines of the edit language. */
  z.object({ change: z.literal('edit'), text }),
  /** Sets a site of the layer that the run is in, or a weight: to a number, `zero`, `mean`, `*NUMBER`. */
  z.object({ change: z.literal('set'), place: text, value: text }),
  z.object({ change: z.literal('undo') }),
  z.object({ change: z.literal('redo') }),
  /** The changes in place of all: an experiment, as text or JSON. */
  z.object({ change: z.literal('load'), text }),
  z.object({ change: z.literal('write'), ref: text, offset: count, bytes: z.base64() }),
  /** Saves the run so far as a recording, with these sites of each step. */
  z.object({
    change: z.literal('record'),
    file: z.string().min(1),
    sites: text.optional(),
    redact: z.boolean().optional(),
  }),
  /** Of several processes: whose values are looked at from here on. */
  z.object({ change: z.literal('rank'), rank: count }),
  /** Of a process: which modules (globs; none: no module) show their operations. */
  z.object({ change: z.literal('ops'), modules: text }),
  /** Of a process: calls and times are collected from here on, or written as a Chrome trace. */
  z.object({ change: z.literal('trace'), ops: z.boolean().optional(), file: z.string().optional() }),
  /** A new run of the same model and prompt, with the same breakpoints and changes. */
  z.object({ change: z.literal('restart') }),
]);
export type TargetChange = z.infer<typeof targetChange>;

/** `done`: whether there was anything to do. */
export const changeResult = z.object({ done: z.boolean(), notes: z.array(z.string()), state: targetState });
export type ChangeResult = z.infer<typeof changeResult>;

/** What is told while a run goes on. */
export const targetTold = z.discriminatedUnion('told', [
  /** What a log point writes, or what is wrong with a condition. */
  z.object({ told: z.literal('log'), text: z.string(), point: z.int(), line: z.int().optional() }),
  /** Tokens that were generated: those from this place on are new. `text`: what they add, as `run` writes it. */
  z.object({ told: z.literal('tokens'), from: count, tokens: z.array(tokenView), text: z.string() }),
]);
export type TargetTold = z.infer<typeof targetTold>;

export const moveResult = z.object({ stop: targetStop, state: targetState });
export type MoveResult = z.infer<typeof moveResult>;
