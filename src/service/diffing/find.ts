import {
  asGoodAs,
  differenceAlong,
  explain,
  segmentOfSite,
  signsOf,
  tried,
  valuesIn,
  walk,
  type Explanation,
  type OtherSide,
  type Reach,
  type Scene,
  type SiteDifference,
  type Trial,
} from '../../analyses/diff/index.js';
import type { DiffFinding } from '../../protocol/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { OpenSide } from './side.js';
import { finite } from '../finite.js';

export interface FindRequest {
  readonly a: OpenSide;
  readonly b: OpenSide;
  /** Sites that are compared, those that are read at a time together. */
  readonly parts: readonly (readonly string[])[];
  readonly floor: number;
  /** Where mistakes can be tried: A as a model. */
  readonly trial?: Trial;
  readonly most: number;
  readonly progress: (done: number, total: number, what: string) => void | Promise<void>;
}

/** Axes as long as this are told slice by slice. */
const longestAxis = 64;

const firstOf = (differences: readonly SiteDifference[], floor: number): SiteDifference | undefined =>
  differences.find((d) => d.relative > floor);

/** What a place shows: where along its axes, and what the numbers tell. */
const looked = async (
  { a, b, floor }: FindRequest,
  { site, relative }: SiteDifference,
  ours: Tensor,
): Promise<{ readonly finding: DiffFinding; readonly theirs: Tensor | undefined }> => {
  const theirs = (await b.read([site])).get(site);
  const axes = a.axesOf(site) ?? b.axesOf(site) ?? [];
  const along = theirs
    ? axes.flatMap((axis, i) => {
        const count = ours.shape[i] ?? 1;
        if (count < 2 || count > longestAxis) return [];
        return [{ axis, relative: differenceAlong([ours.data, theirs.data], ours.shape, i).map(finite) }];
      })
    : [];
  const signs = theirs ? signsOf({ a: ours, b: theirs, axes }, floor) : [];
  return {
    theirs,
    finding: {
      ...{ site, relative: finite(relative), from: [], scope: '', along, signs: [...signs] },
      ...{ tried: 0, explanations: [] },
    },
  };
};

const otherSide = ({ b }: FindRequest): OtherSide => ({
  ...(b.config ? { config: b.config } : {}),
  ...(b.weight ? { read: b.weight } : {}),
});

const scopeOf = ({ segment, suspects }: Scene): string => suspects.nodes.at(-1)?.scope ?? segment.id;

/** How the whole run agrees once a mistake is carried out in our model. */
interface Proof {
  readonly reach: Reach;
  readonly trial: Trial;
  readonly differences: readonly SiteDifference[];
}

/** How many sites agree. */
const agreeing = ({ differences }: Pick<Proof, 'differences'>, floor: number): number =>
  differences.filter((d) => d.relative <= floor).length;

/** The whole run with a mistake carried out: in every layer, or, where that agrees less, at its place alone. */
const proofOf = async (
  { a, b, parts, floor }: FindRequest,
  { trial, scene }: { readonly trial: Trial; readonly scene: Scene },
  { try: one }: Explanation,
): Promise<Proof | undefined> => {
  let best: Proof | undefined;
  for (const reach of ['everywhere', 'here'] as const) {
    const changed = await tried(trial, { scene, one, reach });
    if (!changed) continue;
    const ours = { ...a, read: (sites: readonly string[]) => valuesIn(changed, sites) };
    const { differences } = await walk([ours, b], parts);
    const proof = { reach, trial: changed, differences };
    if (!best || agreeing(proof, floor) > agreeing(best, floor)) best = proof;
    if (!firstOf(differences, floor)) break;
  }
  return best;
};

/** So many explanations that are equally good at the place are told apart by the whole run. */
const mostProven = 4;

