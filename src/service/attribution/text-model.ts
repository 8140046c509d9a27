import { vectors, type Slope, type SmoothScalar, type Vectors } from '../../analyses/attribution/index.js';
import { bug, UsageError } from '../../base/index.js';
import {
  forward,
  gradientBatch,
  gradientBytes,
  isDoubled,
  placedSites,
  scalarBatch,
  type GradientBatchRequest,
  type LiveEdit,
  type PlacedSite,
  type Prompt,
  type Rows,
  type ScalarItem,
  type Variant,
} from '../../engine/index.js';
import { maskInput, operandInput, type RelevanceRules, type ValueEdit } from '../../graph/index.js';
import type { Expression } from '../../language/index.js';
import { bool, float32, type Tensor } from '../../tensor/index.js';
import { formatBytes } from '../bytes.js';
import { freeMemoryBytes } from '../machine.node.js';
import type { LiveRunner } from '../live/live-runner.js';
import { runTogether } from '../live/live-sweep.js';
import { liveSlopes, liveValues, type Entrance } from '../live/live-text.js';
import type { OpenModel } from '../open-model.js';
import { tokensOfText } from '../prompts.js';

/** A model with its edits and a text, of which numbers are asked many times over. */
export interface TextModel {
  readonly model: OpenModel;
  readonly variant: Variant;
  readonly prompt: Prompt;
  readonly onSegment: () => Promise<void>;
  /** Told how many more texts were computed. */
  readonly onTexts: (count: number) => void;
  readonly maxBytes: number | undefined;
  /** A process that runs it, where our engine does not. */
  readonly live?: LiveRunner;
}

/** The sites that tokens enter by: the source's first, then the decoder's, or the only one. */
export const embeddingSites = ({ variant }: Pick<TextModel, 'variant'>): readonly PlacedSite[] =>
  placedSites(variant.order).filter(
    ({ instance, site }) => instance.segment.kind === 'embed' && /(^|\.)embed$/.test(site.name),
  );

/** Ids of the text that a site embeds. */
const lengthAt = ({ prompt }: TextModel, { instance }: PlacedSite): number =>
  instance.segment.stack === 'encoder' ? (prompt.source?.ids.length ?? 0) : prompt.ids.length;

/** Which rows of the text enter where. */
export const entrances = (text: TextModel): readonly Entrance[] => {
  let before = 0;
  return embeddingSites(text).map((place) => {
    const [from, count] = [before, lengthAt(text, place)];
    before += count;
    return { place, from, count };
  });
};

export const encoder =
  ({ model }: TextModel) =>
  (text: string) =>
    tokensOfText(model, text);

/** The embeddings of a text's tokens, those of the source first, as edits leave them. */
export const embeddingsOf = async (text: TextModel): Promise<Vectors> => {
  const places = embeddingSites(text);
  const { model, variant, prompt, onSegment, live } = text;
  const capture = places.map((p) => p.name);
  const { sites } = live
    ? await live.pass({ prompts: [prompt], capture })
    : await forward(model, {
        ...{ variant, ids: [prompt.ids], capture: new Set(capture), logits: 'none', onSegment },
        ...(prompt.source ? { source: [prompt.source.ids] } : {}),
      });
  const parts = places.map(({ name }) => sites.get(name) as Tensor<'float32'> | undefined);
  const width = parts[0]?.shape.at(-1) ?? 0;
  const data = Float64Array.from(parts.flatMap((part) => [...(part?.data ?? [])]));
  return vectors(data.length / Math.max(width, 1), width, data);
};

const changedAt = (variant: Variant, edits: readonly (readonly [PlacedSite, LiveEdit])[]): Variant => {
  const all = new Map(variant.edits);
  for (const [{ instance }, edit] of edits) all.set(instance.name, [...(all.get(instance.name) ?? []), edit]);
  return { ...variant, edits: all };
};

/** Numbers of each item, once more where a row is run twice. [batch, position, width] */
const laid = (rows: Rows, { width, of }: { width: number; of: readonly Float64Array[] }): Tensor => {
  const copies = isDoubled(rows) ? 2 : 1;
  const each = of[0]?.length ?? 0;
  const data = new Float32Array(of.length * each * copies);
  of.forEach((numbers, item) => {
    for (let copy = 0; copy < copies; copy++) data.set(numbers, (item * copies + copy) * each);
  });
  return float32([of.length, (each / Math.max(width, 1)) * copies, width], data);
};

/** The variant in which a batch's tokens have these embeddings, whatever their ids. */
const withEmbeddings = (text: TextModel, points: readonly Vectors[]): Variant => {
  let before = 0;
  const edits = embeddingSites(text).map((place) => {
    const edit: ValueEdit = {
      ...{ site: place.site.name, tag: 'embeddings', form: 'replace', maskAxes: [] },
      operandAxes: ['batch', 'position', 'model'],
    };
    const [from, count] = [before, lengthAt(text, place)];
    before += count;
    const numbers = (rows: Rows) => {
      const of = points.map(({ data, width }) => data.subarray(from * width, (from + count) * width));
      return new Map<string, Tensor>([
        [maskInput(edit), bool([1, 1, 1], Uint8Array.of(1))],
        [operandInput(edit), laid(rows, { width: points[0]?.width ?? 0, of })],
      ]);
    };
    return [place, { edit, numbers }] as const;
  });
  return changedAt(text.variant, edits);
};

