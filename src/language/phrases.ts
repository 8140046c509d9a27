/** The parts that several edits are made of, as text: each `scanX` has its `formatX`. */
import type { Direction, FileTensor, OuterProduct, SetValue, Steps, Token } from './edits.js';
import type { Scanner } from './scanner.js';
import { formatWhere, scanSite, scanWhere, type Where } from './selectors.js';
import type { SiteName } from './sites.js';

const filePath = /[^\s"'#,()[\]]+/y;
const plainFile = /^[^\s"'#,()[\]]+$/;
const weightName = /[\w./:@-]+/y;
const plainWeight = /^[\w./:@-]+$/;

/** A step's number, a range of them or all from one on; or nothing, which means all. */
export const scanSteps = (s: Scanner): { readonly steps?: Steps } => {
  if (s.eat('from step')) return { steps: { from: s.count("a step's number") } };
  if (s.eat('at step')) {
    const step = s.count("a step's number");
    return { steps: { from: step, to: step } };
  }
  if (!s.eat('in steps')) return {};
  const from = s.count("a step's number");
  s.expect('..');
  const column = s.column;
  const to = s.count("a step's number");
  if (to < from) throw s.error(`a step from ${from} on`, column);
  return { steps: { from, to } };
};

export const formatSteps = (steps: Steps | undefined): string => {
  if (!steps) return '';
  if (steps.to === undefined) return ` from step ${steps.from}`;
  return steps.from === steps.to ? ` at step ${steps.from}` : ` in steps ${steps.from}..${steps.to}`;
};

/** A selector that stands beside others' fields: no `where` where nothing is chosen. */
export const scanChosen = (s: Scanner): { readonly where?: Where } => {
  const where = scanWhere(s);
  return Object.keys(where).length === 0 ? {} : { where };
};

export interface Target {
  readonly site: SiteName;
  readonly where?: Where;
}
export const scanTarget = (s: Scanner): Target => ({ site: scanSite(s), ...scanChosen(s) });
export const formatTarget = ({ site, where }: Target): string => site + formatWhere(where);

/** `(SITE)[selector]`, after the word `grad`. */
export const scanGradTarget = (s: Scanner): Target => {
  s.expect('(');
  const site = scanSite(s);
  s.expect(')');
  return { site, ...scanChosen(s) };
};
export const formatGradTarget = ({ site, where }: Target): string => `(${site})${formatWhere(where)}`;

export const scanFile = (s: Scanner): string =>
  s.seesString() ? s.string() : s.expectMatch(filePath, 'the name of a file')[0];
export const formatFile = (file: string): string => (plainFile.test(file) ? file : JSON.stringify(file));

export const scanWeight = (s: Scanner): string =>
  s.seesString() ? s.string() : s.expectMatch(weightName, 'the name of a weight')[0];
export const formatWeight = (name: string): string => (plainWeight.test(name) ? name : JSON.stringify(name));

/** `(FILE.safetensors, "NAME")`, after the word `vector`. */
export const scanVector = (s: Scanner): FileTensor => {
  s.expect('(');
  const file = scanFile(s);
  s.expect(',');
  const name = s.string('the name of a tensor, in quotes');
  s.expect(')');
  return { file, name };
};
export const formatVector = ({ file, name }: FileTensor): string =>
  `vector(${formatFile(file)}, ${JSON.stringify(name)})`;

export const scanTokenRef = (s: Scanner): Token =>
  s.seesString() ? s.string() : s.count("a token's text in quotes or its id");
export const formatTokenRef = (token: Token): string => JSON.stringify(token);

/** `(A - B)`, after the word `direction`; `in embed` may stand inside or behind. */
export const scanDirection = (s: Scanner): Direction => {
  s.expect('(');
  const plus = scanTokenRef(s);
  s.expect('-');
  const minus = scanTokenRef(s);
  const inside = s.eat('in embed');
  s.expect(')');
  return { plus, minus, ...(inside || s.eat('in embed') ? { in: 'embed' } : {}) };
};
export const formatDirection = (d: Direction): string =>
  `direction(${formatTokenRef(d.plus)} - ${formatTokenRef(d.minus)})${d.in ? ` in ${d.in}` : ''}`;

/** What stands behind `set grad(SITE) =`. */
export const scanGradValue = (s: Scanner): number | 'zero' => (s.eat('zero') ? 'zero' : s.number('a number or `zero`'));

/** What stands behind `set SITE =`. */
export const scanSetValue = (s: Scanner): SetValue => {
  if (s.eat('zero')) return 'zero';
  if (s.eat('mean of')) return { mean: scanFile(s) };
  if (s.eat('mean')) return 'mean';
  if (s.eat('from prompt')) return { prompt: s.string('a prompt in quotes') };
  if (s.eat('from recording')) return { recording: scanFile(s) };
  return s.number('a number, `zero`, `mean`, `from prompt` or `from recording`');
};
export const formatSetValue = (value: SetValue): string => {
  if (typeof value !== 'object') return String(value);
  if ('mean' in value) return `mean of ${formatFile(value.mean)}`;
  return 'prompt' in value
    ? `from prompt ${JSON.stringify(value.prompt)}`
    : `from recording ${formatFile(value.recording)}`;
};

/** `(vector(...), vector(...))`, after the word `outer`. */
export const scanOuter = (s: Scanner, by: number): OuterProduct => {
  s.expect('(');
  s.expect('vector');
  const out = scanVector(s);
  s.expect(',');
  s.expect('vector');
  const within = scanVector(s);
  s.expect(')');
  return { by, out, in: within };
};
export const formatOuter = (o: OuterProduct): string =>
  `${o.by} * outer(${formatVector(o.out)}, ${formatVector(o.in)})`;
