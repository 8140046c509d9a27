import type { DiffResult, PictureBlock, PictureForm, SiteDifferenceView } from '../../../protocol/index.js';

/** A difference as it is written; null is infinite. */
export const relativeText = (x: number | null): string => {
  if (x === null) return '∞';
  if (x === 0) return '0';
  return x < 1e-3 || x >= 1e3 ? x.toExponential(1).replace('-', '−') : x.toPrecision(3);
};

/** How far a site differs: as a whole, or, where noise adds up from layer to layer, by its layer's own part. */
export const differenceOf = (
  { byLayer, local = [] }: DiffResult,
  { site, relative }: SiteDifferenceView,
): number | null => {
  const own = byLayer ? local.find(({ name }) => name === site) : undefined;
  return own ? own.relative : relative;
};

export const differs = (result: DiffResult, view: SiteDifferenceView): boolean => {
  if (!result.byLayer) return view.differs;
  const own = differenceOf(result, view);
  return own === null || own > result.floor;
};

const ofKind: readonly (readonly [RegExp, PictureBlock['kind']])[] = [
  [/^(embed|pos_embed|type_embed|ln_embed)\b/, 'embed'],
  [/^ln_final\b/, 'norm'],
];

/** The block of the model's picture that a site is in. */
export const blockOf = (site: string, blocks: readonly PictureBlock[]): PictureBlock | undefined => {
  const named = /^((?:\w+\.)?blocks\.\d+(?:#\d+)?)(?:\.|$)/.exec(site)?.[1];
  if (named !== undefined) return blocks.find(({ id }) => id === named);
  const [, stack, rest = site] = /^(encoder|decoder)\.(.*)$/.exec(site) ?? [];
  const own = blocks.filter((block) => stack === undefined || block.stack === stack);
  const kind = ofKind.find(([pattern]) => pattern.test(rest))?.[1];
  return own.find((block) => block.kind === kind) ?? own.findLast((block) => block.kind === 'head');
};

/** The part of a block that a site belongs to, by its id in the block's form; undefined of what comes in. */
export const partOf = (site: string, block: PictureBlock, form: PictureForm): string | undefined => {
  if (!site.startsWith(`${block.id}.`)) return undefined;
  const rest = site.slice(block.id.length + 1);
  if (rest === 'resid_pre') return undefined;
  if (rest.startsWith('resid_post')) return form.output;
  if (rest.startsWith('resid_')) return form.parts.find(({ kind }) => kind === 'sum')?.id;
  const name = rest.split('.')[0]?.replace(/_out$/, '');
  return form.parts.find(({ id }) => id === name)?.id;
};

const greatest = (values: readonly (number | null)[]): number =>
  values.reduce<number>((most, x) => Math.max(most, x ?? Infinity), 0);

/** The sites that are in a block. */
export const sitesOf = (result: DiffResult, block: PictureBlock, blocks: readonly PictureBlock[]) =>
  result.sites.filter(({ site }) => blockOf(site, blocks)?.id === block.id);

/** How far what a block hands on differs; of one whose stream is not known, the most of what is in it. */
export const blockDifference = (
  result: DiffResult,
  block: PictureBlock,
  blocks: readonly PictureBlock[],
): number | undefined => {
  const sites = sitesOf(result, block, blocks);
  const handed = sites.filter(({ site }) => /(^|\.)(resid_post|logits|embed)$/.test(site));
  const told = handed.length > 0 ? handed.slice(-1) : sites;
  return told.length === 0 ? undefined : greatest(told.map((view) => differenceOf(result, view)));
};

/** Where a difference stands on a scale that is logarithmic from the floor on; below it nothing is seen. */
export const shareOf = (difference: number, { floor, sites }: Pick<DiffResult, 'floor' | 'sites'>): number => {
  if (difference <= floor) return 0;
  const finite = sites.flatMap(({ relative }) => (relative === null ? [] : [relative]));
  const most = Math.max(10 * floor, ...finite);
  return Math.min(1, 0.2 + (0.8 * Math.log(difference / floor)) / Math.log(most / floor));
};

/** What is handed on from layer to layer, what was found, and what is in the block that is looked at. */
export const shownSites = (
  result: DiffResult,
  focus: PictureBlock | undefined,
  blocks: readonly PictureBlock[],
): readonly SiteDifferenceView[] => {
  const found = new Set(result.findings.map(({ site }) => site));
  const carried = /(^|\.)(embed|resid_post|resid_mid|logits)$|^ln_final\.normalized$/;
  return result.sites.filter(
    ({ site }) => carried.test(site) || found.has(site) || (focus && blockOf(site, blocks)?.id === focus.id),
  );
};
