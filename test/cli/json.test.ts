import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  inspectResult,
  listResult,
  runResult,
  tokenizeResult,
  type InspectResult,
  type ListResult,
  type RunResult,
  type TokenizeResult,
} from '../../src/protocol/index.js';
import { entry, withTensors, write } from './broken.js';
import { cutaway, gpt2, json, llama } from './command.js';

/** A document that its schema reads without dropping anything. */
const document = async <T>(schema: z.ZodType<T>, ...args: readonly string[]): Promise<T> => {
  const value = await json(...args);
  expect(schema.parse(value)).toEqual(value);
  return value as T;
};

const keys = (value: unknown): string[] => Object.keys(value as object);
const prompt = ['--prompt', 't5 t17 t42'];

describe('run --json', () => {
  it('has the names that the contract gives', async () => {
    const result = await document(runResult, 'run', llama, ...prompt, '--max-new-tokens', '3', '--ignore-eos');
    expect(keys(result)).toEqual(['model', 'tokens', 'next', 'generated', 'stop', 'seconds']);
    expect(keys(result.model)).toEqual(['family', 'layers', 'heads', 'modelDim', 'vocab', 'parameters', 'fingerprint']);
    expect(keys(result.tokens[0])).toEqual(['id', 'text']);
    expect(keys(result.next[0]).sort()).toEqual(['id', 'logit', 'probability', 'text']);
    expect(keys(result.generated)).toEqual(['ids', 'text']);
    expect(keys(result.seconds)).toEqual(['load', 'prefill', 'decode']);
    expect(result.model).toMatchObject({ family: 'llama', layers: 3, heads: 4, modelDim: 32, vocab: 61 });
    expect(result.tokens.map((t) => t.id)).toEqual([5, 17, 42]);
    expect(result.stop).toBe('length');
    expect(result.generated.ids).toHaveLength(3);
  });

  it('of no generation: stop is none, and decoding took no time', async () => {
    const { stop, seconds, generated } = await document(runResult, 'run', gpt2, ...prompt);
    expect({ stop, decode: seconds.decode, generated }).toEqual({
      stop: 'none',
      decode: 0,
      generated: { ids: [], text: '' },
    });
  });

  it('of several prompts is an array, of one line too', async () => {
    const file = write('prompts.jsonl', '"t5 t17 t42"\n{"ids": [1]}\n\n{"prompt": "t3"}\n');
    const results = await document(runResult.array(), 'run', gpt2, '--prompts', file);
    expect(results.map((r) => r.tokens.map((t) => t.id))).toEqual([[5, 17, 42], [1], [3]]);
    expect(results[0]?.next).toEqual((await json<RunResult>('run', gpt2, ...prompt)).next);
    const alone = write('alone.jsonl', '"t3"\n');
    expect(await document(runResult.array(), 'run', gpt2, '--prompts', alone)).toHaveLength(1);
  });

  it('clamps --top to the vocabulary; 0 lists none', async () => {
    const { next } = await document(runResult, 'run', gpt2, ...prompt, '--top', '1000');
    expect(next).toHaveLength(61);
    expect(next.reduce((sum, t) => sum + t.probability, 0)).toBeCloseTo(1, 5);
    const logits = next.map((t) => t.logit ?? NaN);
    expect(logits).toEqual([...logits].sort((a, b) => b - a));
    expect((await document(runResult, 'run', gpt2, ...prompt, '--top', '0')).next).toEqual([]);
  });

  it('with --stages fits its schema where a rule left few tokens', async () => {
    const args = ['--max-new-tokens', '2', '--ignore-eos', '--top-k', '2', '--stages', '--top', '5'];
    const { steps } = await document(runResult, 'run', gpt2, ...prompt, ...args);
    expect(steps).toHaveLength(2);
    expect(steps?.[0]?.stages.at(-1)?.left).toBe(2);
    expect(steps?.[0]?.stages.at(-1)?.top.length).toBeLessThanOrEqual(2);
  });

  it('of a model with NaN weights fits its schema', async () => {
    const folder = withTensors((header, data) => {
      data.writeFloatLE(NaN, entry(header, 'transformer.ln_f.bias').data_offsets[0]);
    });
    const { status, stdout } = await cutaway('run', folder, ...prompt, '--max-new-tokens', '1', '--json');
    expect(status).toBe(0);
    const result = JSON.parse(stdout) as RunResult;
    expect(runResult.parse(result)).toEqual(result);
  });
});

