import { z } from 'zod';
import { modelSummary, scoredToken, tokenView } from './model.js';

/**
 * What a live PyTorch process's agent (python/cutaway_agent) and the debugger tell each other, in frames as between a
 * face and the host. What comes from the agent is checked here; `docs/live.md` has the methods.
 */
export const agentProtocol = 1;

const count = z.int().min(0);
/** JSON has neither NaN nor infinity. */
const number = z
  .union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])])
  .transform((x) => (typeof x === 'number' ? x : Number(x)));

/** Where a live process is, and how to be let in. */
export const attachInput = z.object({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(1).max(65_535),
  token: z.string(),
  /** How many ranks: each listens at the next port. */
  ranks: z.int().min(1).max(1024).default(1),
  /** Waits at the port for the processes, which call (`cutaway_agent.connect`). */
  listen: z.boolean().default(false),
});
export type AttachInput = z.output<typeof attachInput>;

const written = /^(.+):(\d{1,5})$/;

/** `HOST:PORT` of a live process, where a model can stand too; undefined for what is no such address. */
export const processAddress = (name: string): { readonly host: string; readonly port: number } | undefined => {
  const [, host, port] = /[\\/]/.test(name) ? [] : (written.exec(name) ?? []);
  return host === undefined || Number(port) < 1 || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
};

export const agentHello = z.object({
  protocol: z.int(),
  agent: z.string(),
  pid: z.int(),
  rank: count,
  world: count,
  torch: z.string(),
  python: z.string(),
  cuda: z.boolean(),
  script: z.string(),
});
export type AgentHello = z.output<typeof agentHello>;

/** How a part of a tensor lies over processes. */
const shard = z.object({ dim: count, whole: z.array(count).optional() });

export const agentTensor = z.object({
  shape: z.array(count),
  dtype: z.string(),
  device: z.string(),
  requiresGrad: z.boolean(),
  version: z.int(),
  axes: z.array(z.string()).optional(),
  shard: shard.optional(),
});
export type AgentTensor = z.output<typeof agentTensor>;

const agentWeight = agentTensor.extend({
  name: z.string(),
  kind: z.enum(['parameter', 'buffer']),
  /** Equal numbers: the same memory, as of tied weights. */
  storage: z.int(),
});
export type AgentWeight = z.output<typeof agentWeight>;

const agentModule = z.object({
  path: z.string(),
  type: z.string(),
  text: z.string(),
  aliases: z.array(z.string()),
  training: z.boolean(),
  weights: z.array(agentWeight),
  /** The number of the layer that it is. */
  block: count.nullable(),
});
export type AgentModule = z.output<typeof agentModule>;

export const agentDescription = z.object({
  modules: z.array(agentModule),
  /** Of a Hugging Face model. */
  config: z.record(z.string(), z.json()),
  type: z.string(),
  summary: modelSummary,
  attention: z.string().nullable(),
  compiled: z.boolean(),
  tokenizer: z.boolean(),
  fastPath: z.boolean(),
});
export type AgentDescription = z.output<typeof agentDescription>;

export const agentStatistics = z.object({
  shape: z.array(count),
  count,
  ...{ nan: count, inf: count, zero: count, positive: count.optional() },
  ...{ min: number.optional(), max: number.optional(), mean: number.optional(), std: number.optional() },
  ...{ absmax: number.optional(), norm: number.optional() },
});
export type AgentStatistics = z.output<typeof agentStatistics>;

const slot = agentTensor.extend({ name: z.string() });
export type AgentSlot = z.output<typeof slot>;

const watched = z.union([z.string(), z.number(), z.boolean()]);

/** Why it stands. */
export const agentWhy = z.object({
  reason: z.enum(['point', 'step', 'pause', 'goto', 'exception', 'follow']),
  point: z.int().optional(),
  filter: z.string().optional(),
  description: z.string().optional(),
  /** Why a condition could not be evaluated. */
  problem: z.string().optional(),
  before: watched.optional(),
  after: watched.optional(),
  /** Of a rank that had gone farther than the one that it follows. */
  ahead: z.boolean().optional(),
});

/** At which moment of a module. */
export const agentWhen = z.enum(['before', 'after', 'backward', 'op', 'optimiser', 'error']);
export type AgentWhen = z.output<typeof agentWhen>;

