import type { DiffFinding, DiffResult, DiffSide, ScoredToken, SiteDifferenceView } from '../protocol/index.js';
import { visible } from './printable.js';
import { styled } from './styled.js';
import { table } from './table.js';

const small = (x: number | null): string => {
  if (x === null) return 'infinite';
  if (x === 0) return '0';
  return x < 1e-3 || x >= 1e3 ? x.toExponential(1) : x.toPrecision(3);
};

const sideLine = (letter: string, { name, kind, model, dtype }: DiffSide): string => {
  const parts = [kind, model?.family, model && `${model.layers} layers`, dtype].filter((x) => x !== undefined);
  return `  ${styled('bold', letter)}  ${name}  ${styled('dim', parts.join(', '))}`;
};

const bars = ' ▁▂▃▄▅▆▇█';

/** Differences as bars, a slice a bar: a tenth of the largest is half as high. */
const spark = (relative: readonly (number | null)[], floor: number): string => {
  const most = Math.max(floor, ...relative.map((r) => r ?? Infinity).filter(Number.isFinite));
  const height = (r: number | null): number => {
    if (r === null) return 8;
    return r <= floor ? 0 : Math.max(1, Math.round(8 * (1 + Math.log10(r / most) / 2)));
  };
  return relative.map((r) => bars[Math.min(8, height(r))] ?? ' ').join('');
};

/** Axes that say something by themselves; of others it matters only where some of it agrees. */
const telling = new Set(['position', 'query', 'key', 'head', 'kvHead', 'expert']);

const alongLines = ({ along }: DiffFinding, floor: number): string[] =>
  along
    .filter(({ axis, relative }) => telling.has(axis) || relative.some((r) => r !== null && r <= floor))
    .map(
      ({ axis, relative }) =>
        `    by ${axis.padEnd(9)} ${styled('cyan', `▕${spark(relative, floor)}▏`)}  from ${small(relative[0] ?? 0)} to ${small(relative.at(-1) ?? 0)}`,
    );

const proofLine = ({ proof }: DiffFinding): string[] => {
  if (!proof) return [];
  const where = proof.reach === 'everywhere' ? 'in every layer' : 'at this place alone';
  const whole = proof.agree === proof.of;
  const next = proof.next === null ? '' : `; next they part at ${proof.next}`;
  return [
    `    made in A too, ${where}: ${styled(whole ? 'green' : 'yellow', `${proof.agree} of ${proof.of} sites agree`)}${next}`,
  ];
};

const explanationLines = ({ explanations, tried }: DiffFinding): string[] => {
  const [best, ...others] = explanations;
  if (!best) return tried === 0 ? [] : [`    none of ${tried} known mistakes gives B's numbers here`];
  return [
    `  ${styled('bold', 'likely')}: in B, ${best.says}`,
    ...(best.edit === undefined ? [] : [`    as an edit of A: ${styled('cyan', best.edit)}`]),
    ...others.map((e) => styled('dim', `    as well possible: ${e.says} (${small(e.relative)})`)),
  ];
};

const showFinding = (finding: DiffFinding, i: number, floor: number): string => {
  const { site, relative, from, scope, signs } = finding;
  const title = i === 0 ? 'they part first at' : 'then they part at';
  const agree = from.length === 0 ? [] : [styled('dim', `    computed from ${from.join(', ')}, which agree`)];
  return [
    `${title} ${styled('bold', site)}: relative difference ${styled('red', small(relative))}${scope === '' ? '' : styled('dim', `  in ${scope}`)}`,
    ...agree,
    ...alongLines(finding, floor),
    ...signs.map((sign) => `    ${sign}`),
    ...explanationLines(finding),
    ...proofLine(finding),
  ].join('\n');
};

/** The lines of the table: what is handed on after each layer, and the first places that differ. */
const growthOf = ({ sites, findings }: DiffResult): readonly SiteDifferenceView[] => {
  const told = new Set(findings.map((f) => f.site));
  const carried = /(^|\.)(embed|resid_post|resid_mid|logits)$|^ln_final\.normalized$/;
  return sites.filter(({ site }) => carried.test(site) || told.has(site));
};

/** A site's own part of the difference, where it is known. */
const ownPart = ({ local = [] }: DiffResult, site: string): number | null | undefined =>
  local.find((l) => l.name === site)?.relative;

/** Does it differ: as a whole, or, where noise adds up, by its layer's own part? */
const differsIn = (r: DiffResult, { site, differs }: SiteDifferenceView): boolean => {
  if (!r.byLayer) return differs;
  const own = ownPart(r, site);
  return own === undefined ? differs : own === null || own > r.floor;
};

