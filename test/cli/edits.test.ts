import { describe, expect, it } from 'vitest';
import type { InspectResult, RunResult } from '../../src/protocol/index.js';
import { write } from './broken.js';
import { cutaway, finish, gpt2, json, llama, start } from './command.js';

const prompt = ['--prompt', 't5 t17 t42'];
const next = async (model: string, ...args: readonly string[]): Promise<RunResult['next']> =>
  (await json<RunResult>('run', model, ...prompt, '--top', '61', ...args)).next;

const lines = ['scale blocks.1.attn.z[head=2] by 0', 'add 2 * direction("t1" - "t2") at blocks.1.resid_post'];
const data = {
  experiment: 1,
  edits: [
    { edit: 'scale', site: 'blocks.1.attn.z', where: { head: 2 }, by: 0 },
    { edit: 'add', site: 'blocks.1.resid_post', by: 2, vector: { plus: 't1', minus: 't2' } },
  ],
};

describe('edits', () => {
  it('are the same from options, a text file, a JSON file and standard input', async () => {
    const expected = await next(gpt2, '--edit', lines[0] ?? '', '--edit', lines[1] ?? '');
    expect(expected).not.toEqual(await next(gpt2));
    expect(await next(gpt2, '--edits', write('two.edits', `# two\n${lines.join('\n')}  # and done\n`))).toEqual(
      expected,
    );
    expect(await next(gpt2, '--edits', write('two.json', JSON.stringify(data)))).toEqual(expected);
    const child = start('run', gpt2, ...prompt, '--top', '61', '--edits', '-', '--json');
    child.stdin?.end(lines.join('\n'));
    const { status, stdout } = await finish(child);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as RunResult).next).toEqual(expected);
  });

  it('keep the order of --edit and --edits', async () => {
    const set = 'set blocks.1.resid_post = 0.5';
    const scale = write('scale.edits', 'scale blocks.1.resid_post by 3\n');
    const setFirst = await next(gpt2, '--edit', set, '--edits', scale);
    const scaleFirst = await next(gpt2, '--edits', scale, '--edit', set);
    expect(setFirst).toEqual(await next(gpt2, '--edit', 'set blocks.1.resid_post = 1.5'));
    expect(scaleFirst).toEqual(await next(gpt2, '--edit', set));
  });

  it('a command leaves nothing for the next one', async () => {
    const plain = await next(gpt2);
    await next(gpt2, '--edit', lines[0] ?? '');
    expect(await next(gpt2)).toEqual(plain);
  });

  it('that change nothing give the same numbers', async () => {
    const plain = await next(gpt2);
    expect(await next(gpt2, '--edit', 'scale blocks.1.attn.z by 1')).toEqual(plain);
    expect(await next(gpt2, '--edits', write('none.edits', '# nothing\n\n'))).toEqual(plain);
  });

  it('of config fields reach the computation', async () => {
    expect(await next(llama, '--edit', 'config rope_theta = 500')).not.toEqual(await next(llama));
    expect(await next(gpt2, '--edit', 'config scale_attn_weights = false')).not.toEqual(await next(gpt2));
  });

  it('of the activation: as the config field, and another than before', async () => {
    const replaced = await next(gpt2, '--edit', 'replace activation with relu');
    expect(replaced).toEqual(await next(gpt2, '--edit', 'config activation_function = "relu"'));
    expect(replaced).not.toEqual(await next(gpt2));
    expect(await next(llama, '--edit', 'replace activation with relu')).not.toEqual(await next(llama));
  });

  it('of the prompt replace it', async () => {
    const { tokens } = await json<RunResult>('run', gpt2, ...prompt, '--edit', 'prompt "t1 t2"');
    expect(tokens.map((t) => t.id)).toEqual([1, 2]);
    const alone = await json<RunResult>('run', gpt2, '--edit', 'prompt "t1 t2"');
    expect(alone.tokens.map((t) => t.id)).toEqual([1, 2]);
  });

  it('of layers compose: two swaps are none; a skipped layer is not there; a repeated one is there twice', async () => {
    const plain = await next(gpt2);
    expect(await next(gpt2, '--edit', 'swap layers 0 2', '--edit', 'swap layers 0 2')).toEqual(plain);
    expect(await next(gpt2, '--edit', 'swap layers 0 2')).not.toEqual(plain);
    const names = async (edit: string): Promise<string[]> => {
      const args = ['--edit', edit, '--sites', 'blocks.*.resid_post', '--quiet'];
      return (await json<InspectResult>('inspect', gpt2, ...prompt, ...args)).sites.map((s) => s.name);
    };
    const [first, second, third] = [0, 1, 2].map((layer) => `blocks.${layer}.resid_post`);
    expect(await names('skip layer 1')).toEqual([first, third]);
    expect(await names('repeat layer 1')).toEqual([first, second, 'blocks.1#2.resid_post', third]);
    expect(await names('swap layers 0 2')).toEqual([third, second, first]);
  });

  it('reach the second pass of a repeated layer alone', async () => {
    const repeat = ['--edit', 'repeat layer 1'];
    const both = await next(gpt2, ...repeat);
    const silenced = await next(
      gpt2,
      ...repeat,
      '--edit',
      'set blocks.1#2.attn_out = zero',
      '--edit',
      'set blocks.1#2.mlp_out = zero',
    );
    expect(silenced).not.toEqual(both);
    const plain = await next(gpt2);
    expect(silenced.map((t) => t.id)).toEqual(plain.map((t) => t.id));
  });

  it('of a layer that is skipped are told, and change nothing', async () => {
    const args = ['run', gpt2, ...prompt, '--edit', 'skip layer 1', '--edit', 'scale blocks.1.attn.z by 0', '--json'];
    const { status, stdout, stderr } = await cutaway(...args);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^note: .*blocks\.1/);
    expect((JSON.parse(stdout) as RunResult).notes?.join()).toContain('blocks.1');
  });

  it('take site names in every spelling', async () => {
    const canonical = await next(gpt2, '--edit', 'scale blocks.1.attn.pattern[head=1, key=0] by 0');
    expect(await next(gpt2, '--edit', 'scale blocks.1.attn.hook_pattern[head=1, key=0] by 0')).toEqual(canonical);
    expect(await next(gpt2, '--edit', 'scale transformer.h.1 by 0')).toEqual(
      await next(gpt2, '--edit', 'scale blocks.1.resid_post by 0'),
    );
  });
});
