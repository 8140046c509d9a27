import {
  gradientNorm,
  gradientSum,
  gradientTimesInput,
  grouped,
  integratedGradients,
  isExact,
  lime,
  occlusion,
  relevanceOf,
  rowNorms,
  shapley,
  smoothGradient,
  usualSteps,
  type Attribution,
  type Game,
  type SmoothScalar,
  type Vectors,
} from '../../analyses/attribution/index.js';
import { UsageError } from '../../base/index.js';
import { scalarBatch } from '../../engine/index.js';
import { attnLrp, type RelevanceRules } from '../../graph/index.js';
import type { Expression } from '../../language/index.js';
import type { AttributeInput, AttributionMethod, Replacement } from '../../protocol/index.js';
import { attentionGradient, flow, rollout } from './attention.js';
import type { Explained } from './explained.js';
import { leavingOut, leftOutGame, withToken } from './left-out.js';
import { embeddingsOf, encoder, smoothText, type TextModel } from './text-model.js';
import { isVisible, type Unit } from './units.js';

/** What a method is asked. */
export interface Asked {
  readonly text: TextModel;
  readonly units: readonly Unit[];
  readonly input: AttributeInput;
}

/** Of one number: a score for each unit, null where there is none. */
export interface Told extends Omit<Attribution, 'scores' | 'errors'> {
  readonly scores: readonly (number | null)[];
  readonly errors?: readonly (number | null)[];
  readonly r2?: number;
}

/** How a method does its work, and what it reads of the settings. */
interface Way {
  readonly settings: (asked: Asked, row: Explained) => Readonly<Record<string, string | number | boolean>>;
  /** Texts that it computes, about. */
  readonly texts: (asked: Asked, row: Explained) => number;
  readonly run: (asked: Asked, rows: readonly Explained[]) => Promise<readonly Told[]>;
}

/** Numbers of tokens as those of units; none for what a number cannot depend on. */
const byUnits = ({ text, units }: Asked, { position }: Explained, scores: readonly number[]): (number | null)[] => {
  const sums = grouped(
    scores,
    units.map((u) => u.rows),
  );
  return units.map((unit, i) => (isVisible(text.model, unit, position) ? (sums[i] ?? null) : null));
};

/** A method on the embeddings; so many numbers at a time as run together. */
const onEmbeddings =
  (
    method: (scalar: SmoothScalar, asked: Asked, together: number) => Promise<Attribution>,
    rules?: (asked: Asked) => RelevanceRules,
  ): Way['run'] =>
  async (asked, rows) => {
    const [first] = rows;
    if (!first) return [];
    const input: Vectors = await embeddingsOf(asked.text);
    const smooth = smoothText(asked.text, first.expression, { input, rules: rules?.(asked) });
    const told: Told[] = [];
    for (let at = 0; at < rows.length; at += smooth.together) {
      const some = rows.slice(at, at + smooth.together);
      const found = await Promise.all(some.map((row) => method(smooth.of(row.expression), asked, smooth.together)));
      found.forEach(({ scores, errors: _, ...rest }, i) => {
        const row = some[i];
        if (row) told.push({ ...rest, scores: byUnits(asked, row, scores) });
      });
    }
    return told;
  };

/** The units that can be left out of a number. */
export const removable = ({ text, units }: Asked, { position }: Explained): readonly number[] =>
  units.flatMap((unit, i) => (!unit.special && isVisible(text.model, unit, position) ? [i] : []));

/** A number as a function of its units. */
export const gameOf = (asked: Asked, row: Explained): Game =>
  leftOutGame(asked.text, {
    expression: row.expression,
    units: removable(asked, row).flatMap((i) => asked.units[i] ?? []),
    leaving: leavingOut(asked.text.model, asked.input.replace),
  });

const spread = (asked: Asked, row: Explained, scores: readonly number[]): (number | null)[] => {
  const places = removable(asked, row);
  return asked.units.map((_, i) => {
    const at = places.indexOf(i);
    return at < 0 ? null : (scores[at] ?? null);
  });
};

