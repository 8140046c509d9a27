import { afterAll, describe, expect, it, vi, type TestContext } from 'vitest';
import type { AttributeResult, LensResult, PatchResult } from '../../src/protocol/index.js';
import { cutaway, tiny, type Outcome } from '../cli/command.js';
import { startScript, type LiveProcess } from './process.js';

vi.setConfig({ testTimeout: 180_000 });

const variants = ['gpt2-default', 'llama-grouped', 'gemma2-default', 'bert-masked', 't5-default'] as const;
type Variant = (typeof variants)[number];

const ids = '5,42,9,31,7,23';
const corrupt = '5,42,17,31,7,23';

let started: Promise<LiveProcess> | undefined;

/** All variants in one process, each with an agent of its own. */
const liveOf = async (context: TestContext, variant: Variant): Promise<string> => {
  started ??= startScript(context, 'serve_many.py', ...variants.map(tiny));
  return `127.0.0.1:${(await started).ports[variants.indexOf(variant)]}`;
};
afterAll(async () => (await started?.catch(() => undefined))?.end());

const run = async (...args: readonly string[]): Promise<Outcome> => cutaway(...args, '--json', '--quiet');

/** What an operation gives on our engine, and on a live process. */
const both = async <Result>(
  context: TestContext,
  variant: Variant,
  [verb = '', ...rest]: readonly string[],
): Promise<{ readonly own: Result; readonly live: Result }> => {
  const results: Result[] = [];
  for (const model of [tiny(variant), await liveOf(context, variant)]) {
    const { status, stdout, stderr } = await run(verb, model, ...rest, '--token', 'secret');
    expect({ model, status, stderr }).toEqual({ model, status: 0, stderr: '' });
    results.push(JSON.parse(stdout) as Result);
  }
  return { own: results[0] as Result, live: results[1] as Result };
};

/** The largest difference of two results' numbers, relative to the largest number. */
const apart = (a: unknown, b: unknown): number => {
  const numbers = (x: unknown): (number | null)[] =>
    typeof x === 'number' || x === null
      ? [x]
      : typeof x === 'object'
        ? Object.values(x).flatMap((part) => numbers(part))
        : [];
  const [one, other] = [numbers(a), numbers(b)];
  if (one.length !== other.length || one.length === 0) return Infinity;
  const size = Math.max(...one.map((x) => Math.abs(x ?? 0)), 1e-3);
  return Math.max(...one.map((x, i) => (x === other[i] ? 0 : Math.abs((x ?? NaN) - (other[i] ?? NaN))))) / size;
};

const scoresOf = ({ rows }: AttributeResult) => rows.map(({ scores, value, baseline = 0, faithfulness }) => ({ scores, value, baseline, faithfulness })); // prettier-ignore

describe('attribute on a live process', () => {
  for (const [variant, ...more] of [
    ['gpt2-default', '--method', 'gradient'],
    ['gpt2-default', '--method', 'gradient-x-input', '--word', 't7', '--versus', 't9'],
    ['gpt2-default', '--method', 'integrated-gradients'],
    ['llama-grouped', '--method', 'integrated-gradients', '--rule', 'allennlp', '--score', 'logprob'],
    ['llama-grouped', '--method', 'integrated-gradients', '--baseline', 't3', '--steps', '12'],
    ['llama-grouped', '--method', 'smoothgrad', '--seed', '3'],
    ['gpt2-default', '--method', 'occlusion'],
    ['gpt2-default', '--method', 'occlusion', '--replace', 'remove', '--no-faithfulness'],
    ['gpt2-default', '--method', 'shapley', '--replace', 't3'],
    ['gpt2-default', '--method', 'lime', '--samples', '40'],
    ['gpt2-default', '--method', 'gradient', '--of', 'norm(blocks.1.attn_out[position=-1]) + entropy'],
    ['llama-grouped', '--method', 'gradient-x-input', '--output', 't4t5'],
    ['gemma2-default', '--method', 'gradient-x-input'],
    ['bert-masked', '--method', 'gradient-x-input', '--word', '7'],
    ['t5-default', '--method', 'integrated-gradients', '--target-ids', '3,17'],
    ['llama-grouped', '--method', 'gradient-x-input', '--edit', 'scale blocks.0.mlp_out by 0.5'],
  ] as const)
    it(`gives our engine's numbers: ${variant} ${more.join(' ')}`, async (context) => {
      const { own, live } = await both<AttributeResult>(context, variant, ['attribute', '--ids', ids, ...more]);
      expect(apart(scoresOf(own), scoresOf(live))).toBeLessThan(1e-4);
      expect(live.rows.map((row) => row.of)).toEqual(own.rows.map((row) => row.of));
      expect({ ...live, rows: 0, model: 0, notes: 0 }).toEqual({ ...own, rows: 0, model: 0, notes: 0 });
    });
});