/** Where a process is; with `running: false` it stands, and the rest is there. */
export const agentStanding = z.object({
  pass: z.int(),
  ...{ step: count, past: count, prompt: count, optimiser: count },
  training: z.boolean(),
  tokens: z.array(tokenView),
  /** The modules in the order in which the last whole pass called them. */
  order: z.array(z.string()),
  running: z.boolean(),
  when: agentWhen.optional(),
  path: z.string().optional(),
  nth: count.optional(),
  op: z.string().optional(),
  thread: z.string().optional(),
  why: agentWhy.optional(),
  stack: z.array(z.object({ path: z.string(), nth: count, type: z.string() })).default([]),
  slots: z.array(slot).default([]),
  /** What the module that has run was given. */
  given: z.array(slot).default([]),
  context: z
    .object({ grad: z.boolean(), inference: z.boolean(), autocast: z.boolean(), backward: z.boolean() })
    .optional(),
});
export type AgentStanding = z.output<typeof agentStanding>;

const logged = z.union([
  z.string(),
  z.object({
    value: z.union([number, z.boolean(), z.null()]).optional(),
    stats: agentStatistics.optional(),
    problem: z.string().optional(),
  }),
]);

/** What an agent tells of itself. */
export const agentEvent = z.discriminatedUnion('event', [
  agentStanding.extend({ event: z.literal('stopped') }),
  z.object({ event: z.literal('log'), point: z.int(), parts: z.array(logged) }),
  z.object({ event: z.literal('note'), text: z.string() }),
  z.object({ event: z.literal('ended'), text: z.string() }),
]);
export type AgentEvent = z.output<typeof agentEvent>;

const looked = z.union([
  z.object({ meta: agentTensor, stats: agentStatistics }),
  z.object({ problem: z.object({ code: z.string(), message: z.string(), hint: z.string() }) }),
]);
export type AgentLooked = z.output<typeof looked>;

/** A step of a training loop. `noise`: the variance of the gradient over the last steps by the square of its mean. */
const trainingStep = z.object({
  step: count,
  loss: number.nullable(),
  lr: z.array(number),
  gradNorm: number,
  layers: z.record(z.string(), number),
  noise: number.nullable(),
});
export type TrainingStep = z.output<typeof trainingStep>;

const row = z.object({
  place: z.string(),
  top: tokenView.extend({ probability: z.number() }),
  words: z.array(tokenView.extend({ probability: z.number() })),
});

/** What each method of an agent answers. */
export const agentAnswers = {
  hello: agentHello,
  describe: agentDescription,
  configure: z.object({}),
  points: z.object({ met: z.record(z.string(), count) }),
  met: z.object({ met: z.record(z.string(), count) }),
  pause: z.object({}),
  until: z.object({}),
  ops: z.object({}),
  resume: z.object({ running: z.boolean() }),
  again: z.object({ running: z.boolean() }),
  standing: agentStanding,
  patches: z.object({}),
  weight: z.object({ undo: z.int(), version: z.int() }),
  unweight: z.object({ done: z.boolean() }),
  stats: z.object({ values: z.array(looked) }),
  children: z.object({
    meta: agentTensor,
    children: z.array(z.union([z.object({ number }), agentStatistics])),
  }),
  read: z.object({ meta: agentTensor, count }),
  histogram: z.object({ counts: z.array(count), low: number, high: number, below: count, above: count }),
  topk: z.object({ values: z.array(number), indices: z.array(z.array(count)) }),
  pyramid: z.object({ shape: z.array(count) }),
  evaluate: z.union([
    z.object({ value: z.union([number, z.boolean()]) }),
    z.object({ axes: z.array(z.string()), shape: z.array(count), first: z.array(number), stats: agentStatistics }),
  ]),
  words: z.object({ words: z.array(scoredToken.extend({ logit: number.transform((x) => (Number.isFinite(x) ? x : null)) })) }), // prettier-ignore
  lens: z.object({ rows: z.array(row) }),
  gradient: z.object({ gradients: z.array(agentStatistics.nullable()) }),
  training: z.object({ steps: z.array(trainingStep), optimiser: count }),
  trace: z.object({ events: count.optional() }),
  encode: z.object({ ids: z.array(count), texts: z.array(z.string()) }),
  decode: z.object({ texts: z.array(z.string()) }),
  /** The texts of all ids are beside it, as JSON. */
  vocabulary: z.object({ roles: z.record(z.string(), count), specials: z.record(z.string(), z.string()) }),
  capture: z.object({
    values: z.array(
      z.object({
        name: z.string(),
        shape: z.array(count),
        dtype: z.string(),
        offset: count,
        bytes: count,
      }),
    ),
    missing: z.array(z.string()),
    /** Of each sequence, where an expression of it was asked for. */
    scalars: z.array(number).default([]),
  }),
  detach: z.object({}),
} as const satisfies Record<string, z.ZodType>;
export type AgentMethod = keyof typeof agentAnswers;
export type AgentAnswer<M extends AgentMethod> = z.output<(typeof agentAnswers)[M]>;