/** @throws UsageError METHOD_UNFIT */
const checkRemovable = (asked: Asked, row: Explained): void => {
  if (removable(asked, row).length > 0) return;
  throw new UsageError('there is nothing that could be left out: all tokens are special ones', {
    code: 'METHOD_UNFIT',
    hint: 'Give a text, or take a method by gradients, such as integrated-gradients.',
  });
};

/** A method that leaves units out, on one number after the other. */
const onUnits =
  (method: (game: Game, asked: Asked) => Promise<Attribution & { readonly r2?: number }>): Way['run'] =>
  async (asked, rows) => {
    const told: Told[] = [];
    for (const row of rows) {
      checkRemovable(asked, row);
      const { scores, errors, ...rest } = await method(gameOf(asked, row), asked);
      const own = errors ? { errors: spread(asked, row, errors) } : {};
      told.push({ ...rest, ...own, scores: spread(asked, row, scores) });
    }
    return told;
  };

/** A method that reads attention alone, with the numbers that are explained computed beside it. */
const onAttention =
  (method: (text: TextModel, rows: readonly Explained[]) => Promise<readonly (readonly number[])[]>): Way['run'] =>
  async (asked, rows) => {
    const { text } = asked;
    const all = await method(text, rows);
    const told: Told[] = [];
    for (const [i, row] of rows.entries()) {
      const items = [{ expression: row.expression, prompt: text.prompt }];
      const { model, variant, onSegment } = text;
      const [value = NaN] = await scalarBatch(model, { variant, items, encode: encoder(text), onSegment });
      told.push({ value, scores: byUnits(asked, row, all[i] ?? []) });
    }
    return told;
  };

const stepsOf = ({ input: { rule, steps } }: Asked): number => steps ?? usualSteps(rule);
/** Where the path begins: undefined for zeros. */
const baselineOf = async ({ text, units, input }: Asked): Promise<Vectors | undefined> => {
  const leaving = leavingOut(text.model, input.baseline);
  if (leaving.kind !== 'token') return undefined;
  const special = new Set(units.filter((u) => u.special).flatMap((u) => u.rows));
  const gone = units.flatMap((u) => u.rows).map((_, row) => !special.has(row));
  return embeddingsOf({ ...text, prompt: withToken(text.prompt, gone, leaving.id) });
};

const nameOf = ({ text }: Asked, given: Replacement | undefined): string => {
  const leaving = leavingOut(text.model, given);
  return leaving.kind === 'token' ? leaving.name : leaving.kind;
};

const samplesOf = ({ input: { samples } }: Asked, usual: number): number => samples ?? usual;

const lrpRules = ({ input: { lrp, epsilon, gamma } }: Asked): RelevanceRules => ({
  ...attnLrp,
  attention: lrp === 'cp' ? 'values' : 'all',
  linear: gamma === undefined ? { rule: 'epsilon', epsilon } : { rule: 'gamma', gamma },
});

const isNumber = (node: Expression): boolean => node.kind === 'number' || (node.kind === 'unary' && isNumber(node.of));

/** Is it a sum of scores, each times a number? Only then do relevances add up to it. */
const isLinear = (node: Expression): boolean => {
  if (node.kind === 'token') return node.by === 'logit';
  if (node.kind === 'unary') return isLinear(node.of);
  if (node.kind !== 'binary') return false;
  const { operator, left, right } = node;
  if (operator === '+' || operator === '-') return isLinear(left) && isLinear(right);
  if (operator === '*') return (isNumber(left) && isLinear(right)) || (isLinear(left) && isNumber(right));
  return operator === '/' && isLinear(left) && isNumber(right);
};

const relevant = onEmbeddings(relevanceOf, lrpRules);

const leaves = (asked: Asked): string => nameOf(asked, asked.input.replace);

const none = (): Record<string, never> => ({});
const isAll = (asked: Asked, row: Explained): boolean =>
  isExact(removable(asked, row).length, { samples: samplesOf(asked, 25) });

