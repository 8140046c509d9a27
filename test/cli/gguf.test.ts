import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ListResult, RunResult } from '../../src/protocol/index.js';
import { root } from '../support/root.js';
import { sharedOrSkip } from '../support/shared.js';
import { cutaway, json } from './command.js';

const tiny = (name: string): string => path.join(root, 'test/golden/gguf', `${name}.gguf`);
const run = (...args: readonly string[]) => json<RunResult>('run', ...args, '--top', '64');

describe('a GGUF file on the command line', () => {
  it('takes a prompt as text and gives text', async (context) => {
    const file = sharedOrSkip(context, 'models/stories260K/stories260K.gguf');
    const { tokens, generated, model } = await run(file, '--prompt', 'Once upon a time', '--max-new-tokens', '12');
    expect(tokens.map((t) => t.id)).toEqual([1, 403, 407, 261, 378]);
    expect(generated.text).toBe(', there was a little girl named Lily. She');
    expect(model).toMatchObject({ family: 'llama', layers: 5, vocab: 512, parameters: 292_800 });
  });

  it('is listed under Hugging Face’s names, with how its tensors are stored', async () => {
    const { weights } = await json<ListResult>('list', tiny('llama-bias-q4_0'), '--weights');
    expect(weights).toContainEqual({ name: 'model.layers.1.mlp.up_proj.weight', shape: [64, 32], dtype: 'Q4_0' });
    expect(weights).toContainEqual({ name: 'model.layers.1.self_attn.q_proj.bias', shape: [32], dtype: 'float32' });
  });

  it('can be edited in its decoded weights: twice the matrix is twice its product', async () => {
    const ids = [tiny('llama-linear-q8_0'), '--ids', '1,9,30'];
    const byWeight = await run(...ids, '--edit', 'weight model.layers.0.self_attn.o_proj.weight *= 2');
    const byValue = await run(...ids, '--edit', 'scale blocks.0.attn_out by 2');
    const plain = await run(...ids);
    const logitsOf = ({ next }: RunResult) => [...next].sort((a, b) => a.id - b.id).map(({ logit }) => logit);
    const worst = (a: RunResult, b: RunResult): number =>
      Math.max(...logitsOf(a).map((logit, i) => Math.abs((logit ?? NaN) - (logitsOf(b)[i] ?? NaN))));
    expect(worst(byWeight, byValue)).toBeLessThan(2e-5);
    expect(worst(byWeight, plain)).toBeGreaterThan(0.01);
  });

  it('takes directions from a table in blocks', async () => {
    const edit = 'add 5 * direction(" t5" - " t7") at ln_final.normalized[position=-1]';
    const { next } = await run(tiny('llama-bias-q4_0'), '--ids', '1,4', '--edit', edit);
    const plain = await run(tiny('llama-bias-q4_0'), '--ids', '1,4');
    const lead = (result: RunResult['next']): number => {
      const of = (id: number): number => result.find((n) => n.id === id)?.logit ?? NaN;
      return of(5) - of(7);
    };
    expect(lead(next) - lead(plain.next)).toBeGreaterThan(1);
  });

  it('that is not there, or no model, is an error with its code', async (context) => {
    const gone = await cutaway('run', 'gone.gguf', '--ids', '1');
    expect([gone.status, gone.stderr]).toEqual([2, expect.stringContaining('[MODEL_NOT_FOUND]')]);
    const vocabulary = sharedOrSkip(context, 'tokenizers/ggml-vocab/ggml-vocab-llama-spm.gguf');
    const alone = await cutaway('run', vocabulary, '--ids', '1');
    expect([alone.status, alone.stderr]).toEqual([2, expect.stringContaining('a vocabulary alone')]);
  });
});
