import type { EditKind, EditOf, SamplingEdit } from './edits.js';
import { scanJsonOrWord, scanWord } from './json-text.js';
import { formatHead, formatLayer, scanHead, scanLayer } from './layers.js';
import * as phrases from './phrases.js';
import type { Scanner } from './scanner.js';
import { formatWhere } from './selectors.js';

/** How one kind of edit is written, behind the words of its name. */
export interface Form<K extends EditKind> {
  readonly usage: string;
  readonly scan: (s: Scanner) => Omit<EditOf<K>, 'edit'>;
  readonly format: (edit: EditOf<K>) => string;
}

const sampling = (value: 'NUMBER' | 'INTEGER') => ({
  usage: value,
  scan: (s: Scanner) => ({ value: value === 'INTEGER' ? s.count('an integer') : s.number() }),
  format: (e: SamplingEdit) => String(e.value),
});

const layer = {
  usage: 'LAYER, such as 3 or decoder.3',
  scan: scanLayer,
  format: (e: EditOf<'skip layer' | 'repeat layer'>) => formatLayer(e.stack, e.layer),
};

const scanSwap = (s: Scanner): Omit<EditOf<'swap layers'>, 'edit'> => {
  const first = scanLayer(s);
  const column = s.column;
  const second = scanLayer(s);
  if (first.stack !== second.stack) throw s.error('a layer of the same stack', column);
  return { ...(first.stack ? { stack: first.stack } : {}), layers: [first.layer, second.layer] };
};

/** `NUMBER *` before a vector; left out it is 1. */
const scanFactor = (s: Scanner, vectorWords: readonly string[]): { readonly by: number; readonly word: string } => {
  const next = () => vectorWords.find((word) => s.eat(word));
  const bare = next();
  if (bare !== undefined) return { by: 1, word: bare };
  const by = s.number();
  s.expect('*');
  const word = next();
  if (word === undefined) throw s.error(vectorWords.map((w) => `\`${w}\``).join(' or '));
  return { by, word };
};

const scanAdd = (s: Scanner): Omit<EditOf<'add'>, 'edit'> => {
  const { by, word } = scanFactor(s, ['direction', 'vector']);
  const vector = word === 'vector' ? phrases.scanVector(s) : phrases.scanDirection(s);
  s.expect('at');
  return { ...phrases.scanTarget(s), by, vector, ...phrases.scanSteps(s) };
};
const formatAdd = (e: EditOf<'add'>): string => {
  const vector = 'file' in e.vector ? phrases.formatVector(e.vector) : phrases.formatDirection(e.vector);
  return `${e.by} * ${vector} at ${phrases.formatTarget(e)}${phrases.formatSteps(e.steps)}`;
};

const assignment = /\*=|\+=|=/y;
const scanWeightEdit = (s: Scanner): Omit<EditOf<'weight'>, 'edit'> => {
  const name = phrases.scanWeight(s);
  const chosen = phrases.scanChosen(s);
  const op = s.expectMatch(assignment, '`=`, `*=` or `+=`')[0] as '=' | '*=' | '+=';
  const outerAllowed = op === '+=' && !chosen.where;
  if (outerAllowed && s.eat('outer')) return { name, op, value: phrases.scanOuter(s, 1) };
  const value = s.number();
  if (!outerAllowed || !s.eat('*')) return { name, ...chosen, op, value };
  s.expect('outer');
  return { name, op, value: phrases.scanOuter(s, value) };
};
const formatWeightEdit = ({ name, where, op, value }: EditOf<'weight'>): string =>
  `${phrases.formatWeight(name)}${formatWhere(where)} ${op} ${typeof value === 'number' ? value : phrases.formatOuter(value)}`;

const scanReplacement = (s: Scanner): Omit<EditOf<'replace weight'>, 'edit'> => {
  const name = phrases.scanWeight(s);
  s.expect('from');
  return { name, from: { file: phrases.scanFile(s), name: s.string('the name of a tensor, in quotes') } };
};

