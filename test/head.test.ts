/** Why heads look where they look: the parts of a score sum to it, in every family whose stream is a sum. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { headInput, headsInput, type HeadResult } from '../src/protocol/index.js';
import { head, heads } from '../src/service/index.js';
import { tiny } from './cli/command.js';

const context = { signal: new AbortController().signal, note: () => undefined };
const ids = [5, 42, 9, 31, 17, 42];

const told = (variant: string, rest: object): Promise<HeadResult> =>
  head.run(
    headInput.parse({
      model: tiny(variant),
      ids,
      pairs: false,
      ...(/^(t5|mbart|bart)/.test(variant) ? { targetIds: [7, 8, 3] } : {}),
      ...rest,
    }),
    context,
  );

describe('q·k', () => {
  it.each([
    ['gpt2-default', '1.2'],
    ['gpt2-scaled-by-layer', '2.1'],
    ['llama-grouped', '1.3'],
    ['gpt-neox-default', '1.0'],
    ['phi-qk-layernorm', '1.1'],
    ['qwen3-default', '1.2'],
    ['olmo2-default', '1.1'],
    ['gemma2-default', '1.1'],
    ['gemma3-text-default', '1.1'],
    ['mixtral-default', '1.1'],
    ['opt-default', '1.0'],
    ['t5-default', 'encoder.1.1'],
    ['t5-default', 'decoder.1.1'],
    ['mbart-default', 'decoder.1.1'],
    ['smollm3-default', '1.1'],
  ])('of %s, head %s, is the sum of its parts', async (variant, name) => {
    const { because } = await told(variant, { head: name, query: -1, key: 0, top: 1000 });
    const size = Math.max(1, ...(because?.pairs.map((p) => Math.abs(p.value)) ?? []));
    expect(Math.abs(because?.residual ?? NaN)).toBeLessThan(1e-4 * size);
    const total = (parts: readonly { value: number }[] | undefined) => parts?.reduce((sum, p) => sum + p.value, 0);
    for (const parts of [because?.byQuery, because?.byKey, because?.pairs])
      expect(Math.abs((total(parts) ?? NaN) - (because?.value ?? NaN))).toBeLessThan(2e-4 * size);
    expect(because?.byKey.some((p) => p.part === 'rest')).toBe(false);
    expect(because?.byKey.length).toBeGreaterThan(3);
  });

  it('is the score where nothing is added', async () => {
    const { because } = await told('gpt2-default', { head: '2.1' });
    expect(because?.value).toBeCloseTo(because?.score ?? NaN, 4);
  });

  it('tells what an edit of the stream gives as the rest', async () => {
    const { because } = await told('gpt2-default', {
      head: '2.1',
      edits: [{ text: 'set blocks.1.resid_mid[model=3] = 5' }],
    });
    expect(because?.byKey.some((p) => p.part === 'rest')).toBe(true);
    expect(Math.abs(because?.residual ?? NaN)).toBeLessThan(1e-3);
  });

  it.each(['bart-default', 'opt-post-norm'])('is refused in %s, where the stream is no sum', async (variant) => {
    await expect(told(variant, { head: variant.startsWith('bart') ? 'decoder.1.0' : '1.0' })).rejects.toMatchObject({
      info: { code: 'METHOD_UNFIT' },
    });
  });

  it.each(['9.0', '1.99', 'x', '1'])('says which heads there are, not %s', async (name) => {
    await expect(told('gpt2-default', { head: name })).rejects.toMatchObject({ info: { code: 'OPTION_INVALID' } });
  });
});

describe('heads of the zoo', () => {
  it('come out as they are known: previous words, and induction', async () => {
    const { heads: all } = await heads.run(headsInput.parse({ length: 10, copying: false }), context);
    const best = (kind: 'previous' | 'induction', most: number): readonly string[] =>
      [...all]
        .sort((a, b) => (b[kind] ?? 0) - (a[kind] ?? 0))
        .slice(0, most)
        .map((h) => h.name);
    expect([...best('previous', 6)].sort()).toEqual(['1.0', '1.1', '1.2', '1.6', '1.7', '3.7']);
    expect([...best('induction', 2)].sort()).toEqual(['2.0', '2.2']);
    for (const name of ['2.0', '2.2']) expect(all.find((h) => h.name === name)?.kind).toBe('induction');
    expect(all.find((h) => h.name === '1.7')?.kind).toBe('previous');
  });

  it('are the same for the same seed, and others for another', async () => {
    const ask = async (seed: number) =>
      (await heads.run(headsInput.parse({ length: 6, sequences: 1, copying: false, seed }), context)).heads;
    expect(await ask(3)).toEqual(await ask(3));
    expect(await ask(3)).not.toEqual(await ask(4));
  });

  it('are told of encoders and of both halves of a translator', async () => {
    const judge = await heads.run(headsInput.parse({ model: 'zoo:judge' }), context);
    expect(judge.heads.every((h) => h.next !== null && h.copying === null)).toBe(true);
    expect(judge.notes?.join()).toContain('activation');
    const translate = await heads.run(headsInput.parse({ model: 'zoo:translate', length: 8 }), context);
    const stacks = new Set(translate.heads.map((h) => h.layer.split('.')[0]));
    expect([...stacks]).toEqual(['encoder', 'decoder']);
    expect(translate.heads.filter((h) => h.layer.startsWith('decoder')).every((h) => h.copying !== null)).toBe(true);
  });

  it('refuse more tokens than the model reads', async () => {
    await expect(heads.run(headsInput.parse({ length: 2000 }), context)).rejects.toMatchObject({
      info: { code: 'OPTION_INVALID' },
    });
  });
});

describe('what is written of heads', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cutaway-heads-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const written = async (name: string): Promise<string> => {
    const out = path.join(folder, name);
    const rest = { prompt: ' lamp Oakham Ruth red lamp Oakham', head: '2.0', out };
    await head.run(headInput.parse({ model: 'zoo:world', ...rest }), context);
    return readFileSync(out, 'utf8');
  };

  it('is one head, as a table with every number that is told', async () => {
    const result = JSON.parse(await written('head.json')) as HeadResult;
    const lines = (await written('head.csv')).trim().split('\r\n').slice(1);
    const { writes = [], looks = [], because } = result;
    if (!because) throw new Error('it is not told why');
    const { tokens, byQuery, byKey, pairs } = because;
    const counts = [writes, looks, tokens, tokens, byQuery, byKey, pairs].map((list) => list.length);
    expect(lines).toHaveLength(counts.reduce((a, b) => a + b, 0));
    expect(counts.every((n) => n > 0)).toBe(true);
    expect(lines[0]).toBe(`writes,${writes[0]?.from.text},${writes[0]?.to.text},${writes[0]?.value}`);
  });

  it('is one head, as pictures of pairs: a cell for each', async () => {
    const svg = await written('head.svg');
    const { because, writes } = JSON.parse(await written('head.json')) as HeadResult;
    expect(svg).toContain('head 2.0');
    for (const pair of because?.pairs ?? []) expect(svg).toContain(`<title>${pair.query}.${pair.key}: `);
    expect(svg).toContain(writes?.[0]?.value.toPrecision(4));
    expect((await written('head.png')).slice(1, 4)).toBe('PNG');
  });

  it('are all heads, a picture for each score', async () => {
    const out = path.join(folder, 'heads.svg');
    await heads.run(headsInput.parse({ model: 'zoo:world', sequences: 1, out }), context);
    const svg = readFileSync(out, 'utf8');
    for (const score of ['previous', 'duplicate', 'induction', 'first', 'copying', 'copies'])
      expect(svg).toContain(`>${score}</text>`);
    expect(svg).not.toContain('>next</text>'); // a decoder sees none
  });
});
