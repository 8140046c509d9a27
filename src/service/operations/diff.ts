import {
  differingFields,
  outliers,
  valuesIn,
  walk,
  type SiteDifference,
  type Trial,
  type Walk,
} from '../../analyses/diff/index.js';
import { divergence, sumScores } from '../../analyses/lens/index.js';
import { bug, nearest, UsageError, type JsonObject } from '../../base/index.js';
import { prepareExperiment } from '../../engine/index.js';
import { matches, parseGlobs } from '../../language/index.js';
import { makeProgram } from '../../models/index.js';
import type { DiffInput, DiffResult, SiteDifferenceView } from '../../protocol/index.js';
import { checkpoints } from '../cancel.js';
import { comparedWeights, type WeightDifference } from '../diffing/compare-weights.js';
import { findings, type FindRequest } from '../diffing/find.js';
import { floorFor } from '../diffing/floor.js';
import { withSides, type Sides } from '../diffing/open-sides.js';
import { partsOf } from '../diffing/parts.js';
import type { OpenSide } from '../diffing/side.js';
import { contextFor } from '../experiment.js';
import type { Operation, OperationContext } from '../operation.js';
import { textOf } from '../prompts.js';
import { scoredTokens } from '../scored.js';
import { finite } from '../finite.js';

const toldDifference = (d: SiteDifference, floor: number): SiteDifferenceView => ({
  ...{ site: d.site, shape: [...d.shape], relative: finite(d.relative), largest: finite(d.largest) },
  ...{ cosine: finite(d.cosine), broken: [...d.broken], differs: d.relative > floor },
});

/** The sites that both have and that the globs choose, in A's order. @throws UsageError SITE_UNKNOWN, DIFF_NOTHING_IN_COMMON */
const sharedSites = ({ a, b }: Sides, globs: string | undefined): readonly string[] => {
  const theirs = new Set(b.sites);
  const both = a.sites.filter((site) => theirs.has(site));
  if (both.length === 0)
    throw new UsageError(`${a.told.name} and ${b.told.name} have no site in common`, {
      code: 'DIFF_NOTHING_IN_COMMON',
      hint: `One has ${a.sites.slice(0, 4).join(', ')}; the other ${b.sites.slice(0, 4).join(', ')}.`,
    });
  if (globs === undefined) return both;
  const chosen = new Set<string>();
  for (const glob of parseGlobs(globs)) {
    const found = both.filter((site) => matches(glob, site));
    if (found.length === 0)
      throw new UsageError(`no site that both have matches ${glob.text}`, {
        code: 'SITE_UNKNOWN',
        hint: `Did you mean ${nearest(glob.text, both).join(', ')}?`,
      });
    for (const site of found) chosen.add(site);
  }
  return both.filter((site) => chosen.has(site));
};

/** What a side says at the end, of the last position. */
const lastScores = async (side: OpenSide): Promise<Float32Array | undefined> => {
  if (!side.sites.includes('logits')) return undefined;
  const logits = (await side.read(['logits'])).get('logits');
  const width = logits?.shape.at(-1) ?? 0;
  return logits && Float32Array.from(logits.data.subarray(logits.data.length - width), Number);
};

const outputOf = async ({ a, b }: Sides): Promise<Pick<DiffResult, 'output'>> => {
  const [p, q] = [await lastScores(a), await lastScores(b)];
  const model = a.opened?.model ?? b.opened?.model;
  if (!p || p.length !== q?.length) return {};
  const named = (scores: Float32Array) => scoredTokens(scores, 3, (id) => (model ? textOf(model, id) : `[${id}]`));
  return { output: { a: named(p), b: named(q), kl: finite(divergence(p, q, [sumScores(p), sumScores(q)])) } };
};

const configOf = ({ a, b }: Sides): Pick<DiffResult, 'config'> => {
  const [ours, theirs] = [a.config, b.config];
  if (!ours || !theirs) return {};
  const fields = differingFields(ours, theirs);
  return { config: fields.map((field) => ({ field, a: ours[field] ?? null, b: theirs[field] ?? null })) };
};

/** A as a model in which mistakes can be tried. */
const trialOf = async ({ a }: Sides, context: OperationContext) => {
  if (!a.opened) return undefined;
  const { model, edits, prompt } = a.opened;
  const { variant } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  const { program, weights, backend, compilations } = model;
  const lent = { compilations, segments: new Set(program.segments) };
  const names = new Set(weights.names());
  const make = (fields: JsonObject) => makeProgram({ ...program.config, ...fields }, (name) => names.has(name));
  return { program, make, weights, backend, lent, variant, prompt, onSegment: checkpoints(context) };
};

