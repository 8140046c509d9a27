import { readFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { scratch, write } from './broken.js';
import { cutaway, gpt2, json, llama, refused, tiny } from './command.js';
import type { RunResult } from '../../src/protocol/index.js';

let files = 0;

/** What the debugger prints for some commands, without colours; it ends with them. */
const session = async (lines: readonly string[], model = llama, ...args: readonly string[]): Promise<string> => {
  const script = write(`commands-${files++}.txt`, [...lines, 'quit'].join('\n'));
  const prompt = args.length > 0 ? args : ['--ids', '5,42,9,31', '--max-new-tokens', '4'];
  const { status, stdout, stderr } = await cutaway('debug', model, ...prompt, '-x', script);
  expect({ status, stderr: stderr.replace(/^note: .*\n/gm, '') }).toEqual({ status: 0, stderr: '' });
  return stripVTControlCharacters(stdout);
};

const tokensOf = (text: string): string => /end of step \d+: (.*)/.exec(text)?.[1] ?? '';

describe('cutaway debug', () => {
  it('runs to the end with the tokens that `run` makes', async () => {
    const made = await json<RunResult>('run', llama, '--ids', '5,42,9,31', '--max-new-tokens', '4', '--quiet');
    const all = ['t5', 't42', 't9', 't31', ...made.generated.ids.map((id) => `t${id}`)].join('');
    expect(tokensOf(await session(['continue']))).toBe(all);
    expect(tokensOf(await session(['break layer 1', ...Array.from({ length: 9 }, () => 'continue')]))).toBe(all);
  });

  it('stops at a condition, shows where, and steps back to where it was', async () => {
    const text = await session([
      'break blocks.*.attn.pattern if layer == 1 && step == 1',
      'c',
      'where',
      's',
      'rs',
      'where',
    ]);
    expect(text).toContain('breakpoint 1\nblocks.1, step 1\n');
    expect(text.match(/#0 {2}attn\.pattern = Softmax\(attn\.scores\)/g)).toHaveLength(2);
    expect(text).toMatch(/#1 {2}attn\n#2 {2}blocks\.1\n#3 {2}step 1 of 5 tokens/);
  });

  it('prints what `inspect` tells of the same value', async () => {
    const args = ['--ids', '5,42,9,31', '--sites', 'blocks.1.attn.q', '--quiet'];
    const { sites } = await json<{ sites: { max: number }[] }>('inspect', llama, ...args);
    const printed = await session(['break layer 2', 'c', 'print max(blocks.1.attn.q)']);
    expect(Number(printed.trim().split('\n').at(-1))).toBeCloseTo(sites[0]?.max ?? NaN, 4);
  });

  it('takes every change behind `set` too', async () => {
    const text = await session([
      'set temperature 0.5',
      'set weight model.norm.weight[model=3] *= 2',
      'set skip layer 0',
      'info edits',
    ]);
    expect(text).toContain('1  temperature 0.5\n2  weight model.norm.weight[model=3] *= 2\n3  skip layer 0');
  });

  it('changes what comes out, and undoes it', async () => {
    const edited = await json<RunResult>(
      'run',
      llama,
      '--ids',
      '5,42,9,31',
      '--max-new-tokens',
      '4',
      '--quiet',
      '--edit',
      'skip layer 1',
    );
    const all = ['t5', 't42', 't9', 't31', ...edited.generated.ids.map((id) => `t${id}`)].join('');
    expect(tokensOf(await session(['skip layer 1', 'continue']))).toBe(all);
    expect(tokensOf(await session(['skip layer 1', 'undo', 'continue']))).toBe(tokensOf(await session(['continue'])));
    expect(tokensOf(await session(['skip layer 1', 'undo', 'redo', 'run']))).toBe(all);
    const forced = await session(['force token 7 at step 1', 'continue']);
    expect(tokensOf(forced)).toMatch(/^t5t42t9t31t\d+t7/);
  });

  it('saves the changes as an experiment that `run` takes', async () => {
    const file = path.join(scratch, 'experiment.json');
    await session(['drop head 1.0', `save ${file}`]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      experiment: 1,
      edits: [{ edit: 'drop head', layer: 1, head: 0 }],
    });
    await json('run', llama, '--ids', '5', '--edits', file, '--quiet');
  });

  it('draws attention, lists words, raw numbers and lines', async () => {
    const text = await session([
      'layer 2',
      'attention blocks.0.attn.pattern 1',
      'words 3',
      'x blocks.0.attn.z 2',
      'list 40',
      'info sites',
    ]);
    expect(text).toMatch(/t5 ██· · · {3}→ t5/);
    expect(text).toMatch(/1 {2}t\d+ +\d+ +\d+\.\d\d %/);
    expect(text).toMatch(/^ +0: /m);
    expect(text).toContain('blocks.1.attn.pattern');
  });

  it('shows what is in a frame, the lens, and this run beside the unedited one', async () => {
    const text = await session(
      ['compare', 'break blocks.1.resid_post', 'c', 'lens 7', 'up 1', 'info inputs', 'info outputs', 'info cache']
        .concat(['down', 'info statistics', 'info nothing', 'up 9', 'drop head 1.0', 'token', 'compare 7', 'until 43'])
        .concat(['where']),
    );
    expect(text).toContain('error nothing is known yet');
    expect(text).toMatch(/before blocks\.0 .*\n +before blocks\.1 /);
    expect(text).toMatch(/#1→ blocks\.1\n[^]*past_k +\[1, 0, 2, 8\] empty/);
    expect(text).toMatch(/blocks\.1\.resid_post +\[1, 4, 32\] min/);
    expect(text).toMatch(/norm \S+ +absmax \S+ +zero/);
    expect(text).toMatch(/KL divergence 0?\.\d+ nats\nunedited {2}t5t42t9t31/);
    expect(text).toMatch(/#0 {2}attn\.pattern/);
    expect(text.match(/^error /gm)).toHaveLength(3);
  });

  it('loads an experiment, and keeps it in a run that begins anew', async () => {
    const file = write('loaded.txt', 'skip layer 1\ndrop head 0.1\n');
    const text = await session([`load ${file}`, 'run', 'info edits', 'undo', 'info edits', 'load nowhere.txt']);
    expect(text).toContain('2 changes, in place of those before');
    expect(text).toMatch(/1 {2}skip layer 1\n2 {2}drop head 0\.1\nundone\nno changes\nerror/);
  });

  it('goes back to the beginning, and through an encoder-decoder', async () => {
    expect(await session(['break layer 1', 'c', 'c', 'reverse-continue', 'reverse-continue'])).toContain(
      'this is the beginning',
    );
    const t5 = await session(
      ['break decoder.blocks.1.cross_attn.pattern', 'c', 'where', 'rl', 'c', 'delete 1', 'c'],
      tiny('t5-default'),
      '--ids',
      '5,9,3',
      '--max-new-tokens',
      '2',
    );
    expect(t5.match(/decoder\.blocks\.1\n/g)?.length).toBeGreaterThan(1);
    expect(tokensOf(t5)).toMatch(/^t0t\d+t\d+$/);
  });

  it('changes a condition, passes a breakpoint some times, and lists what it has', async () => {
    const text = await session([
      'break blocks.1.resid_post',
      'ignore 1 2',
      'c',
      'info b',
      'condition 1 step == 4',
      'c',
      'condition 1',
      'reverse-continue',
      'info b',
    ]);
    expect(text.match(/^blocks\.1, step \d$/gm)).toEqual(['blocks.1, step 2', 'blocks.1, step 4', 'blocks.1, step 3']);
    expect(text).toContain('1  blocks.1.resid_post  met 3 times');
    expect(text).toContain('1  blocks.1.resid_post  met 4 times');
  });

  it('stops nowhere outside of layers where the condition asks for one', async () => {
    const text = await session(['break embed if layer == 1', 'watch layer', 'c', 'c']);
    expect(text).toContain('breakpoint 2, watch layer: 0 → 1\nblocks.1\n');
    expect(text).not.toMatch(/^error/m);
  });

  it('logs and goes on, also in a run that begins anew', async () => {
    const text = await session([
      'log layer 1 if step > 1 "step {step}: {norm(blocks.1.resid_pre)}"',
      'continue',
      'force token 7 at step 0',
      'run',
    ]);
    const logged = [...text.matchAll(/^step (\d): (\d+\.\d+)$/gm)].map(([, step, norm]) => ({ step, norm }));
    expect(logged.map((l) => l.step)).toEqual(['2', '3', '4', '2', '3', '4']);
    expect(logged[0]?.norm).not.toBe(logged[3]?.norm);
    expect(text.match(/end of step 4/g)).toHaveLength(2);
  });

  it('watches values and catches what goes wrong', async () => {
    const watched = await session(['watch norm(blocks.1.resid_post) > 0', 'watch rank(" t5")', 'delete 2', 'c']);
    expect(watched).toContain('end of step 4'); // it never crosses
    const ranked = await session(['watch rank(5)', 'c', 'c']);
    expect(ranked).toMatch(/breakpoint 1, watch rank\(5\): \d+.* → \d+/);
    const caught = await session([
      'catch nan',
      'catch inf',
      'weight model.layers.1.mlp.up_proj.weight *= 1e30',
      'weight model.layers.1.mlp.down_proj.weight *= 1e30',
      'c',
      'info b',
      'catch off',
      'c',
    ]);
    expect(caught).toContain('inf: infinity first arises in blocks.1: mlp_out = Linear');
    expect(caught).toContain('catch nan\ncatch inf');
    expect(caught).toContain('nothing is caught');
  });

  it('a wrong point tells and goes on', async () => {
    const text = await session([
      'condition 9 1 > 0',
      'ignore 9 2',
      'ignore 1',
      'log layer 1',
      'log layer 1 "{1 +}"',
      'watch',
      'watch weight nowhere',
      'catch',
      'catch fire',
      'watch step',
      'condition 1 step > 2',
      'c',
    ]);
    expect(text.match(/^error /gm)).toHaveLength(10);
    expect(text).toContain('breakpoint 1, watch step: 0 → 1');
  });

  it('a wrong line tells and goes on', async () => {
    const text = await session([
      'stpe',
      'break nowhere.*',
      'break 9999',
      'delete 3',
      'print 1 +',
      'print blocks.9.x',
      'print blocks.2.mlp_out',
      'set x = 1',
      'backward rank(7)',
      'goto 99',
      'x logits',
      'attention blocks.0.attn.z',
      'print 1 + 1',
    ]);
    expect(text.match(/^error /gm)?.length).toBe(11);
    expect(text.trim().split('\n').at(-1)).toMatch(/^2(\.0+)?$/);
  });

  it('what it cannot run is refused', async () => {
    await refused('OPTION_INVALID', 'debug', tiny('bert-masked'), '--ids', '5');
    await refused('PROMPT_EMPTY', 'debug', gpt2);
    await refused('FILE_UNREADABLE', 'debug', gpt2, '--ids', '5', '-x', path.join(scratch, 'nowhere.txt'));
  });
});
