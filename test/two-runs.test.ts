/** What the page asks of two runs: comparisons across prompts and models, differences of values, conversations, what a model reads. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compare,
  compareInput,
  list,
  listInput,
  run,
  runInput,
  startHost,
  tokenize,
  tokenizeInput,
  type Client,
  type CompareResult,
  type HostParams,
} from '../src/index.js';

const context = { signal: new AbortController().signal, note: () => undefined };
const model = 'test/golden/models/llama-grouped';
const comparing = (given: HostParams<'compare'>): Promise<CompareResult> =>
  compare.run(compareInput.parse({ top: 61, ...given }), context);

/** Σ p·log(p/q) of two lists of all tokens. */
const divergence = (p: CompareResult['before']['next'], q: CompareResult['before']['next']): number =>
  p.reduce((sum, a) => {
    const b = q.find((token) => token.id === a.id);
    return sum + a.probability * Math.log(a.probability / (b?.probability ?? NaN));
  }, 0);

let folder = '';
let chat = '';
let host: Client;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutaway-two-'));
  chat = path.join(folder, 'chat');
  cpSync('zoo/models/world', chat, { recursive: true });
  const template =
    '<bos>{% for m in messages %}{{ m.role }} {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant {% endif %}';
  writeFileSync(path.join(chat, 'chat_template.jinja'), template);
  host = await startHost();
});
afterAll(async () => {
  await host.dispose();
  rmSync(folder, { recursive: true });
});

describe('a comparison', () => {
  it('with another prompt tells each as it is alone, and how far they are apart', async () => {
    const one = { model, prompt: 't5 t17 t42', edits: [{ text: 'drop head 1.0' }] };
    const other = { prompt: 't9 t3', edits: [] };
    const both = await comparing({ ...one, versus: [], other: { prompt: other.prompt } });
    const [a, b] = [await comparing(one), await comparing({ model, ...other })];
    expect(both.after.next).toEqual(a.after.next);
    expect(both.before.next).toEqual(b.after.next);
    expect(both.before.tokens.map((t) => t.text)).toEqual(['t9', 't3']);
    expect(both.kl).toHaveLength(1);
    expect(both.kl[0]).toBeCloseTo(divergence(b.after.next, a.after.next), 5);
  });

  it('of two prompts of one length is told at each position', async () => {
    const both = await comparing({ model, prompt: 't5 t17 t42', other: { ids: [5, 18, 42] } });
    expect(both.kl).toHaveLength(3);
    expect(both.kl[0]).toBe(0);
    expect(both.kl[1]).toBeGreaterThan(0);
  });

  it('with another model runs that one', async () => {
    const other = 'test/golden/models/llama-tied';
    const both = await comparing({ model, ids: [5, 17, 42], other: { model: other } });
    const alone = await comparing({ model: other, ids: [5, 17, 42] });
    expect(both.before.next).toEqual(alone.after.next);
    expect(both.otherModel?.fingerprint).toBe(alone.model.fingerprint);
    expect(both.model.fingerprint).not.toBe(alone.model.fingerprint);
  });

  it('of models with other vocabularies is refused, with the reason', async () => {
    const asked = comparing({ model, ids: [5, 17], other: { model: 'zoo:world' } });
    await expect(asked).rejects.toMatchObject({
      message: 'one model scores 871 tokens, the other 61',
      info: { code: 'OPTION_INVALID' },
    });
  });
});

