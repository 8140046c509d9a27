import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../base/index.js';
import {
  formatEdit,
  formatEdits,
  formatExperiment,
  makeExperiment,
  parseEdit,
  parseEdits,
  parseExperiment,
  toEdit,
  toExperiment,
} from './index.js';
import type { Edit, Where } from './index.js';
import type { Arbitrary } from 'fast-check';

const anyText = fc.string({ unit: 'binary', maxLength: 12 });
const integer = fc.integer({ min: -50, max: 5000 });
const count = fc.nat({ max: 5000 });
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x));
const word = fc.stringMatching(/^[a-z_]\w{0,6}$/);
const site = fc
  .tuple(fc.constantFrom('', 'encoder.', 'decoder.'), fc.nat({ max: 99 }), fc.constantFrom('', '#2', '#13'), word)
  .map(([stack, layer, instance, local]) => `${stack}blocks.${layer}${instance}.${local}`);
const index = fc.oneof(
  integer,
  fc.record({ from: integer, to: integer }),
  fc.array(integer, { minLength: 1, maxLength: 4 }),
  fc.record(
    { token: anyText, occurrence: fc.oneof(fc.integer({ min: 1, max: 1e9 }), fc.constant('last' as const)) },
    { requiredKeys: ['token'] },
  ),
) as Arbitrary<Where[string]>;
const where = fc.dictionary(fc.stringMatching(/^[A-Za-z]\w{0,6}$/), index, { minKeys: 1, maxKeys: 3 });
const steps = fc.record({ from: count, to: fc.integer({ min: 5000, max: 9000 }) }, { requiredKeys: ['from'] });
const token = fc.oneof(anyText, count);
const vector = fc.record({ file: anyText, name: anyText });
const direction = fc.record(
  { plus: token, minus: token, in: fc.constant('embed' as const) },
  { requiredKeys: ['plus', 'minus'] },
);
const setValue = fc.oneof(
  number,
  fc.constantFrom('zero', 'mean'),
  fc.record({ mean: anyText }),
  fc.record({ prompt: anyText }),
  fc.record({ recording: anyText }),
);
const stack = fc.constantFrom('encoder', 'decoder');
const json = fc.jsonValue({ maxDepth: 4 }).map((v) => JSON.parse(JSON.stringify(v)) as unknown);

/** An edit with any of the fields that may be left out. */
const edit = (
  kind: string,
  required: Record<string, Arbitrary<unknown>>,
  free: Record<string, Arbitrary<unknown>> = {},
) =>
  fc.record(
    { edit: fc.constant(kind), ...required, ...free },
    { requiredKeys: ['edit', ...Object.keys(required)] as never[] },
  );

const someEdit = fc.oneof(
  edit('set', { site, to: setValue }, { where, steps }),
  edit('scale', { site, by: number }, { where, steps }),
  edit('add', { site, by: number, vector: fc.oneof(direction, vector) }, { where, steps }),
  edit('weight', { name: anyText, op: fc.constantFrom('=', '*=', '+='), value: number }, { where }),
  edit('weight', { name: anyText, op: fc.constant('+='), value: fc.record({ by: number, out: vector, in: vector }) }),
  edit('replace weight', { name: anyText, from: vector }),
  edit('skip layer', { layer: count }, { stack }),
  edit('repeat layer', { layer: count }, { stack }),
  edit('swap layers', { layers: fc.tuple(count, count) }, { stack }),
  edit('drop head', { layer: count, head: count }, { stack }),
  edit('drop head', { stack: fc.constant('decoder'), attention: fc.constant('cross'), layer: count, head: count }),
  edit('replace activation', { with: word }),
  edit('config', { field: word, value: json }),
  edit('scale grad', { site, by: number }, { where }),
  edit('set grad', { site, to: fc.oneof(number, fc.constant('zero')) }, { where }),
  edit('prompt', { text: anyText }),
  edit('force token', { token, step: count }),
  ...['temperature', 'top-p', 'min-p', 'repetition-penalty'].map((kind) => edit(kind, { value: number })),
  ...['top-k', 'seed'].map((kind) => edit(kind, { value: count })),
) as unknown as Arbitrary<Edit>;

