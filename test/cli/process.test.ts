import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/protocol/index.js';
import { writeRandomModel } from '../support/random-model.js';
import { root } from '../support/root.js';
import { scratch, write } from './broken.js';
import { finish, gpt2, start } from './command.js';

/** A model that has room for more tokens than any test waits for. */
const patient = (name: string): string => {
  const folder = path.join(scratch, name);
  mkdirSync(folder, { recursive: true });
  return writeRandomModel(folder, {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: 61,
    hidden_size: 32,
    intermediate_size: 32,
    num_hidden_layers: 4,
    num_attention_heads: 2,
    max_position_embeddings: 100_000,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: true,
  });
};
const long = ['--ids', '1,2,3', '--max-new-tokens', '90000', '--ignore-eos'];

describe('the process', () => {
  it('ends with the status that the command line gives', async () => {
    const [good, bad] = await Promise.all([
      finish(start('run', gpt2, '--ids', '1', '--json')),
      finish(start('run', path.join(scratch, 'nowhere'), '--ids', '1', '--json')),
    ]);
    expect(good).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(good.stdout)).toMatchObject({ stop: 'none' });
    expect(bad).toMatchObject({ status: 2, stdout: '' });
    expect(bad.stderr).toContain('[MODEL_NOT_FOUND]');
  });

  it('on Ctrl-C ends with status 130, and what was made stands', async () => {
    const folder = patient('speaking');
    copyFileSync(path.join(gpt2, 'tokenizer.json'), path.join(folder, 'tokenizer.json'));
    const child = start('run', folder, ...long);
    child.stdout?.once('data', () => child.kill('SIGINT'));
    const { status, stdout, stderr } = await finish(child);
    expect({ status, stderr }).toEqual({ status: 130, stderr: '' });
    expect(stdout).toMatch(/^ t\d+[^]*\n\n[^]*; stopped\n$/);
  });

  it('on Ctrl-C with --json prints a document of what was made, or nothing and why', async () => {
    const child = start('run', patient('silent'), ...long, '--json');
    child.stderr?.once('data', () => child.kill('SIGINT'));
    const { status, stdout, stderr } = await finish(child);
    expect(status).toBe(130);
    if (stdout === '') expect(stderr).toContain('[CANCELLED]');
    else expect((JSON.parse(stdout) as RunResult).stop).toBe('cancelled');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('on Ctrl-C among several prompts keeps those that were answered', async () => {
    const folder = patient('several');
    copyFileSync(path.join(gpt2, 'tokenizer.json'), path.join(folder, 'tokenizer.json'));
    const prompts = write('several.jsonl', '"t1 t2"\n"t3"\n"t4"\n');
    const child = start('run', folder, '--prompts', prompts, ...long.slice(2));
    child.stdout?.once('data', () => child.kill('SIGINT'));
    const { status, stdout } = await finish(child);
    expect(status).toBe(130);
    expect(stdout.match(/^\d tokens: .*$/gm)).toEqual(['2 tokens: t1|t2']);
    expect(stdout).toMatch(/; stopped\n$/);
  });

  it('ends quietly where nobody reads its output any more', async () => {
    const args = ['--import', 'tsx', path.join(root, 'src/cli/main.ts'), 'list', gpt2, '--json'];
    const child = spawn(process.execPath, args, { cwd: root });
    child.stdout.destroy();
    const { status, stderr } = await finish(child);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('has no colours where it writes to no terminal', async () => {
    const { stdout, stderr } = await finish(start('run', gpt2, '--ids', '1,99'));
    expect(stdout + stderr).not.toContain('\u001b');
  });
});