type FoundIn = Pick<Walk, 'differences'> & Pick<FindRequest, 'floor' | 'parts'> & { readonly trial: Trial | undefined };

const foundIn = (sides: Sides, { most }: DiffInput, context: OperationContext) => {
  const breathe = checkpoints(context);
  return ({ differences, floor, parts, trial }: FoundIn) =>
    findings(
      {
        ...{ a: sides.a, b: sides.b, parts, floor, most: trial ? most : 1 },
        ...(trial ? { trial } : {}),
        progress: (done, total, what) => {
          context.progress?.({ done, total, what });
          return breathe();
        },
      },
      differences,
    );
};

/** With a floor above this, noise adds up from layer to layer, and each layer is judged by its own part. */
const noisy = 1e-3;

/** The values of both sides, compared over the whole run and, where A is a model, layer by layer. */
const measured = async (
  { a, b }: Sides,
  { parts, trial }: { readonly parts: FindRequest['parts']; readonly trial: Trial | undefined },
  context: OperationContext,
) => {
  const { differences, unlike } = await walk([a, b], parts, (done) =>
    context.progress?.({ done, total: parts.length, what: 'values compared' }),
  );
  if (!trial) return { differences, unlike };
  const fed = { ...trial, feed: b };
  const own = { ...a, read: (names: readonly string[]) => valuesIn(fed, names) };
  return { differences, unlike, fed, local: (await walk([own, b], parts)).differences };
};

const outliersOf = (local: readonly SiteDifference[], weights: readonly WeightDifference[]): DiffResult['outliers'] => {
  const finiteOnes = local.filter((l) => Number.isFinite(l.relative));
  return [...outliers(finiteOnes.map((l) => ({ name: l.site, relative: l.relative }))), ...outliers(weights)].map(
    (o) => ({ ...o }),
  );
};

const compared = async (sides: Sides, input: DiffInput, context: OperationContext): Promise<DiffResult> => {
  const { a, b, tokens, target, otherTokens } = sides;
  const floor = input.floor ?? floorFor([a.told.dtype, b.told.dtype]);
  const parts = partsOf(sharedSites(sides, input.sites), (site) => a.bytesOf(site) + b.bytesOf(site), input.maxBytes);
  const trial = await trialOf(sides, context);
  const { differences, unlike, local, fed } = await measured(sides, { parts, trial }, context);
  const byLayer = floor > noisy && local !== undefined;
  const judged = byLayer ? local : differences;
  const tried = input.explain ? (byLayer ? fed : trial) : undefined;
  const found = await foundIn(sides, input, context)({ differences: judged, floor, parts, trial: tried });
  const weights = await comparedWeights([a, b], context);
  return {
    ...{ a: a.told, b: b.told, tokens, ...(target ? { target } : {}), ...(otherTokens ? { otherTokens } : {}) },
    ...{ floor, sites: differences.map((d) => toldDifference(d, floor)) },
    onlyA: a.sites.filter((site) => !b.sites.includes(site)),
    onlyB: b.sites.filter((site) => !a.sites.includes(site)),
    unlike: unlike.map(({ site, shapes: [x, y] }) => ({ site, shapes: [[...x], [...y]] })),
    findings: [...found],
    outliers: outliersOf(local ?? [], weights ?? []),
    ...(local ? { local: local.map((l) => ({ name: l.site, relative: finite(l.relative) })) } : {}),
    ...(weights ? { weights: weights.map((w) => ({ name: w.name, relative: finite(w.relative) })) } : {}),
    ...configOf(sides),
    ...(await outputOf(sides)),
    ...{ agree: judged.every((d) => d.relative <= floor) && unlike.length === 0, byLayer },
    notes: [...(a.notes ?? []), ...(b.notes ?? [])],
  };
};

/** Two runs of one prompt, walked along together: where they part first, and why. */
export const diff: Operation<DiffInput, DiffResult> = {
  name: 'diff',
  help: 'Compares two models, or a model with a recording or with values from elsewhere, site by site on one prompt: the first that differs beyond rounding, how the difference grows, and which known mistake of porting, converting or fine-tuning, made in the first model, gives the numbers of the second.',
  async run(input, context) {
    let result: DiffResult | undefined;
    await withSides(input, context, async (sides) => {
      result = await compared(sides, input, context);
    });
    if (!result) throw bug('nothing was compared');
    return result;
  },
};