describe('any edit', () => {
  it('comes back from its text', () => {
    fc.assert(
      fc.property(someEdit, (e) => {
        expect(parseEdit(formatEdit(e))).toEqual(e);
      }),
      { numRuns: 1500 },
    );
  });
  it('has a text that comes back from the data', () => {
    fc.assert(
      fc.property(someEdit, (e) => {
        const text = formatEdit(e);
        expect(formatEdit(toEdit(JSON.parse(JSON.stringify(parseEdit(text)))))).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
  it('comes back from its place in an experiment, as text and as data', () => {
    fc.assert(
      fc.property(fc.array(someEdit, { maxLength: 5 }), anyText, (list, name) => {
        expect(parseEdits(formatEdits(list))).toEqual(list);
        const experiment = makeExperiment(list, name);
        expect(parseExperiment(formatExperiment(experiment))).toEqual(experiment);
      }),
    );
  });
});

/** Parses, or throws a UsageError that tells a column. */
const isReadOrRefused = (text: string): void => {
  try {
    parseEdits(text);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { info, message } = error as UsageError;
    expect(info.code).toBe('EDIT_SYNTAX');
    expect(message).toMatch(/^line \d+, column \d+: expected /);
  }
};

const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'set,scale,add,weight,by,at step,from prompt,in steps,layer,grad,vector,outer'.split(',')),
      fc.constantFrom(
        '[',
        ']',
        '(',
        ')',
        '=',
        '*=',
        '+=',
        '*',
        '-',
        '..',
        ',',
        '#',
        '"',
        "'",
        '\\',
        '\n',
        '{',
        '}',
        ':',
      ),
      fc.constantFrom('blocks.3.attn.z', 'head', '3', '-1', '1e-3', '" Paris"', '3.2', 'mean of', 'zero'),
    ),
    { maxLength: 25 },
  )
  .chain((words) => fc.constantFrom(' ', '').map((between) => words.join(between)));

const mutated = fc
  .tuple(someEdit, fc.nat(), fc.nat({ max: 4 }), fc.string({ unit: 'binary', maxLength: 3 }))
  .map(([e, seed, removed, added]) => {
    const text = formatEdit(e);
    const at = seed % (text.length + 1);
    return text.slice(0, at) + added + text.slice(at + removed);
  });

describe('any text', () => {
  it.each([
    ['random', fc.string({ unit: 'binary', maxLength: 200 })],
    ['token soup', soup],
    ['an edit with a place changed', mutated],
  ])('%s: is read or refused with a column', (_, texts) => {
    fc.assert(fc.property(texts, isReadOrRefused), { numRuns: 2000 });
  });

  /** Each is near the limit of length and would take minutes if the time grew as its square. */
  it.each([
    ['a long name', `scale ${'a.'.repeat(499_000)}`],
    ['many digits', `scale x by ${'1'.repeat(990_000)}x`],
    ['many digits and an exponent', `scale x by 1.${'1'.repeat(490_000)}e${'1'.repeat(490_000)}x`],
    ['a long string', `prompt "${'\\n'.repeat(499_000)}`],
    ['a long list', `scale x[head=(${'1 '.repeat(490_000)})] by x`],
    ['deep brackets', `config a = ${'['.repeat(900_000)}`],
    ['many blanks', `scale${' '.repeat(990_000)}`],
    ['many lines', 'seed 7\n'.repeat(140_000)],
    ['a long word', 'x'.repeat(999_000)],
    ['many axes', `scale x[${Array.from({ length: 80_000 }, (_, i) => `a${i}=1`).join(',')}] by y`],
  ])('%s: is answered at once', (_, text) => {
    isReadOrRefused(text);
  });
});

describe('any data', () => {
  it('is an experiment or refused with a place', () => {
    const broken = fc.tuple(someEdit, fc.anything(), fc.nat()).map(([e, junk, seed]) => {
      const keys = Object.keys(e);
      return { ...e, [keys[seed % keys.length] ?? 'edit']: junk };
    });
    const data = fc.oneof(fc.anything(), fc.record({ experiment: fc.constant(1), edits: fc.array(broken) }));
    fc.assert(
      fc.property(data, (value) => {
        try {
          expect(toExperiment(value).experiment).toBe(1);
        } catch (error) {
          expect((error as UsageError).info.code).toBe('EDIT_INVALID');
        }
      }),
      { numRuns: 1000 },
    );
  });
});
