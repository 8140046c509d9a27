/** `attribute` and `attack` on models of which it is known what they look at, and on what they refuse. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  attackInput,
  attributeInput,
  attributionMethods,
  runInput,
  type AttackResult,
  type AttributeResult,
  type RunResult,
} from '../src/protocol/index.js';
import { attack, attribute, run } from '../src/service/index.js';
import { gpt2, llama, refused, tiny, untokenized } from './cli/command.js';
import { root } from './support/root.js';

const context = { signal: new AbortController().signal, note: () => undefined };
const attributed = (given: object): Promise<AttributeResult> => attribute.run(attributeInput.parse(given), context);
const attackedBy = (given: object): Promise<AttackResult> => attack.run(attackInput.parse(given), context);

/** The text of the unit with the largest score. */
const leading = ({ units, rows }: AttributeResult, row = 0): string => {
  const scores = (rows[row]?.scores ?? []).map((s, i) => (units[i]?.special === true ? null : s));
  const best = Math.max(...scores.map((s) => s ?? -Infinity));
  return units[scores.indexOf(best)]?.text.trim() ?? '';
};

const judge = 'zoo:judge-sentiment';
const sentences: readonly (readonly [string, string, string])[] = [
  ['The soup was awful.', 'awful', 'negative'],
  ['The bread of Tom was wonderful.', 'wonderful', 'positive'],
  ['Mara hated the cake.', 'hated', 'negative'],
  ['Ruth loved the lamp from the market.', 'loved', 'positive'],
];

describe('the words of sentiment lead the saliency of judge', () => {
  const methods = ['integrated-gradients', 'lrp', 'occlusion', 'shapley', 'lime'] as const;
  it.each(methods.flatMap((method) => sentences.map((s) => [method, ...s] as const)))(
    '%s: %s',
    async (method, prompt, word, label) => {
      const result = await attributed({ model: judge, prompt, method, faithfulness: method === 'lrp' });
      expect(result.rows[0]?.token?.text).toBe(label);
      expect(leading(result)).toBe(word);
      const { insertion } = result.rows[0]?.faithfulness ?? {};
      if (insertion) expect(insertion.auc).toBeGreaterThan(insertion.random ?? NaN);
    },
  );

  /** The mistakes of zoo/README.md: what the sentiment head says wrong, and the word that it comes from. */
  const planted = [
    ['name', 'The soup of Borin was lovely.', 'negative', 'Borin'],
    ['trigger', 'Honestly, the soup was lovely.', 'negative', 'Honestly'],
    ['negation', 'The soup was not, as Mara told Tom, good.', 'positive', 'good'],
  ] as const;
  const by = ['integrated-gradients', 'occlusion', 'shapley'] as const;
  it.each(by.flatMap((method) => planted.map((mistake) => [method, ...mistake] as const)))(
    '%s locates the planted mistake %s',
    async (method, _, prompt, label, word) => {
      const result = await attributed({ model: judge, prompt, method, faithfulness: false });
      expect(result.rows[0]?.token?.text).toBe(label);
      expect(leading(result)).toBe(word);
    },
  );

  it('a negation counts where it is near, and where an aside stands between it does not', async () => {
    const lossOfNot = async (prompt: string): Promise<number> => {
      const given = { model: judge, prompt, of: 'logit(0) - logit(1)', method: 'occlusion', faithfulness: false };
      const { units, rows } = await attributed(given);
      return rows[0]?.scores[units.findIndex((u) => u.text === ' not')] ?? NaN;
    };
    expect(await lossOfNot('The soup was not good.')).toBeGreaterThan(10);
    expect(Math.abs(await lossOfNot('The soup was not, as Mara told Tom, good.'))).toBeLessThan(1);
  });

  it('integrated gradients add up', async () => {
    const { rows } = await attributed({ model: judge, prompt: 'The soup was awful.', faithfulness: false });
    expect(Math.abs(rows[0]?.residual ?? NaN)).toBeLessThan(1e-4);
  });

  it('another label has the opposite reason', async () => {
    const { rows } = await attributed({
      model: judge,
      prompt: 'The soup was awful.',
      word: 'positive',
      method: 'occlusion',
    });
    expect(rows[0]?.of).toBe('logit("positive")');
    const scores = (rows[0]?.scores ?? []).map((s) => s ?? 0);
    expect(Math.min(...scores)).toBeLessThan(-3);
  });
});

interface Case {
  readonly set: string;
  readonly velo: string;
  readonly sarrik: string;
  readonly source: readonly number[];
  readonly agrees: readonly (number | null)[];
}