describe('patch on a live process', () => {
  const two = ['--ids', ids, '--corrupt-ids', corrupt];
  const pair = [...two, '--metric', 'logit(7) - logit(9)'];
  for (const [variant, ...more] of [
    ['gpt2-default', ...pair],
    ['llama-grouped', ...pair, '--sites', 'z,q,k,v', '--by', 'head'],
    ['llama-grouped', ...pair, '--sites', 'mlp.post', '--by', 'neuron', '--layers', '1'],
    ['gpt2-default', ...pair, '--sites', 'z,resid_post', '--by', 'position', '--direction', 'noise', '--window', '2'],
    ['gpt2-default', ...pair, '--sites', 'z', '--by', 'position,head'],
    ['llama-grouped', '--ids', ids, '--corrupt-ids', '5,42,17,7,23', '--metric', 'prob(7)', '--sites', 'resid_pre'],
    ['gemma2-default', ...pair],
    ['bert-masked', ...two, '--metric', 'logprob(7) at position 2'],
    ['t5-default', ...pair, '--target-ids', '3,17'],
    ['gpt2-default', '--method', 'zero', '--ids', ids, '--metric', 'logit(7)', '--sites', 'z,mlp_out'],
    ['gpt2-default', '--method', 'mean', '--ids', ids, '--metric', 'logit(7)', '--sites', 'z,mlp_out'],
    ['gpt2-default', '--method', 'attribution', ...pair, '--sites', 'resid_pre,z'],
    ['gpt2-default', ...pair, '--edit', 'drop head 0.1'],
  ] as const)
    it(`gives our engine's grids: ${variant} ${more.join(' ')}`, async (context) => {
      const { own, live } = await both<PatchResult>(context, variant, ['patch', ...more]);
      expect(live.grids.map(({ columns, layers, site }) => ({ columns, layers, site }))).toEqual(
        own.grids.map(({ columns, layers, site }) => ({ columns, layers, site })),
      );
      const told = ({ grids, clean, corrupted }: PatchResult) => [grids.map((g) => g.raw), clean, corrupted];
      expect(apart(told(own), told(live))).toBeLessThan(1e-4);
      expect({ runs: live.runs, known: live.known, effect: live.effect }).toEqual({ runs: own.runs, known: own.known, effect: own.effect }); // prettier-ignore
    });

  it('takes texts, and words by their texts', async (context) => {
    const texts = ['--prompt', 't5t42t9', '--corrupt', 't5t9t17', '--answer', 't7', '--wrong', 't9'];
    const { own, live } = await both<PatchResult>(context, 'gpt2-default', ['patch', ...texts, '--layers', '1']);
    expect(live.metric).toBe(own.metric);
    expect(live.tokens).toEqual(own.tokens);
    expect(apart(own.grids.map((g) => g.effect), live.grids.map((g) => g.effect))).toBeLessThan(1e-3); // prettier-ignore
  });
});

describe('lens on a live process', () => {
  for (const [variant, ...more] of [
    ['gpt2-default', '--word', 't7', '--top', '3'],
    ['llama-grouped', '--edit', 'skip layer 1'],
    ['gemma2-default'],
    ['bert-masked'],
    ['t5-default', '--target-ids', '3,17'],
  ] as const)
    it(`says what our engine says: ${variant} ${more.join(' ')}`, async (context) => {
      const { own, live } = await both<LensResult>(context, variant, ['lens', '--ids', ids, ...more]);
      const isSkipped = more.some((x) => x.startsWith('skip'));
      const there = own.rows.map((row) => row.after);
      const rows = live.rows.filter(({ after }) => there.includes(after));
      expect(rows.map((r) => r.after)).toEqual(there);
      expect(live.rows.length - there.length).toBe(isSkipped ? 1 : 0);
      const top = ({ rows: all }: LensResult) => all.map((r) => r.cells.map((c) => c.top.map((t) => [t.id, t.text])));
      expect(top({ ...live, rows })).toEqual(top(own));
      const numbers = (all: LensResult['rows']) => all.map((r) => r.cells.map(({ entropy, norm, kl, words, change }) => [entropy, norm, kl, words, change])); // prettier-ignore
      expect(apart(numbers(own.rows), numbers(rows))).toBeLessThan(1e-4);
    });
});

describe('what a live process cannot be asked', () => {
  const pair = ['--ids', ids, '--corrupt-ids', corrupt, '--metric', 'logit(7)'] as const;
  for (const [code, ...args] of [
    ['METHOD_UNFIT', 'attribute', '--ids', ids, '--method', 'lrp'],
    ['METHOD_UNFIT', 'attribute', '--ids', ids, '--method', 'attention-rollout'],
    ['METHOD_UNFIT', 'attribute', '--ids', ids, '--max-new-tokens', '2'],
    ['METHOD_UNFIT', 'attribute', '--ids', ids, '--method', 'attention-gradient'],
    ['METHOD_UNFIT', 'patch', '--ids', ids, '--method', 'path', '--corrupt-ids', corrupt, '--metric', 'logit(7)'],
    ['SITE_NOT_CAPTURED', 'patch', ...pair, '--sites', 'pattern'],
    ['SITE_NOT_CAPTURED', 'patch', ...pair, '--sites', 'resid_mid'],
    ['SITE_NOT_CAPTURED', 'patch', ...pair, '--sites', 'attn.scores'],
    ['EDIT_INVALID', 'lens', '--ids', ids, '--edit', 'weight transformer.wte.weight *= 2'],
    ['EDIT_INVALID', 'lens', '--ids', ids, '--edit', 'swap layers 0 1'],
    ['SITE_NOT_CAPTURED', 'lens', '--ids', ids, '--edit', 'set blocks.1.resid_mid = zero'],
    ['OPTION_INVALID', 'run', '--ids', ids],
  ] as const)
    // prettier-ignore
    it(`is refused with ${code}: ${args.join(' ')}`, async (context) => {
      const [verb, ...rest] = args;
      const token = verb === 'run' ? [] : ['--token', 'secret'];
      const outcome = await cutaway(verb, await liveOf(context, 'gpt2-default'), ...rest, ...token, '--quiet');
      expect(outcome.stderr).toContain(code);
      expect(outcome.status).toBe(2);
    });

  it('needs the token', async (context) => {
    const { stderr } = await cutaway('lens', await liveOf(context, 'gpt2-default'), '--ids', ids, '--token', 'wrong');
    expect(stderr).toContain('AGENT_REFUSED');
  });
});
