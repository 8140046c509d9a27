import { UsageError } from '../../base/index.js';
import type { ExceptionFilter, Watched } from '../../debugger/index.js';
import type { ExpressionValue } from '../../engine/index.js';
import { nodesOf, parseExpression, sitesOf, type Expression } from '../../language/index.js';
import type { Tensor } from '../../tensor/index.js';
import { localTree } from './local-sites.js';
import { checkSites, isNotYet, isOutside, type Moment } from './moment.js';

/** FNV-1a over the bytes, to tell one tensor from another. @source RFC draft-eastlake-fnv */
export const hashOf = ({ data }: Pick<Tensor, 'data'>): string => {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
};

/** A value as a data breakpoint compares it. */
export const watchedOf = (value: ExpressionValue): Watched => {
  if (typeof value !== 'object') return value;
  if (value.data.length === 1) return value.data[0] ?? NaN;
  return `[${value.shape.join(', ')}] ${hashOf(value)}`;
};

/** Does it change while a step runs, once it is known? */
const moves = (tree: Expression): boolean =>
  nodesOf(tree).some(
    (n) => (n.kind === 'word' && n.word === 'layer') || (n.kind === 'token' && n.by.startsWith('lens_')),
  );

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'COMMAND_INVALID', hint });

/**
 * What a data breakpoint watches: an expression; what does not change within a step is evaluated
 * once a step.
 * @throws UsageError EXPRESSION_*, SITE_UNKNOWN
 */
export const watchedValue = (moment: Moment, text: string): (() => Promise<Watched | undefined>) => {
  const tree = localTree(parseExpression(text), moment.local); // of the layer in which it was set
  for (const { site } of sitesOf(tree)) moment.checkSite(site);
  const lasts = !moves(tree);
  let known: { readonly variant: unknown; readonly step: number; readonly value: Watched } | undefined;
  return async () => {
    const { variant, position } = moment;
    if (isOutside(moment, tree)) return undefined;
    if (lasts && known && known.variant === variant && known.step === position.step) return known.value;
    try {
      const value = watchedOf(await moment.evaluate(tree));
      known = { variant, step: position.step, value };
      return value;
    } catch (error) {
      if (isNotYet(error)) return undefined;
      throw error;
    }
  };
};

/** What stands in braces, quotes inside it honoured. */
const braced = /\{((?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*)\}/g;

/**
 * A text with expressions in braces, as a log point writes it.
 * @throws UsageError EXPRESSION_* for an expression that cannot be read
 */
export const logText = (
  moment: Moment,
  template: string,
  shown: (value: ExpressionValue) => string,
): (() => Promise<string>) => {
  const parts = template.split(braced).map((part, i) => (i % 2 === 0 ? part : parseExpression(part)));
  for (const part of parts) if (typeof part !== 'string') checkSites(moment, part);
  const told = async (part: Expression): Promise<string> => {
    if (isOutside(moment, part)) return '–';
    return moment.evaluate(part).then(shown, (error: unknown) => {
      if (isNotYet(error)) return '–';
      throw error;
    });
  };
  return async () => {
    const texts: string[] = [];
    for (const part of parts) texts.push(typeof part === 'string' ? part : await told(part));
    return texts.join('');
  };
};

const collapsed = 0.1;

/**
 * `nan`, `inf`, `overflow16`, `repetition`, `entropy [NATS]`, `lost TOKEN` (a text in quotes, or an id).
 * @throws UsageError COMMAND_INVALID, AMBIGUOUS_TOKEN
 */
export const exceptionFilter = async (moment: Moment, text: string): Promise<ExceptionFilter> => {
  const [, kind = '', rest = ''] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(text) ?? [];
  switch (kind) {
    case 'nan':
    case 'inf':
    case 'overflow16':
    case 'repetition':
      if (rest === '') return { kind };
      throw invalid(`${kind} takes nothing after it`, `catch ${kind}`);
    case 'entropy': {
      const below = rest === '' ? collapsed : Number(rest);
      if (below > 0 && Number.isFinite(below)) return { kind, below };
      throw invalid('entropy is compared with a number of nats', 'catch entropy 0.5');
    }
    case 'lost':
      return { kind, ...(await moment.token(rest)) };
    default:
      throw invalid(
        kind === '' ? 'catch what?' : `there is no exception ${kind}`,
        'catch nan, inf, overflow16, repetition, entropy [NATS], lost TOKEN, and on a way back exploding [NORM] or vanishing [NORM]',
      );
  }
};