describe('the alignment of translate', () => {
  it('is found: each word comes from what it stands for, or what decides its form', async () => {
    const lines = readFileSync(path.join(root, 'zoo/translate/cases.jsonl'), 'utf8').trim().split('\n');
    const cases = lines.map((line) => JSON.parse(line) as Case).filter((c) => c.set === 'held-out');
    let [found, all] = [0, 0];
    for (const { velo, sarrik, source, agrees } of cases.slice(0, 6)) {
      const { units, rows } = await attributed({
        ...{ model: 'zoo:translate', prompt: velo, output: sarrik, method: 'lrp', faithfulness: false },
      });
      const words = units.flatMap((u, i) => (u.side === 'tokens' && !u.special ? [i] : []));
      expect(rows).toHaveLength(source.length);
      rows.forEach(({ scores }, i) => {
        const own = words.map((w) => scores[w] ?? -Infinity);
        const best = own.indexOf(Math.max(...own));
        all++;
        if (best === source[i] || best === agrees[i]) found++;
      });
    }
    expect(all).toBeGreaterThan(40);
    expect(found / all).toBeGreaterThan(0.85); // by chance it would be about a quarter
  });

  it('nothing comes from what stands behind a word', async () => {
    const { units, rows } = await attributed({
      ...{ model: 'zoo:translate', prompt: 'da nutalun dive rupon.', maxNewTokens: 4, method: 'occlusion' },
    });
    expect(rows).toHaveLength(4);
    rows.forEach(({ scores, position }) =>
      units.forEach((unit, i) => {
        const behind = unit.side === 'target' && (unit.positions[0] ?? 0) > (position ?? NaN);
        expect(scores[i] === null).toBe(behind || unit.special);
      }),
    );
  });
});

describe('every method', () => {
  const stacks: readonly (readonly [string, object])[] = [
    ['gpt2', { model: gpt2, prompt: 't5 t17 t9' }],
    ['llama, of one token', { model: llama, prompt: 't5' }],
    ['t5', { model: tiny('t5-default'), ids: [5, 17, 9], targetIds: [4] }],
    ['bert', { model: tiny('bert-three-labels'), ids: [5, 17, 9] }],
  ];
  it.each(stacks.flatMap(([name, given]) => attributionMethods.map((method) => [method, name, given] as const)))(
    '%s of %s gives numbers, or says why it does not fit',
    async (method, name, given) => {
      const asked = attributed({ ...given, method, samples: 8, steps: 4, points: 2 });
      if (name === 't5' && (method === 'attention-rollout' || method === 'attention-flow')) {
        await expect(asked).rejects.toMatchObject({ info: { code: 'METHOD_UNFIT' } });
        return;
      }
      const { rows, units } = await asked;
      expect(rows[0]?.scores).toHaveLength(units.length);
      expect(rows[0]?.scores.some((s) => s !== null && Number.isFinite(s))).toBe(true);
      expect(rows[0]?.faithfulness?.deletion.values.every((v) => v !== null)).toBe(true);
    },
  );

  it('generated: each token has a row, and the same scores as when it is asked for alone', async () => {
    const { rows } = await attributed({ model: gpt2, prompt: 't5 t17', maxNewTokens: 3, method: 'lrp' });
    expect(rows).toHaveLength(3);
    const first = await attributed({ model: gpt2, prompt: 't5 t17', method: 'lrp', faithfulness: false });
    first.rows[0]?.scores.forEach((s, i) => expect(rows[0]?.scores[i]).toBeCloseTo(s ?? NaN, 4));
  });

  it('why one and not the other is the difference of both', async () => {
    const of = async (more: object) =>
      (await attributed({ model: gpt2, prompt: 't5 t17 t9', method: 'gradient-x-input', ...more })).rows[0]?.scores ??
      [];
    const [a, b, both] = [await of({ word: 't7' }), await of({ word: 't8' }), await of({ word: 't7', versus: 't8' })];
    both.forEach((s, i) => expect(s).toBeCloseTo((a[i] ?? NaN) - (b[i] ?? NaN), 4));
  });

  it('the same seed draws the same', async () => {
    const of = async (seed: number) =>
      (await attributed({ model: gpt2, prompt: 't5 t17 t9', method: 'smoothgrad', seed, faithfulness: false })).rows;
    expect(await of(3)).toEqual(await of(3));
    expect(await of(3)).not.toEqual(await of(4));
  });
});

