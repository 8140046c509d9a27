import { z } from 'zod';
import { editInput, modelInput, modelName } from './inputs.js';

/** What is chosen along one axis, as `language/selectors` has it. */
const index = z.union([
  z.int(),
  z.strictObject({ from: z.int(), to: z.int() }),
  z.array(z.int()),
  z.strictObject({ token: z.string(), occurrence: z.union([z.int().min(1), z.literal('last')]).optional() }),
]);

/** Where a value is: a run, one of its steps, a site, and which part of it. */
export const viewPlace = z.object({
  run: z.string(),
  step: z.int().min(0).default(0),
  site: z.string(),
  where: z.record(z.string(), index).default({}),
});
export type ViewPlace = z.infer<typeof viewPlace>;

const axes = z.array(z.string()).min(1);

/** How a value is looked at. Answers with numbers in their payload: `slice`, `reduce`, `maxPyramid`, `bytes`. */
export const viewAs = z.discriminatedUnion('kind', [
  /** The numbers. */
  z.object({ kind: z.literal('slice') }),
  z.object({ kind: z.literal('stats') }),
  /** One number for all along `over`; finite numbers and others alike. */
  z.object({ kind: z.literal('reduce'), over: axes, by: z.enum(['mean', 'sum', 'min', 'max', 'absmax', 'norm']) }),
  /** Counts in bins of equal width between the least and the greatest finite number, or between those given. */
  z.object({
    kind: z.literal('histogram'),
    bins: z.int().min(1).max(4096).default(64),
    range: z.tuple([z.number(), z.number()]).optional(),
  }),
  z.object({
    kind: z.literal('topk'),
    k: z.int().min(1).max(1000).default(10),
    by: z.enum(['greatest', 'least', 'absolute']).default('greatest'),
  }),
  /**
   * A tile of an image in which a pixel stands for 2^level x 2^level numbers: the greatest of them, or the one that is
   * farthest from 0. The part must have at most two axes longer than 1, beside `stack`: an image for each of its indices,
   * one behind the other. NaN stays visible.
   */
  z.object({
    kind: z.literal('maxPyramid'),
    level: z.int().min(0).max(31).default(0),
    tile: z.tuple([z.int().min(0), z.int().min(0)]).default([0, 0]),
    size: z.int().min(1).max(4096).default(256),
    by: z.enum(['max', 'absmax']).default('max'),
    stack: z.string().optional(),
  }),
  /** The numbers as they are held, from a byte of them on. */
  z.object({
    kind: z.literal('bytes'),
    offset: z.int().min(0).default(0),
    count: z.int().min(0).optional(),
  }),
]);
export type ViewAs = z.infer<typeof viewAs>;
export type ViewOf<K extends ViewAs['kind']> = Extract<ViewAs, { kind: K }>;

/** A look at a value that the host holds. `dtype`: of the numbers in the answer. `maxBytes`: that they may take. */
export const viewInput = z.object({
  at: viewPlace,
  /** Another value of the same shape that is taken off it first. */
  minus: viewPlace.omit({ where: true }).optional(),
  as: viewAs,
  dtype: z.enum(['float32', 'float64', 'float16']).default('float32'),
  maxBytes: z
    .int()
    .min(1)
    .max(2 ** 28)
    .default(2 ** 24),
});
export type ViewInput = z.infer<typeof viewInput>;

/** Another weight that is taken off one: of another model, with other edits, of another name. */
const otherWeight = z
  .object({ model: modelName.unwrap().optional(), name: z.string().optional() })
  .extend(editInput.shape);
/** The singular values of a matrix; of a large one the greatest. Takes seconds, and can be cancelled. */
const spectrumAs = z.object({ kind: z.literal('spectrum') });

/** A look at a weight, with the edits that change it; its axes are `out`, `in`, or `token`, `model` of an embedding. */
export const weightInput = modelInput
  .extend(editInput.shape)
  .extend({ name: z.string(), where: viewPlace.shape.where, minus: otherWeight.optional() })
  .extend(viewInput.pick({ dtype: true, maxBytes: true }).shape)
  .extend({ as: z.union([viewAs, spectrumAs]) });
export type WeightInput = z.infer<typeof weightInput>;

/** What is finite, or null: JSON has no others. */
const finite = z.number().nullable();
const shape = z.array(z.int());

const answers = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('slice'), dtype: z.string() }),
  z.object({
    kind: z.literal('stats'),
    ...{ min: finite, max: finite, mean: finite, std: finite, norm: finite },
    ...{ count: z.int(), nan: z.int(), inf: z.int() },
  }),
  /** `result`: the shape of the numbers, `kept` their axes. */
  z.object({ kind: z.literal('reduce'), dtype: z.string(), result: shape, kept: z.array(z.string()) }),
  z.object({
    kind: z.literal('histogram'),
    ...{ low: finite, high: finite, counts: z.array(z.int()) },
    ...{ below: z.int(), above: z.int(), nan: z.int(), inf: z.int() },
  }),
  /** `index`: along each axis, in the value itself, where nothing is chosen. */
  z.object({ kind: z.literal('topk'), top: z.array(z.object({ index: z.array(z.int()), value: finite })) }),
  /** `image`: pixels of the whole level; `result`: of this tile; `levels`: how many there are, the last one pixel. */
  z.object({ kind: z.literal('maxPyramid'), dtype: z.string(), image: shape, result: shape, levels: z.int() }),
  /** `values`: the greatest first; `count`: how many there are; `norm`: the root of the sum of all squares. */
  z.object({ kind: z.literal('spectrum'), values: z.array(z.number()), count: z.int(), norm: z.number() }),
  /** `total`: bytes that there are. */
  z.object({ kind: z.literal('bytes'), dtype: z.string(), offset: z.int(), total: z.int() }),
]);

/** The answer to a view: of which revision of the run it is, and what was looked at. */
export const viewResult = z.object({
  revision: z.int(),
  /** Of the part that was chosen. */
  ...{ axes: z.array(z.string()), shape },
  view: answers,
});
export type ViewResult = z.infer<typeof viewResult>;
export type ViewAnswer = ViewResult['view'];