/** The variant in which the embeddings of these tokens are zeros. @param gone [item][row] */
export const withZeros = (text: TextModel, gone: readonly (readonly boolean[])[]): Variant => {
  let before = 0;
  const edits = embeddingSites(text).map((place) => {
    const edit: ValueEdit = {
      ...{ site: place.site.name, tag: 'left-out', form: 'replace', operandAxes: [] },
      maskAxes: ['batch', 'position'],
    };
    const [from, count] = [before, lengthAt(text, place)];
    before += count;
    const numbers = (rows: Rows) => {
      const own = gone.map((item) => item.slice(from, from + count).map(Number));
      const twice = own.map((item) => (isDoubled(rows) ? [...item, ...item] : item));
      return new Map<string, Tensor>([
        [maskInput(edit), bool([gone.length, twice[0]?.length ?? 0, 1], Uint8Array.from(twice.flat()))],
        [operandInput(edit), float32([1, 1, 1], Float32Array.of(0))],
      ]);
    };
    return [place, { edit, numbers }] as const;
  });
  return changedAt(text.variant, edits);
};

/** Tokens that run together at the most: beyond, nothing is gained. */
const mostTokens = { forward: 2048, gradient: 1024 };

const lengthOf = ({ prompt }: TextModel): number => prompt.ids.length + (prompt.source?.ids.length ?? 0);

const tooMuch = (bytes: number, limit: number): UsageError =>
  new UsageError(`one gradient would take ${formatBytes(bytes)}, more than the limit of ${formatBytes(limit)}`, {
    code: 'MEMORY_LIMIT',
    hint: 'Give a shorter text, another limit with --max-bytes, or a method without gradients, such as occlusion.',
    details: { bytes, limit },
  });

/** How many gradients are taken at a time. @throws UsageError MEMORY_LIMIT where one is too many */
const gradientsTogether = (text: TextModel, request: GradientBatchRequest): number => {
  const bytes = gradientBytes(text.model, request);
  const limit = text.maxBytes ?? Math.floor(freeMemoryBytes() / 2);
  if (bytes > limit) throw tooMuch(bytes, limit);
  const byTokens = Math.floor(mostTokens.gradient / Math.max(lengthOf(text), 1));
  return Math.max(1, Math.min(32, byTokens, Math.floor(limit / Math.max(bytes, 1))));
};

/** How many scores a batch may make in all. */
const mostScores = 2 ** 25;

/** How many texts are scored at a time. */
export const scoredTogether = (text: TextModel): number => {
  const { output, vocab } = text.model.program.facts;
  const rows = output === 'masks' ? text.prompt.ids.length : 1;
  if (text.live) return runTogether(text.model.program, text.prompt);
  const byTokens = Math.floor(mostTokens.forward / Math.max(lengthOf(text), 1));
  return Math.max(1, Math.min(64, byTokens, Math.floor(mostScores / (rows * vocab))));
};

const noSlope = vectors(0, 0);

/** Rows of both sides, one below the other. */
const joined = (places: readonly PlacedSite[], sites: ReadonlyMap<string, Tensor>, item: number): Vectors => {
  const parts = places.map(({ name }) => {
    const tensor = sites.get(name);
    if (!tensor) throw bug(`no gradient by ${name} came back`);
    const [, length = 0, width = 0] = tensor.shape;
    const each = length * width;
    return { width, data: Float64Array.from(tensor.data.subarray(item * each, (item + 1) * each) as Float32Array) };
  });
  const width = parts[0]?.width ?? 0;
  const data = new Float64Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  parts.reduce((at, part) => (data.set(part.data, at), at + part.data.length), 0);
  return vectors(data.length / Math.max(width, 1), width, data);
};

/** Asks that came in the same turn are answered together, cut into chunks. */
const gathered = <T, R>(
  chunked: (all: readonly T[]) => readonly (readonly T[])[],
  work: (chunk: readonly T[]) => Promise<readonly R[]>,
) => {
  let open: { readonly item: T; readonly done: (result: R) => void; readonly failed: (error: unknown) => void }[] = [];
  const flush = async (): Promise<void> => {
    const all = new Map(open.map((asked) => [asked.item, asked]));
    open = [];
    for (const chunk of chunked([...all.keys()])) {
      const results = await work(chunk);
      chunk.forEach((item, i) => all.get(item)?.done(results[i] as R));
    }
  };
  return (items: readonly T[]): Promise<readonly R[]> =>
    Promise.all(
      items.map(
        (item) =>
          new Promise<R>((done, failed) => {
            open.push({ item, done, failed });
            if (open.length > 1) return;
            const asked = open;
            setTimeout(() => void flush().catch((error: unknown) => asked.forEach((one) => one.failed(error))));
          }),
      ),
    );
};