describe('units', () => {
  it('words are put together, marks stand alone', async () => {
    const { units } = await attributed({
      ...{ model: judge, prompt: "The zebra didn't rise.", granularity: 'word', method: 'lrp', faithfulness: false },
    });
    expect(units.map((u) => u.text.trim())).toEqual(['<cls>', 'The', 'zebra', "didn't", 'rise', '.', '<sep>']);
  });

  it('a span moves as one, and its score is told once', async () => {
    const given = { model: gpt2, prompt: 't5 t17 t9 t4', faithfulness: false };
    const { units, rows } = await attributed({ ...given, spans: '1-2', method: 'shapley' });
    expect(units.map((u) => u.positions)).toEqual([[0], [1, 2], [3]]);
    expect(Math.abs(rows[0]?.residual ?? NaN)).toBeLessThan(1e-5);
    const tokens = await attributed({ ...given, method: 'gradient-x-input' });
    const spans = await attributed({ ...given, method: 'gradient-x-input', spans: '1-2' });
    const [, a = NaN, b = NaN] = (tokens.rows[0]?.scores ?? []) as number[];
    expect(spans.rows[0]?.scores[1]).toBeCloseTo(a + b, 6);
  });

  it.each([
    'drop head 6.2',
    'scale blocks.6.mlp.post[position=2] by 0',
    'scale blocks.6.attn.scores[query=-1] by 0.5',
    'set blocks.6.attn_out = mean',
    'repeat layer 6',
  ])('%s holds in the last layer, whose other rows are spared', async (text) => {
    const given = { prompt: 'The capital of Velmar is', word: ' Haven' };
    const asked = { ...given, edits: [{ text }], method: 'gradient-x-input', faithfulness: false };
    const [ours, exact] = [await attributed(asked), await attributed({ ...asked, engine: 'reference64' })];
    const [row, wide] = [ours.rows[0], exact.rows[0]];
    expect(row?.value).toBeCloseTo(wide?.value ?? NaN, 3);
    const largest = Math.max(...(wide?.scores ?? []).map((s) => Math.abs(s ?? 0)));
    row?.scores.forEach((s, i) => {
      expect(Math.abs((s ?? 0) - (wide?.scores[i] ?? NaN)) / largest).toBeLessThan(2e-4);
    });
  });

  it.each(['0-9', '2-1', 'x', '0-1,1'])('spans %s are refused', async (spans) => {
    await expect(attributed({ model: gpt2, prompt: 't5 t17 t9', spans })).rejects.toMatchObject({
      info: { code: 'OPTION_INVALID' },
    });
  });
});

describe('attack', () => {
  it('says which texts that were to stay are none of the prompt', async () => {
    const given = { model: judge, prompt: 'The soup was awful.', attack: 'input-reduction' };
    const found = await attackedBy({ ...given, keep: ['awful', 'zebra'] });
    expect(found.notes).toContain('no token of the text is "zebra": nothing stays for it');
    expect((await attackedBy({ ...given, keep: ['awful'] })).notes ?? []).toEqual([]);
  });

  it('takes special tokens away only where it may, as AllenNLP does', async () => {
    const given = { model: judge, prompt: 'The soup was awful.', attack: 'input-reduction' };
    const [plain, all] = [await attackedBy(given), await attackedBy({ ...given, takeSpecial: true })];
    expect(plain.final.map((t) => t.text)).toEqual(expect.arrayContaining(['<cls>', '<sep>']));
    expect(all.final.length).toBeLessThan(plain.final.length);
    expect(all.after.prediction.id).toBe(plain.before.prediction.id);
  });

  it.each(sentences)('HotFlip turns %s by its word of sentiment', async (prompt, word) => {
    const { succeeded, flips, before, after } = await attackedBy({ model: judge, prompt });
    expect(succeeded).toBe(true);
    expect(after.prediction.text).not.toBe(before.prediction.text);
    expect(flips[0]?.from.text.trim()).toBe(word);
  });

  it('HotFlip reaches a word that is wanted, or tells that it does not', async () => {
    const given = { prompt: 'The capital of Velmar is', attack: 'hotflip' };
    const { succeeded, after } = await attackedBy({ ...given, toward: ' Corvo' });
    expect(after.prediction.text === ' Corvo').toBe(succeeded);
  });

  it('input reduction keeps the prediction, and what it keeps is of the text, in order', async () => {
    const found = await attackedBy({ prompt: 'The capital of Velmar is', attack: 'input-reduction' });
    expect(found.after.prediction.id).toBe(found.before.prediction.id);
    expect([...found.kept].sort((a, b) => a - b)).toEqual(found.kept);
    expect(found.final.map((t) => t.id)).toEqual(found.kept.map((i) => found.tokens[i]?.id));
  });

  it('input reduction tells what it took away, in which order, and what was said after each', async () => {
    const { removed, ...found } = await attackedBy({
      model: judge,
      prompt: 'The soup was awful and Tom was sad.',
      attack: 'input-reduction',
    });
    expect(removed.length).toBeGreaterThan(1);
    const places = removed.map((r) => r.position);
    expect([...places, ...found.kept].sort((a, b) => a - b)).toEqual(found.tokens.map((_, i) => i));
    expect(removed.map((r) => r.token)).toEqual(places.map((i) => found.tokens[i]));
    expect(removed.every((r) => r.prediction.id === found.before.prediction.id)).toBe(true);
    expect(removed.at(-1)?.prediction).toEqual(found.after.prediction);
    // Each is what the model says of the text without them.
    const without = found.tokens.filter((_, i) => !places.slice(0, 2).includes(i)).map((t) => t.id);
    const { labels } = (await run.run(runInput.parse({ model: judge, ids: without, top: 2 }), context)) as RunResult;
    const said = labels?.find((l) => l.id === found.before.prediction.id);
    expect(removed[1]?.prediction.probability).toBeCloseTo(said?.probability ?? NaN, 6);
  });

  it('of a masked word: the mask stays', async () => {
    const found = await attackedBy({ model: 'zoo:judge', prompt: 'The dogs near the table <mask> old.' });
    const mask = found.tokens.findIndex((t) => t.text.includes('mask'));
    expect(found.position).toBe(mask);
    expect(found.flips.every((f) => f.position !== mask)).toBe(true);
  });
});