const number = (s: Scanner): number => s.number();

/** All forms of edits, one row each. */
export const forms: { readonly [K in EditKind]: Form<K> } = {
  set: {
    usage: 'SITE[selector] = NUMBER | zero | mean | mean of FILE.jsonl | from prompt "..." | from recording FILE',
    scan: (s) => ({ ...phrases.scanTarget(s), to: s.after('=', phrases.scanSetValue), ...phrases.scanSteps(s) }),
    format: (e) => `${phrases.formatTarget(e)} = ${phrases.formatSetValue(e.to)}${phrases.formatSteps(e.steps)}`,
  },
  scale: {
    usage: 'SITE[selector] by NUMBER',
    scan: (s) => ({ ...phrases.scanTarget(s), by: s.after('by', number), ...phrases.scanSteps(s) }),
    format: (e) => `${phrases.formatTarget(e)} by ${e.by}${phrases.formatSteps(e.steps)}`,
  },
  add: {
    usage: 'NUMBER * direction("A" - "B") at SITE[selector], or NUMBER * vector(FILE, "NAME") at SITE[selector]',
    scan: scanAdd,
    format: formatAdd,
  },
  weight: {
    usage: 'NAME[selector] = NUMBER, also *= and +=, or NAME += NUMBER * outer(vector(...), vector(...))',
    scan: scanWeightEdit,
    format: formatWeightEdit,
  },
  'replace weight': {
    usage: 'NAME from FILE.safetensors "NAME"',
    scan: scanReplacement,
    format: (e) =>
      `${phrases.formatWeight(e.name)} from ${phrases.formatFile(e.from.file)} ${JSON.stringify(e.from.name)}`,
  },
  'skip layer': layer,
  'repeat layer': layer,
  'swap layers': {
    usage: 'LAYER LAYER, such as 3 5',
    scan: scanSwap,
    format: (e) => e.layers.map((l) => formatLayer(e.stack, l)).join(' '),
  },
  'drop head': { usage: 'LAYER.HEAD, such as 3.2 or decoder.cross.3.2', scan: scanHead, format: formatHead },
  'replace activation': {
    usage: 'with NAME',
    scan: (s) => ({ with: s.after('with', (t) => scanWord(t, 'the name of an activation')) }),
    format: (e) => `with ${e.with}`,
  },
  config: {
    usage: 'FIELD = VALUE, a value of JSON or a word',
    scan: (s) => ({
      field: s.expectMatch(/[A-Za-z_][\w.]*/y, 'the name of a field')[0],
      value: s.after('=', scanJsonOrWord),
    }),
    format: (e) => `${e.field} = ${JSON.stringify(e.value)}`,
  },
  'scale grad': {
    usage: '(SITE)[selector] by NUMBER',
    scan: (s) => ({ ...phrases.scanGradTarget(s), by: s.after('by', number) }),
    format: (e) => `${phrases.formatGradTarget(e)} by ${e.by}`,
  },
  'set grad': {
    usage: '(SITE)[selector] = zero',
    scan: (s) => ({ ...phrases.scanGradTarget(s), to: s.after('=', phrases.scanGradValue) }),
    format: (e) => `${phrases.formatGradTarget(e)} = ${e.to}`,
  },
  prompt: {
    usage: '"..."',
    scan: (s) => ({ text: s.string('a prompt in quotes') }),
    format: (e) => JSON.stringify(e.text),
  },
  'force token': {
    usage: '" Paris" at step 2',
    scan: (s) => ({ token: phrases.scanTokenRef(s), step: s.after('at step', (t) => t.count("a step's number")) }),
    format: (e) => `${phrases.formatTokenRef(e.token)} at step ${e.step}`,
  },
  temperature: sampling('NUMBER'),
  'top-k': sampling('INTEGER'),
  'top-p': sampling('NUMBER'),
  'min-p': sampling('NUMBER'),
  'repetition-penalty': sampling('NUMBER'),
  seed: sampling('INTEGER'),
};