/** A point, and what is read of the text there: its slope, or its value alone. */
interface Ask {
  readonly point: Vectors;
  readonly expression: Expression;
  readonly want: 'slope' | 'value';
}

const chunks = <T>(all: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));

/** Slopes first, so many at a time; values with the last of them where these are few, since they only go forward. */
const byKind =
  ({ slopes, values }: { readonly slopes: number; readonly values: number }) =>
  (all: readonly Ask[]): readonly (readonly Ask[])[] => {
    const steep = chunks(
      all.filter(({ want }) => want === 'slope'),
      slopes,
    );
    const flat = all.filter(({ want }) => want === 'value');
    const last = steep.at(-1) ?? [];
    if (last.length === 0 || flat.length > Math.max(1, last.length / 2)) return [...steep, ...chunks(flat, values)];
    return [...steep.slice(0, -1), [...last, ...flat]];
  };

/** Numbers of one text as smooth functions of its tokens' embeddings; what is asked of several runs together. */
export interface SmoothText {
  /** How many points run at a time. */
  readonly together: number;
  readonly of: (expression: Expression) => SmoothScalar;
}

interface SmoothRequest {
  /** Any of the numbers, by which memory is predicted. */
  readonly first: Expression;
  readonly input: Vectors;
  /** What goes back: gradients where left out, else relevance. */
  readonly rules: RelevanceRules | undefined;
}

/** What computes slopes and values at points, and how many slopes at a time. */
interface PointsRun {
  readonly together: number;
  readonly slopes: (asks: readonly Ask[]) => Promise<readonly Slope[]>;
  readonly values: (asks: readonly Ask[]) => Promise<readonly Slope[]>;
}

/** Our engine. @throws UsageError MEMORY_LIMIT */
const onEngine = (text: TextModel, { first, input, rules }: SmoothRequest): PointsRun => {
  const { model, prompt, onSegment } = text;
  const places = embeddingSites(text);
  const requestOf = (asks: readonly Ask[]): GradientBatchRequest => ({
    variant: withEmbeddings(
      text,
      asks.map((a) => a.point),
    ),
    items: asks.map(({ expression }): ScalarItem => ({ expression, prompt })),
    ...{ sites: places.map((p) => p.name), encode: encoder(text), onSegment, ...(rules ? { rules } : {}) },
  });
  return {
    together: gradientsTogether(text, requestOf([{ point: input, expression: first, want: 'slope' }])),
    slopes: async (asks) => {
      const back = asks.filter(({ want }) => want === 'slope').length;
      const { scalars, sites } = await gradientBatch(model, { ...requestOf(asks), back });
      return scalars.map((value, i) => ({ value, gradient: i < back ? joined(places, sites, i) : noSlope }));
    },
    values: async (asks) => {
      const { variant, items } = requestOf(asks);
      const found = await scalarBatch(model, { variant, items, onSegment, encode: encoder(text) });
      return found.map((value) => ({ value, gradient: noSlope }));
    },
  };
};

/** A live process. */
const inProcess = (text: TextModel, live: LiveRunner): PointsRun => {
  const { model, prompt, onSegment } = text;
  const places = embeddingSites(text);
  const requestOf = async (asks: readonly Ask[]) => {
    await onSegment();
    const expressions = asks.map((a) => a.expression);
    return { prompt, entrances: entrances(text), points: asks.map((a) => a.point), expressions };
  };
  return {
    together: Math.min(32, runTogether(model.program, prompt)),
    slopes: async (asks) => liveSlopes(live, await requestOf(asks), (found, row) => joined(places, found, row)),
    values: async (asks) =>
      (await liveValues(live, await requestOf(asks))).map((value) => ({ value, gradient: noSlope })),
  };
};

/**
 * @param first any of the numbers, by which memory is predicted
 * @param rules what goes back: gradients where left out, else relevance
 * @throws UsageError MEMORY_LIMIT
 */
export const smoothText = (
  text: TextModel,
  first: Expression,
  { input, rules }: { readonly input: Vectors; readonly rules?: RelevanceRules | undefined },
): SmoothText => {
  const { live, onTexts } = text;
  const { together, slopes, values } = live ? inProcess(text, live) : onEngine(text, { first, input, rules });
  const answers = gathered(byKind({ slopes: together, values: scoredTogether(text) }), async (asks: readonly Ask[]) => {
    const found = await (asks[0]?.want === 'slope' ? slopes : values)(asks);
    onTexts(asks.length);
    return found;
  });
  return {
    together,
    of: (expression) => ({
      input,
      slopes: (points) => answers(points.map((point) => ({ point, expression, want: 'slope' }))),
      values: async (points) =>
        (await answers(points.map((point) => ({ point, expression, want: 'value' })))).map(({ value }) => value),
    }),
  };
};