/** One row a method. */
export const ways: Readonly<Record<AttributionMethod, Way>> = {
  gradient: {
    settings: ({ input }) => ({ reduce: input.reduce }),
    texts: () => 1,
    run: onEmbeddings((scalar, { input }) => (input.reduce === 'sum' ? gradientSum : gradientNorm)(scalar)),
  },
  'gradient-x-input': { settings: none, texts: () => 1, run: onEmbeddings(gradientTimesInput) },
  'integrated-gradients': {
    settings: (asked) => {
      const { rule, baseline } = asked.input;
      return { rule, steps: stepsOf(asked), baseline: nameOf(asked, baseline) };
    },
    texts: (asked) => stepsOf(asked) + 2,
    run: onEmbeddings(async (scalar, asked, together) => {
      const { rule } = asked.input;
      const baseline = await baselineOf(asked);
      return integratedGradients(scalar, {
        ...{ rule, steps: stepsOf(asked), together },
        ...(baseline ? { baseline } : {}),
      });
    }),
  },
  smoothgrad: {
    settings: (asked) => {
      const { stdev, noise, average, timesInput, seed, reduce } = asked.input;
      const how = timesInput ? { timesInput } : { reduce };
      return { samples: samplesOf(asked, 10), stdev, noise, average, ...how, seed };
    },
    texts: (asked) => samplesOf(asked, 10) + 1,
    run: onEmbeddings(async (scalar, asked, together) => {
      const { stdev, noise, average, timesInput, seed, reduce } = asked.input;
      const { elements, ...found } = await smoothGradient(scalar, {
        ...{ samples: samplesOf(asked, 10), stdev, of: noise, average, timesInput, seed, together },
      });
      return timesInput || reduce === 'sum' ? found : { ...found, scores: rowNorms(elements) };
    }),
  },
  lrp: {
    settings: ({ input: { lrp, epsilon, gamma } }) => ({ lrp, ...(gamma === undefined ? { epsilon } : { gamma }) }),
    texts: () => 1,
    run: async (asked, rows) => {
      const told = await relevant(asked, rows);
      return told.map(({ baseline, ...rest }, i) => {
        const row = rows[i];
        return row && isLinear(row.expression) && baseline !== undefined ? { ...rest, baseline } : rest;
      });
    },
  },
  'attention-rollout': { settings: none, texts: () => 1, run: onAttention(rollout) },
  'attention-flow': { settings: none, texts: () => 1, run: onAttention(flow) },
  'attention-gradient': {
    settings: none,
    texts: () => 1,
    run: async (asked, rows) => {
      const all = await attentionGradient(asked.text, rows);
      return all.map(({ value, scores }, i) => {
        const row = rows[i];
        return { value, scores: row ? byUnits(asked, row, scores) : [] };
      });
    },
  },
  occlusion: {
    settings: (asked) => ({ replace: leaves(asked) }),
    texts: (asked, row) => removable(asked, row).length + 1,
    run: onUnits(occlusion),
  },
  shapley: {
    settings: (asked, row) => {
      const replace = leaves(asked);
      if (isAll(asked, row)) return { replace, coalitions: 'all' };
      return { replace, samples: samplesOf(asked, 25), seed: asked.input.seed };
    },
    texts: (asked, row) => {
      const count = removable(asked, row).length;
      return isAll(asked, row) ? 2 ** count : samplesOf(asked, 25) * Math.max(count - 1, 1) + 2;
    },
    run: onUnits((game, asked) => shapley(game, { samples: samplesOf(asked, 25), seed: asked.input.seed })),
  },
  lime: {
    settings: (asked) => {
      const { ridge, kernelWidth, seed } = asked.input;
      return { replace: leaves(asked), samples: samplesOf(asked, 256), ridge, kernelWidth, seed };
    },
    texts: (asked) => samplesOf(asked, 256),
    run: onUnits((game, asked) => {
      const { ridge, kernelWidth, seed } = asked.input;
      return lime(game, { samples: samplesOf(asked, 256), ridge, kernelWidth, seed });
    }),
  },
};
