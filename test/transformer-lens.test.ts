/** Parts, kinds of heads and composition beside TransformerLens, on tiny models (`test/golden/components`). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { componentsInput, compositionInput, headInput, headsInput } from '../src/protocol/index.js';
import { components, composition, head, heads } from '../src/service/index.js';
import { tiny } from './cli/command.js';
import { goldenFolder } from './support/golden.js';

interface Golden {
  readonly ids: number[];
  readonly repeated: number[];
  readonly word: number;
  readonly against: number;
  readonly models: Readonly<
    Record<
      string,
      {
        readonly parts: {
          readonly heads: Readonly<Record<string, number>>;
          readonly single: Readonly<Record<string, number>>;
          readonly parts: Readonly<Record<string, number>>;
          readonly accumulated: Readonly<Record<string, number>>;
          readonly neurons: readonly number[];
        };
        readonly kinds: Readonly<Record<string, readonly (readonly number[])[]>>;
        readonly copying: readonly (readonly number[])[];
        readonly pairs: Readonly<Record<'writes' | 'looks', readonly (readonly number[])[]>>;
        readonly composition: Readonly<Record<string, readonly (readonly (readonly (readonly number[])[])[])[]>>;
      }
    >
  >;
}

const golden = JSON.parse(readFileSync(path.join(goldenFolder, '..', 'components', 'golden.json'), 'utf8')) as Golden;
const context = { signal: new AbortController().signal, note: () => undefined };
/** Both compute in float32, in other orders. */
const near = (given: number | undefined, expected: number, scale = 1): void => {
  expect(Math.abs((given ?? NaN) - expected)).toBeLessThan(1e-4 * Math.max(1, scale));
};
const largest = (values: Readonly<Record<string, number>>): number => Math.max(...Object.values(values).map(Math.abs));

/** `L1H2` -> `1.2`. */
const headName = (label: string): string => label.replace(/^L(\d+)H(\d+)$/, '$1.$2');

describe.each(Object.entries(golden.models))("%s has TransformerLens's", (variant, expected) => {
  const about = { model: tiny(variant), ids: golden.ids, word: golden.word };

  it('direct contributions of heads, to a difference and to one word', async () => {
    const pair = await components.run(componentsInput.parse({ ...about, against: golden.against }), context);
    const single = await components.run(componentsInput.parse(about), context);
    for (const [result, values] of [
      [pair, expected.parts.heads],
      [single, expected.parts.single],
    ] as const)
      for (const [label, value] of Object.entries(values))
        near(result.parts.find((p) => p.name === headName(label))?.value, value, largest(values));
  });

  it('direct contributions of MLPs and embeddings, neurons, and accumulated stream', async () => {
    const result = await components.run(
      componentsInput.parse({ ...about, against: golden.against, neurons: 10_000 }),
      context,
    );
    const { parts, accumulated, neurons } = expected.parts;
    const named: Record<string, string> = { embed: 'embed', pos_embed: 'pos_embed' };
    for (const [label, value] of Object.entries(parts)) {
      const name = named[label] ?? `blocks.${/^(\d+)_mlp_out$/.exec(label)?.[1] ?? ''}.mlp_out`;
      near(result.parts.find((p) => p.name === name)?.value, value, largest(parts));
    }
    const own = [...(result.neurons ?? [])].sort((a, b) => Number(a.layer) - Number(b.layer) || a.neuron - b.neuron);
    expect(own).toHaveLength(neurons.length);
    neurons.forEach((value, i) => near(own[i]?.value, value));
    const constant = result.parts
      .filter((p) => p.part === 'bias' && p.layer === undefined)
      .reduce((s, p) => s + p.value, 0);
    const last = Object.entries(accumulated).at(-1)?.[1] ?? NaN;
    near((result.accumulated.at(-1)?.value ?? NaN) - constant, last, largest(accumulated));
    near((result.accumulated[0]?.value ?? NaN) - constant, accumulated['0_pre'] ?? NaN, largest(accumulated));
  });

  it('shares of attention by kind', async () => {
    const result = await heads.run(
      headsInput.parse({ model: tiny(variant), ids: golden.repeated, copying: false }),
      context,
    );
    const { length } = golden.repeated;
    // TransformerLens divides by all queries, we by those that have such a key.
    const queries = { previous: length - 1, duplicate: length / 2, induction: length / 2 };
    const names = { previous: 'previous_token_head', duplicate: 'duplicate_token_head', induction: 'induction_head' };
    for (const kind of ['previous', 'duplicate', 'induction'] as const)
      expected.kinds[names[kind]]?.forEach((row, layer) =>
        row.forEach((score, head) => {
          const own = result.heads.find((h) => h.name === `${layer}.${head}`)?.[kind];
          near(own ?? undefined, (score * length) / queries[kind]);
        }),
      );
  });

  it('copying scores', async () => {
    const result = await heads.run(headsInput.parse({ model: tiny(variant), length: 8 }), context);
    expected.copying.forEach((row, layer) =>
      row.forEach((score, head) =>
        near(result.heads.find((h) => h.name === `${layer}.${head}`)?.copying ?? undefined, score),
      ),
    );
  });

  it('strongest pairs of words', async () => {
    const result = await head.run(headInput.parse({ model: tiny(variant), head: '1.1', top: 5 }), context);
    for (const kind of ['writes', 'looks'] as const)
      expected.pairs[kind].forEach(([from, to, value = NaN], i) => {
        const own = result[kind]?.[i];
        expect([own?.from.id, own?.to.id]).toEqual([from, to]);
        near(own?.value, value, Math.abs(value));
      });
    near(result.copying ?? undefined, expected.copying[1]?.[1] ?? NaN);
  });

  it('composition scores', async () => {
    const result = await composition.run(compositionInput.parse({ model: tiny(variant), top: 100_000 }), context);
    expect(result.pairs.length).toBeGreaterThan(0);
    for (const { kind, from, to, score } of result.pairs) {
      const [[a = 0, b = 0] = [], [c = 0, d = 0] = []] = [from, to].map((name) => name.split('.').map(Number));
      near(score, expected.composition[kind]?.[a]?.[b]?.[c]?.[d] ?? NaN);
    }
  });
});
