import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import type { InspectResult } from '../../src/protocol/index.js';
import { write } from './broken.js';
import { cutaway, json, llama } from './command.js';

let files = 0;

/** What the debugger prints for some commands, without colours. */
const session = async (...lines: readonly string[]): Promise<string> => {
  const script = write(`backward-${files++}.txt`, [...lines, 'quit'].join('\n'));
  const { status, stdout } = await cutaway(
    ...['debug', llama, '--ids', '5,42,9,31', '--max-new-tokens', '2', '--ignore-eos', '-x', script],
  );
  expect(status).toBe(0);
  return stripVTControlCharacters(stdout);
};

const last = (text: string): number => Number(text.trim().split('\n').at(-1));

const gradientOf = async (site: string, ...more: readonly string[]): Promise<number> => {
  const args = ['--ids', '5,42,9,31', '--sites', site, '--grad-of', 'loss', '--quiet', ...more];
  return (await json<InspectResult>('inspect', llama, ...args)).sites[1]?.max ?? NaN;
};

it('walks the way back of a number, and prints what `inspect --grad-of` tells', async () => {
  const text = await session('backward loss', 'layer 2', 'where', 'print max(grad(resid_post))');
  expect(text).toMatch(/^backward of head {2}grad\(logits\) {2}norm \d/m);
  expect(text).toMatch(/#0 {2}grad\(blocks\.1\.resid_post\) {2}line \d+\n#1 {2}backward of blocks\.1\n#2 {2}backward of loss = \d/); // prettier-ignore
  expect(last(text)).toBeCloseTo(await gradientOf('blocks.1.resid_post'), 4);
});

it('stops in it, forward and back, and the run then stands where it stood', async () => {
  const text = await session(
    ...['layer', 'break backward blocks.*.attn_out if layer < 2', 'break backward layer 2', 'backward loss'],
    ...['c', 'c', 'c', 'rc', 'rc', 'info b', 'backward off', 'where'],
  );
  const stops = [...text.matchAll(/^breakpoint (\d)\nbackward of \S+ {2}grad\((\S+)\)/gm)].map((m) => m.slice(1, 3).join(' ')); // prettier-ignore
  expect(stops).toEqual([
    ...['2 blocks.2.resid_post', '1 blocks.1.attn_out', '1 blocks.0.attn_out'],
    ...['1 blocks.1.attn_out', '2 blocks.2.resid_post'],
  ]);
  expect(text).toMatch(
    /1 {2}backward blocks\.\*\.attn_out if layer < 2 {2}met 2 times\n2 {2}backward layer 2 {2}met once/,
  );
  expect(text).toMatch(/#0 .*\n#1 {2}ln1\n#2 {2}blocks\.0\n/);
});

it('goes on to a line, in the next layer back that has it', async () => {
  const line = /^ →? +(\d+) +mlp_out = /m.exec(
    await session('backward loss', 'break backward blocks.2.mlp_out', 'c'),
  )?.[1];
  const text = await session('backward loss', `until ${line ?? ''}`, `until ${line ?? ''}`, 'goto 1');
  expect([...text.matchAll(/grad\((\S+)\)/g)].map(([, site]) => site)).toEqual([
    ...['logits', 'blocks.2.mlp_out', 'blocks.1.mlp_out'],
  ]);
  expect(text.trim()).toMatch(/embed, step 1\n.*$/);
});

it('catches what goes wrong, and has edits of gradients in force', async () => {
  const edit = 'scale grad(blocks.2.resid_mid) by 1e6';
  const text = await session('catch exploding 1e4', edit, 'backward loss', 'c', 'print max(grad(resid_mid))');
  expect(text).toMatch(
    /^exploding: grad\(blocks\.2\.resid_mid\): it is \S+ long, more than 10000\nbackward of blocks\.2 /m,
  );
  const wanted = await gradientOf('blocks.2.resid_mid', '--edit', edit);
  expect(last(text) / wanted).toBeCloseTo(1, 4);
  expect(await session('catch exploding 1e4', 'backward loss', 'c')).toMatch(/the way back is over: the run stands where it stood\nembed\n/); // prettier-ignore
});

it('draws its values, lists them, and refuses what is of the run', async () => {
  const text = await session(
    ...[
      'backward loss',
      'layer',
      'info gradients',
      'x grad(blocks.2.resid_post) 1',
      'lens',
      'backward',
      'break backward',
    ],
  );
  expect(text).toMatch(/grad\(blocks\.2\.attn\.pattern\) +norm \d\S+ +\[1, 4, 4, 4\] min /);
  expect(text).toMatch(/^ {7}0: /m);
  expect(text.match(/^error /gm)).toHaveLength(3);
});
