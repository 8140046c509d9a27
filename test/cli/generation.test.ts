import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/protocol/index.js';
import { greedyOf, type Golden } from '../support/golden.js';
import { withConfig } from './broken.js';
import { cutaway, gpt2, json } from './command.js';

const greedy = greedyOf(JSON.parse(readFileSync(path.join(gpt2, 'golden.json'), 'utf8')) as Golden);
const ids = ['--ids', greedy.prompt.join()];

const generate = async (...args: readonly string[]): Promise<RunResult> =>
  json<RunResult>('run', gpt2, ...ids, '--max-new-tokens', '20', ...args);
const made = async (...args: readonly string[]): Promise<readonly number[]> => (await generate(...args)).generated.ids;

describe('generation', () => {
  it.each([
    [[]],
    [['--temperature', '0']],
    [['--temperature', '0', '--top-k', '3', '--seed', '4']],
    [['--top-k', '1']],
  ])('is greedy with %j, as transformers', async (options) => {
    expect(await made('--ignore-eos', ...options)).toEqual(greedy.ids);
  });

  it('gives the same tokens for a seed, others for another', async () => {
    const first = await made('--temperature', '1.5', '--seed', '7', '--ignore-eos');
    expect(await made('--temperature', '1.5', '--seed', '7', '--ignore-eos')).toEqual(first);
    expect(await made('--temperature', '1.5', '--seed', '8', '--ignore-eos')).not.toEqual(first);
    expect(await made('--temperature', '1.5', '--ignore-eos')).toEqual(
      await made('--temperature', '1.5', '--seed', '0', '--ignore-eos'),
    );
  });

  it('stops at the end token, which counts as made, unless told to go on', async () => {
    const folder = withConfig({ eos_token_id: 53 });
    const args = ['run', folder, ...ids, '--max-new-tokens', '20'];
    const ended = await json<RunResult>(...args);
    expect(ended.stop).toBe('eos');
    expect(ended.generated.ids).toEqual(greedy.ids.slice(0, greedy.ids.indexOf(53) + 1));
    const onward = await json<RunResult>(...args, '--ignore-eos');
    expect(onward).toMatchObject({ stop: 'length', generated: { ids: greedy.ids } });
  });

  it('stops where no positions are left', async () => {
    const { stop, generated, tokens } = await generate('--max-new-tokens', '100', '--ignore-eos');
    expect(stop).toBe('context');
    expect(tokens.length + generated.ids.length).toBeGreaterThanOrEqual(40);
    expect(tokens.length + generated.ids.length).toBeLessThanOrEqual(41);
  });

  it('of edits: options first, edits over them', async () => {
    expect(await made('--temperature', '1.5', '--edit', 'temperature 0', '--ignore-eos')).toEqual(greedy.ids);
    const seeded = await made('--temperature', '1.5', '--seed', '7', '--ignore-eos');
    expect(await made('--edit', 'temperature 1.5', '--edit', 'seed 7', '--ignore-eos')).toEqual(seeded);
  });

  it('takes a forced token whatever the model says, and goes on from it', async () => {
    const forced = await made('--edit', 'force token "t9" at step 1', '--ignore-eos');
    expect(forced.slice(0, 2)).toEqual([greedy.ids[0], 9]);
    const onward = [...greedy.prompt, ...forced.slice(0, 2)].join();
    const rest = await json<RunResult>('run', gpt2, '--ids', onward, '--max-new-tokens', '18', '--ignore-eos');
    expect(rest.generated.ids).toEqual(forced.slice(2));
  });

  it('streams the text to people before the summary', async () => {
    const { stdout } = await cutaway('run', gpt2, ...ids, '--max-new-tokens', '3', '--ignore-eos');
    expect(stdout.startsWith((await generate('--max-new-tokens', '3', '--ignore-eos')).generated.text)).toBe(true);
    expect(stdout).toContain('gpt2');
  });
});