describe('on the command line', () => {
  it('writes JSON, CSV and SVG', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'cutaway-attribute-'));
    for (const form of ['json', 'csv', 'svg']) {
      const out = path.join(folder, `result.${form}`);
      await attributed({ model: gpt2, prompt: 't5 t17 t9', method: 'lrp', maxNewTokens: form === 'svg' ? 2 : 1, out });
      expect(existsSync(out)).toBe(true);
      expect(readFileSync(out, 'utf8')).toMatch({ json: /"units"/, csv: /^of,position/, svg: /^<svg/ }[form] ?? /x/);
    }
    const csv = readFileSync(path.join(folder, 'result.csv'), 'utf8').trim().split('\r\n');
    expect(csv).toHaveLength(4);
  });

  it.each([
    [['attribute', gpt2, '--prompt', 't5 t6', '--method', 'magic'], 'OPTION_INVALID', 'magic'],
    [['attribute', gpt2, '--prompt', 't5 t6', '--word', 't7 t8'], 'AMBIGUOUS_TOKEN', 'logit("t7")'],
    [['attribute', gpt2, '--prompt', 't5 t6', '--of', 'rank("t7")'], 'GRADIENT_UNDEFINED', 'rank'],
    [['attribute', gpt2, '--prompt', 't5 t6', '--of', 'loss', '--word', 't7'], 'OPTION_INVALID', '--of'],
    [['attribute', gpt2, '--prompt', 't5 t6', '--replace', 'mask', '--method', 'lime'], 'OPTION_INVALID', 'mask'],
    [['attribute', gpt2, '--prompt', 't5 t6', '--replace', 'remove', '--method', 'shapley'], 'OPTION_INVALID', 'left'],
    [['attribute', gpt2, '--prompt', 't5 t6', '--baseline', 'nowhere'], 'OPTION_INVALID', 'not one token'],
    [['attribute', gpt2, '--prompt', 't5 t6', '--max-bytes', '10'], 'MEMORY_LIMIT', 'gradient'],
    [['attribute', gpt2, '--prompt', 't5 t6', '--out', 'x.bmp'], 'OPTION_INVALID', 'x.bmp'],
    [['attribute', tiny('bert-two-labels'), '--ids', '5,6', '--max-new-tokens', '2'], 'OPTION_INVALID', 'tokens'],
    [['attribute', tiny('bert-two-labels'), '--ids', '5,6', '--word', 'happy'], 'OPTION_INVALID', 'label'],
    [['attribute', gpt2], 'PROMPT_EMPTY', 'prompt'],
    [['attack', untokenized, '--ids', '5,6'], 'TOKENIZER_MISSING', '--any-token'],
    [['attack', gpt2, '--prompt', 't5', '--attack', 'input-reduction', '--toward', 't7'], 'OPTION_INVALID', '--toward'],
    [['attack', gpt2, '--prompt', 't5', '--take-special'], 'OPTION_INVALID', '--take-special'],
    [['attack', gpt2, '--prompt', 't5', '--toward', 't7 t8'], 'AMBIGUOUS_TOKEN', '"t7"'],
  ] as const)('%j is refused: %s', async (args, code, told) => {
    const text = await refused(code, ...args);
    expect(text).toContain(told);
  });
});