const rowOf = (r: DiffResult, view: SiteDifferenceView): string[] => {
  const { site, relative, largest, cosine, broken } = view;
  const own = ownPart(r, site);
  return [
    differsIn(r, view) ? styled('red', '≠') : styled('green', '='),
    site,
    small(relative),
    own === undefined ? '' : small(own),
    small(largest),
    cosine === null ? '–' : cosine.toFixed(6),
    broken[0] + broken[1] === 0 ? '' : `NaN or infinite: ${broken.join(' / ')}`,
  ];
};

const words = (tokens: readonly ScoredToken[]): string =>
  tokens.map((t) => `${visible(t.text)} ${(100 * t.probability).toFixed(1)} %`).join('   ');

const outputLines = ({ output }: DiffResult): string[] =>
  output
    ? [
        [`A says  ${words(output.a)}`, `B says  ${words(output.b)}`, `KL divergence ${small(output.kl)} nats`]
          .map((l) => `  ${l}`)
          .join('\n'),
      ]
    : [];

const tokensLine = ({ tokens, otherTokens }: DiffResult): string[] =>
  otherTokens
    ? [
        `${styled('yellow', 'the two cut the text into other tokens')}; both were given A's\n  A  ${tokens.map((t) => visible(t.text)).join(' ')}\n  B  ${otherTokens.map((t) => visible(t.text)).join(' ')}`,
      ]
    : [];

const json = (value: unknown): string => (value === null ? '–' : JSON.stringify(value));

const configLines = ({ config = [] }: DiffResult): string[] =>
  config.length === 0
    ? []
    : [
        `fields of the config that differ\n${table(
          ['field', 'A', 'B'],
          config.map(({ field, a, b }) => [field, json(a), json(b)]),
        )}`,
      ];

const mostListed = 8;

const weightLines = ({ weights }: DiffResult): string[] => {
  if (!weights || weights.length === 0) return [];
  const more = weights.length > mostListed ? `\n  and ${weights.length - mostListed} more` : '';
  const rows = weights.slice(0, mostListed).map(({ name, relative }) => [name, small(relative)]);
  return [`weights that differ\n${table(['weight', 'relative'], rows, { right: [1] })}${more}`];
};

const outlierLines = ({ outliers }: DiffResult): string[] =>
  outliers.length === 0
    ? []
    : [
        `what differs far more than its like in other layers\n${table(
          ['', 'relative', 'median of its like'],
          outliers.slice(0, mostListed).map((o) => [o.name, small(o.relative), small(o.median)]),
          { right: [1, 2] },
        )}`,
      ];

const countLine = (r: DiffResult): string => {
  const { sites, onlyA, onlyB, floor, byLayer } = r;
  const differ = sites.filter((site) => differsIn(r, site)).length;
  const only = [
    onlyA.length > 0 ? `${onlyA.length} only in A` : '',
    onlyB.length > 0 ? `${onlyB.length} only in B` : '',
  ].filter((x) => x !== '');
  const rest = only.length === 0 ? '' : styled('dim', ` (${only.join(', ')})`);
  const how = byLayer ? styled('dim', "; noise adds up, so each layer is given what B's layer was given") : '';
  const agree = differ === 0 ? styled('green', 'all agree') : `${differ} differ by more than ${small(floor)}`;
  return `${sites.length} sites in both${rest}, ${agree}${how}`;
};

/** `own`: with the layer given what B's layer was given. */
const growthTable = (r: DiffResult): string =>
  table(
    ['', 'site', 'relative', 'own', 'largest', 'cosine', ''],
    growthOf(r).map((view) => rowOf(r, view)),
    {
      right: [2, 3, 4, 5],
    },
  );

/** Sites whose values are not of one size, the first few. */
const unlikeLines = ({ unlike }: DiffResult): string[] => {
  if (unlike.length === 0) return [];
  const rows = unlike
    .slice(0, mostListed)
    .map(({ site, shapes: [a, b] }) => [site, `[${a.join(', ')}]`, `[${b.join(', ')}]`]);
  const more = unlike.length > mostListed ? `\n  and ${unlike.length - mostListed} more` : '';
  return [`values of another size\n${table(['site', 'A', 'B'], rows)}${more}`];
};

/** Two runs beside each other: where they part, why, and how the difference grows. */
export const showDiff = (r: DiffResult): string =>
  [
    `${sideLine('A', r.a)}\n${sideLine('B', r.b)}`,
    ...tokensLine(r),
    [countLine(r), ...r.notes.map((note) => styled('dim', `  ${note}`))].join('\n'),
    ...unlikeLines(r),
    ...r.findings.map((finding, i) => showFinding(finding, i, r.floor)),
    growthTable(r),
    ...outputLines(r),
    ...configLines(r),
    ...weightLines(r),
    ...outlierLines(r),
  ].join('\n\n');
