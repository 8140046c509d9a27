import { nearest } from '../base/index.js';
import {
  integer,
  integerFrom,
  isRecord,
  json,
  listOf,
  matching,
  number,
  object,
  oneOf,
  optional,
  pairOf,
  record,
  refusal,
  text,
  type Check,
  type Fields,
} from './checks.js';
import type {
  Direction,
  Edit,
  EditKind,
  EditOf,
  FileTensor,
  OuterProduct,
  SamplingEdit,
  SamplingKind,
  SetValue,
  Steps,
  Token,
} from './edits.js';
import type { Index, IndexRange, TokenIndex, Where } from './selectors.js';
import { toSiteName, type SiteName } from './sites.js';

const count = integerFrom(0);
const stack = oneOf('encoder', 'decoder');

const site: Check<SiteName> = (v, place) => {
  const name = typeof v === 'string' ? toSiteName(v) : undefined;
  if (name === undefined) throw refusal(place, "a site's name such as blocks.3.attn.z");
  return name;
};

const indexRange = object<IndexRange>({ from: integer, to: integer });
const occurrence: Check<number | 'last'> = (v, place) => (v === 'last' ? v : integerFrom(1)(v, place));
const tokenIndex = object<TokenIndex>({ token: text, occurrence: optional(occurrence) });

const index: Check<Index> = (v, place) => {
  if (typeof v === 'number') return integer(v, place);
  if (isRecord(v)) return 'token' in v ? tokenIndex(v, place) : indexRange(v, place);
  if (!Array.isArray(v) || v.length === 0)
    throw refusal(place, 'an integer, {from, to}, a list of integers or {token, occurrence}');
  return listOf(integer)(v, place);
};

/** Nothing chosen is the same as no selector. */
const where: Check<Where | undefined> = (v, place) => {
  if (v === undefined) return undefined;
  const entries = Object.entries(record(v, place));
  const strange = entries.find(([axis]) => !/^[A-Za-z]\w*$/.test(axis));
  if (strange) throw refusal(`${place}.${strange[0].slice(0, 60)}`, "an axis's name");
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([axis, i]) => [axis, index(i, `${place}.${axis}`)]));
};

const steps: Check<Steps | undefined> = optional((v, place) => {
  const read = object<Steps>({ from: count, to: optional(count) })(v, place);
  if (read.to !== undefined && read.to < read.from) throw refusal(`${place}.to`, `a step from ${read.from} on`);
  return read;
});

const token: Check<Token> = (v, place) => (typeof v === 'string' ? v : count(v, place));
const fileTensor = object<FileTensor>({ file: text, name: text });
const direction = object<Direction>({ plus: token, minus: token, in: optional(oneOf('embed')) });
const vector: Check<Direction | FileTensor> = (v, place) =>
  isRecord(v) && 'file' in v ? fileTensor(v, place) : direction(v, place);
const outer = object<OuterProduct>({ by: number, out: fileTensor, in: fileTensor });

const setValue: Check<SetValue> = (v, place) => {
  if (typeof v === 'number') return number(v, place);
  if (typeof v === 'string') return oneOf('zero', 'mean')(v, place);
  if (!isRecord(v)) throw refusal(place, 'a number, "zero", "mean", {mean}, {prompt} or {recording}');
  if ('mean' in v) return object<{ mean: string }>({ mean: text })(v, place);
  if ('prompt' in v) return object<{ prompt: string }>({ prompt: text })(v, place);
  return object<{ recording: string }>({ recording: text })(v, place);
};
const gradValue: Check<number | 'zero'> = (v, place) => (v === 'zero' ? v : number(v, place));

const weightFields: Fields<EditOf<'weight'>> = {
  edit: oneOf('weight'),
  name: text,
  where,
  op: oneOf('=', '*=', '+='),
  value: (v, place) => (isRecord(v) ? outer(v, place) : number(v, place)),
};
const weight: Check<EditOf<'weight'>> = (v, place) => {
  const edit = object(weightFields)(v, place);
  const whole = edit.op === '+=' && edit.where === undefined;
  if (typeof edit.value === 'object' && !whole)
    throw refusal(`${place}.value`, 'a number: an outer product is only added, to a whole weight');
  return edit;
};

const sampling = <K extends SamplingKind>(kind: K, value: Check<number>): Check<SamplingEdit<K>> =>
  object<SamplingEdit<K>>({ edit: oneOf(kind), value });

/** The fields of each kind of edit, one row each. */
const checks: { readonly [K in EditKind]: Check<EditOf<K>> } = {
  set: object<EditOf<'set'>>({ edit: oneOf('set'), site, where, to: setValue, steps }),
  scale: object<EditOf<'scale'>>({ edit: oneOf('scale'), site, where, by: number, steps }),
  add: object<EditOf<'add'>>({ edit: oneOf('add'), site, where, by: number, vector, steps }),
  weight,
  'replace weight': object<EditOf<'replace weight'>>({ edit: oneOf('replace weight'), name: text, from: fileTensor }),
  'skip layer': object<EditOf<'skip layer'>>({ edit: oneOf('skip layer'), stack: optional(stack), layer: count }),
  'repeat layer': object<EditOf<'repeat layer'>>({ edit: oneOf('repeat layer'), stack: optional(stack), layer: count }),
  'swap layers': object<EditOf<'swap layers'>>({
    edit: oneOf('swap layers'),
    stack: optional(stack),
    layers: pairOf(count),
  }),
  'drop head': (v, place) => {
    const fields = { edit: oneOf('drop head'), stack: optional(stack), attention: optional(oneOf('cross')) };
    const edit = object<EditOf<'drop head'>>({ ...fields, layer: count, head: count })(v, place);
    if (edit.attention && edit.stack !== 'decoder')
      throw refusal(`${place}.attention`, 'there without "stack": "decoder"');
    return edit;
  },
  'replace activation': object<EditOf<'replace activation'>>({
    edit: oneOf('replace activation'),
    with: matching(/^[A-Za-z_][\w./-]*$/, 'the name of an activation'),
  }),
  config: object<EditOf<'config'>>({
    edit: oneOf('config'),
    field: matching(/^[A-Za-z_][\w.]*$/, 'the name of a field'),
    value: json(),
  }),
  'scale grad': object<EditOf<'scale grad'>>({ edit: oneOf('scale grad'), site, where, by: number }),
  'set grad': object<EditOf<'set grad'>>({ edit: oneOf('set grad'), site, where, to: gradValue }),
  prompt: object<EditOf<'prompt'>>({ edit: oneOf('prompt'), text }),
  'force token': object<EditOf<'force token'>>({ edit: oneOf('force token'), token, step: count }),
  temperature: sampling('temperature', number),
  'top-k': sampling('top-k', count),
  'top-p': sampling('top-p', number),
  'min-p': sampling('min-p', number),
  'repetition-penalty': sampling('repetition-penalty', number),
  seed: sampling('seed', count),
};

/**
 * One edit from untrusted data.
 * @param place how it is called in errors: `edits[3]`
 * @throws UsageError EDIT_INVALID with the place
 */
export const toEdit = (data: unknown, place = 'edit'): Edit => {
  const { edit } = record(data, place);
  const kinds = Object.keys(checks);
  if (typeof edit === 'string' && Object.hasOwn(checks, edit)) return checks[edit as EditKind](data, place);
  const near = typeof edit === 'string' ? nearest(edit, kinds) : kinds;
  throw refusal(
    `${place}.edit`,
    `a kind of edit such as ${near
      .slice(0, 3)
      .map((k) => `"${k}"`)
      .join(', ')}`,
  );
};