describe('a difference of values', () => {
  const numbers = async (given: HostParams<'view'>): Promise<number[]> => [
    ...new Float32Array((await host.view(given)).data.buffer),
  ];
  const site = 'blocks.1.attn.pattern';

  it('is the one less the other', async () => {
    await host.request('capture', { model, prompt: 't5 t17 t42', sites: site, run: 'a' });
    const edits = [{ text: 'skip layer 0' }];
    await host.request('capture', { model, prompt: 't5 t17 t42', edits, sites: site, run: 'b' });
    const as = { kind: 'slice' } as const;
    const [a, b] = [await numbers({ at: { run: 'a', site }, as }), await numbers({ at: { run: 'b', site }, as })];
    const difference = await numbers({ at: { run: 'b', site }, minus: { run: 'a', site }, as });
    expect(difference).toEqual(b.map((x, i) => Math.fround(x - (a[i] ?? NaN))));
    expect(difference.some((x) => x !== 0)).toBe(true);
    const part = await numbers({ at: { run: 'b', site, where: { head: 2 } }, minus: { run: 'a', site }, as });
    expect(part).toEqual(difference.slice(18, 27));
  });

  it('of other shapes is refused, with both', async () => {
    await host.request('capture', { model, prompt: 't5 t17', sites: site, run: 'short' });
    const asked = host.view({ at: { run: 'short', site }, minus: { run: 'a', site }, as: { kind: 'stats' } });
    await expect(asked).rejects.toThrow('the values have other shapes: batch 1, head 4, query 2, key 2 and batch 1');
  });

  it('of weights is of two models, or of one with edits and without', async () => {
    const name = 'model.layers.1.mlp.up_proj.weight';
    const edits = [{ text: `weight ${name}[out=2] *= 3` }];
    const own = { model, name, as: { kind: 'slice' } } as const;
    const plain = new Float32Array((await host.weight(own)).data.buffer);
    const changed = await host.weight({ ...own, edits, minus: {} });
    const width = changed.shape[1] ?? 0;
    const apart = new Float32Array(changed.data.buffer);
    expect([...apart.subarray(2 * width, 3 * width)]).toEqual(
      [...plain.subarray(2 * width, 3 * width)].map((x) => Math.fround(Math.fround(3 * x) - x)),
    );
    expect(apart.filter((x) => x !== 0).length).toBeLessThanOrEqual(width);
    const tied = 'test/golden/models/llama-tied';
    const theirs = new Float32Array((await host.weight({ ...own, model: tied })).data.buffer);
    const less = new Float32Array((await host.weight({ ...own, minus: { model: tied } })).data.buffer);
    expect([...less]).toEqual([...plain].map((x, i) => Math.fround(x - (theirs[i] ?? NaN))));
  });
});

describe('a conversation', () => {
  const messages = [{ role: 'user', content: 'the box' }];

  it('given as messages is what the template writes, its special tokens told', async () => {
    const [written] = await tokenize.run(tokenizeInput.parse({ model: chat, messages }), context);
    expect(written?.text).toBe('<bos>user the box\nassistant ');
    expect(written?.tokens[0]).toMatchObject({ text: '<bos>', special: true, start: 0, end: 5 });
    expect(written?.tokens.slice(1).some((t) => t.special)).toBe(false);
    const told = await run.run(runInput.parse({ model: chat, messages }), context);
    expect('tokens' in told && told.tokens.map((t) => t.id)).toEqual(written?.tokens.map((t) => t.id));
  });

  it('for a model without a template is refused', async () => {
    const asked = tokenize.run(tokenizeInput.parse({ model: 'zoo:world', messages }), context);
    await expect(asked).rejects.toMatchObject({ info: { code: 'CHAT_TEMPLATE_MISSING' } });
  });

  it('is given beside nothing else', async () => {
    const asked = run.run(runInput.parse({ model: chat, messages, prompt: 'x' }), context);
    await expect(asked).rejects.toMatchObject({ info: { code: 'OPTION_INVALID' } });
  });
});

describe('what a model reads', () => {
  it.each([
    ['zoo:world', { tokenizer: true, chat: false, output: 'next', maxPositions: 256 }],
    ['zoo:judge', { tokenizer: true, mask: '<mask>', output: 'masks' }],
    ['zoo:judge-sentiment', { output: 'labels' }],
    ['test/golden/models/gpt-neox-default', { tokenizer: false, chat: false }],
  ])('%s', async (name, expected) => {
    const { reads } = await list.run(listInput.parse({ model: name, show: ['reads'] }), context);
    expect(reads).toMatchObject(expected);
  });

  it('is a chat where there is a template, and the numbers of its config', async () => {
    const { reads } = await list.run(listInput.parse({ model: chat, show: ['reads'] }), context);
    expect(reads?.chat).toBe(true);
    expect(reads?.config).toMatchObject({ rms_norm_eps: 1e-5, rope_theta: 10_000 });
  });
});