describe('inspect --json', () => {
  it('has the names that the contract gives', async () => {
    const result = await document(
      inspectResult,
      'inspect',
      gpt2,
      ...prompt,
      '--sites',
      'blocks.0.attn.pattern,logits',
      '--quiet',
    );
    expect(keys(result)).toEqual(['tokens', 'sites']);
    expect(keys(result.sites[0])).toEqual('name axes shape dtype min max mean std nan inf'.split(' '));
    expect(result.sites.map(({ name, axes, shape, dtype }) => ({ name, axes, shape, dtype }))).toEqual([
      { name: 'blocks.0.attn.pattern', axes: ['batch', 'head', 'query', 'key'], shape: [1, 4, 3, 3], dtype: 'float32' },
      { name: 'logits', axes: ['batch', 'position', 'vocab'], shape: [1, 3, 61], dtype: 'float32' },
    ]);
    expect(result.sites[0]).toMatchObject({ min: 0, max: 1, nan: 0, inf: 0 });
  });

  it('of several prompts is an array', async () => {
    const file = write('two.jsonl', '"t5 t17 t42"\n"t1"\n');
    const results = await document(
      inspectResult.array(),
      'inspect',
      gpt2,
      '--prompts',
      file,
      '--sites',
      'logits',
      '--quiet',
    );
    expect(results.map((r) => r.sites[0]?.shape)).toEqual([
      [1, 3, 61],
      [1, 1, 61],
    ]);
  });
});

describe('list --json', () => {
  it('has the names that the contract gives', async () => {
    const result: ListResult = await document(listResult, 'list', gpt2);
    expect(keys(result)).toEqual(['model', 'sites', 'weights']);
    expect(result.sites?.[0]).toMatchObject({ name: 'embed', axes: ['batch', 'position', 'model'], onRequest: false });
    expect(result.sites?.[0]?.shape).toEqual(['batch', 'position', 24]);
    expect(result.sites?.find((s) => s.name === 'blocks.2.attn.result')?.onRequest).toBe(true);
    expect(result.weights).toContainEqual({ name: 'transformer.wte.weight', shape: [61, 24], dtype: 'float32' });
    expect(keys(await document(listResult, 'list', gpt2, '--sites'))).toEqual(['model', 'sites']);
    expect(keys(await document(listResult, 'list', gpt2, '--weights'))).toEqual(['model', 'weights']);
    expect(keys(await document(listResult, 'list', gpt2, '--listing'))).toEqual(['model', 'listing']);
  });

  it('lists all sites, and each can be read by that name', async () => {
    const { sites = [] } = await json<ListResult>('list', llama);
    const names = sites.map((s) => s.name);
    const read = await json<InspectResult>('inspect', llama, ...prompt, '--sites', names.join(), '--quiet');
    expect(read.sites.map((s) => [s.name, s.axes])).toEqual(sites.map((s) => [s.name, s.axes]));
  });

  it('of a model by alias: every alias leads to its site', async () => {
    const { sites = [] } = await json<ListResult>('list', gpt2);
    const aliases = sites.flatMap((s) => (s.aliases ?? []).map((alias) => [alias, s.name] as const));
    expect(aliases.length).toBeGreaterThan(20);
    const asked = [...new Set(aliases.map(([alias]) => alias))].join();
    const read = await json<InspectResult>('inspect', gpt2, ...prompt, '--sites', asked, '--quiet');
    expect(new Set(read.sites.map((s) => s.name))).toEqual(new Set(aliases.map(([, name]) => name)));
  });
});

describe('tokenize --json', () => {
  it('has the names that the contract gives', async () => {
    const result: TokenizeResult = await document(tokenizeResult, 'tokenize', gpt2, '--text', 't5  t17');
    expect(result).toEqual([
      {
        text: 't5  t17',
        tokens: [
          { id: 5, text: 't5', start: 0, end: 2 },
          { id: 17, text: 't17', start: 4, end: 7 },
        ],
      },
    ]);
  });

  it('of a file gives its texts in order, empty ones and none too; a vocabulary alone will do', async () => {
    const file = write('cases.json', '["t1", "", "t2 t3"]');
    const result = await document(tokenizeResult, 'tokenize', `${gpt2}/tokenizer.json`, '--file', file);
    expect(result.map((r) => r.tokens.map((t) => t.id))).toEqual([[1], [], [2, 3]]);
    expect(await document(tokenizeResult, 'tokenize', gpt2, '--file', write('none.json', '[]'))).toEqual([]);
    expect(await document(tokenizeResult, 'tokenize', gpt2, '--text', '')).toEqual([{ text: '', tokens: [] }]);
  });
});