/** Of the explanations that are as good as the best, the one that makes most of the run agree; it comes first. */
const proven = async (
  request: FindRequest,
  at: { readonly trial: Trial; readonly scene: Scene },
  found: readonly Explanation[],
): Promise<{ readonly found: readonly Explanation[]; readonly proof?: Proof }> => {
  const near = asGoodAs(Math.min(...found.map((e) => e.relative)));
  let best: { readonly one: Explanation; readonly proof: Proof } | undefined;
  for (const one of found.filter((e) => e.relative <= near).slice(0, mostProven)) {
    const proof = await proofOf(request, at, one);
    if (proof && (!best || agreeing(proof, request.floor) > agreeing(best.proof, request.floor))) best = { one, proof };
    if (proof && !firstOf(proof.differences, request.floor)) break;
  }
  if (!best) return { found };
  const { one, proof } = best;
  return { found: [one, ...found.filter((e) => e !== one)], proof };
};

const toldExplanation = ({ mistake, try: one, relative }: Explanation): DiffFinding['explanations'][number] => ({
  ...{ id: mistake.id, title: mistake.title, says: one.says, relative: finite(relative) },
  ...(one.edit === undefined ? {} : { edit: one.edit }),
});

/** Most explanations that a finding tells. */
const mostTold = 5;

/** What explains a place, and the run with it carried out. */
const explained = async (
  request: FindRequest,
  { differences, trial }: { readonly differences: readonly SiteDifference[]; readonly trial: Trial },
  { finding, theirs }: { readonly finding: DiffFinding; readonly theirs: Tensor },
): Promise<{ readonly finding: DiffFinding; readonly proof?: Proof }> => {
  const { floor, progress } = request;
  const agrees = new Set(differences.filter((d) => d.relative <= floor).map((d) => d.site));
  const result = await explain({
    ...{ trial, site: finding.site, agrees, value: theirs, floor, other: otherSide(request) },
    onTry: (done, total) => progress(done, total, `mistakes tried at ${finding.site}`),
  });
  if (!result) return { finding };
  const { scene } = result;
  const known = { ...finding, from: [...scene.suspects.from], scope: scopeOf(scene), tried: result.tried };
  const { found, proof } = await proven(request, { trial, scene }, result.found);
  const explanations = found
    .filter((e) => found.find((f) => f.try.says === e.try.says) === e)
    .slice(0, mostTold)
    .map(toldExplanation);
  if (!proof) return { finding: { ...known, explanations } };
  const next = firstOf(proof.differences, floor)?.site ?? null;
  const counts = { agree: agreeing(proof, floor), of: proof.differences.length };
  return { finding: { ...known, explanations, proof: { reach: proof.reach, ...counts, next } }, proof };
};

/**
 * From the first place where two runs part, one place after the other: what it shows, which mistake explains it, and,
 * with that mistake carried out, where they part next.
 */
export const findings = async (
  request: FindRequest,
  differences: readonly SiteDifference[],
): Promise<readonly DiffFinding[]> => {
  const { a, floor, most } = request;
  const found: DiffFinding[] = [];
  let now: { readonly differences: readonly SiteDifference[]; readonly trial: Trial | undefined } = {
    differences,
    trial: request.trial,
  };
  while (found.length < most) {
    const first = firstOf(now.differences, floor);
    if (!first) break;
    const isInside = now.trial && segmentOfSite(now.trial.program, first.site);
    const read = now.trial && isInside ? valuesIn(now.trial, [first.site]) : a.read([first.site]);
    const ours = (await read).get(first.site);
    if (!ours) break;
    const { finding, theirs } = await looked(request, first, ours);
    if (!now.trial || !theirs) return [...found, finding];
    const { finding: told, proof } = await explained(
      request,
      { differences: now.differences, trial: now.trial },
      { finding, theirs },
    );
    found.push(told);
    // no further where nothing explains it, or the two part at the same place still
    if (!proof || firstOf(proof.differences, floor)?.site === first.site) break;
    now = proof;
  }
  return found;
};
