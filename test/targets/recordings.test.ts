import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Target } from '../../src/debugger/index.js';
import { openTarget } from '../../src/service/index.js';
import type { InspectResult, ListResult } from '../../src/protocol/index.js';
import { scratch } from '../cli/broken.js';
import { cutaway, json, llama, refused, tiny } from '../cli/command.js';
import { Client } from '../dap/client.js';
import { asked, ids, made, recordingOf } from './targets.js';

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

const opened = async (more: object = {}): Promise<Target> => {
  const target = await openTarget(asked(more));
  ending.push(() => target.dispose());
  return target;
};

const inspected = async (file: string, step: number): Promise<InspectResult['sites'][number] | undefined> =>
  (await json<InspectResult>('inspect', file, '--sites', 'blocks.1.resid_post', '--step', String(step), '--quiet'))
    .sites[0];

describe('a debugged run that is recorded', () => {
  it('has the values and tokens that the run had, those of a change included', async () => {
    const file = path.join(scratch, 'debugged.cutrec');
    const target = await opened();
    await target.resume({ kind: 'step', by: 'token' });
    await target.apply({ change: 'edit', text: 'scale blocks.0.mlp_out by 0' });
    await target.resume({ kind: 'continue' });
    await target.apply({ change: 'record', file, sites: 'blocks.1.resid_post' });
    const { position } = target.state;
    expect(position.step).toBe(made);
    const listed = await json<ListResult>('list', file, '--quiet');
    expect(listed.recording).toMatchObject({ verb: 'debug', edits: ['scale blocks.0.mlp_out by 0'] });
    expect(listed.recording?.generated?.map((t) => t.id)).toEqual(
      target.state.tokens.slice(ids.length).map((t) => t.id),
    );
    await target.resume({ kind: 'goto', position: { step: 2, at: 0, op: 0 } });
    await target.points({ add: [{ label: 'there', sites: 'blocks.1.resid_post' }] });
    await target.resume({ kind: 'continue' });
    const own = await target.view({ ask: 'evaluate', expression: 'max(blocks.1.resid_post)' });
    expect((await inspected(file, 2))?.max).toBeCloseTo(Number(own.value), 4);
  });

  it('is saved at the end where that was asked for; a step that was run again counts as it was run last', async () => {
    const file = path.join(scratch, 'asked.cutrec');
    const target = await openTarget(asked({ record: file, recordSites: 'blocks.1.resid_post' }));
    await target.resume({ kind: 'continue' });
    await target.resume({ kind: 'goto', position: { step: 1, at: 0, op: 0 } });
    await target.apply({ change: 'edit', text: 'set blocks.1.resid_post = 7 from step 1' });
    await target.resume({ kind: 'step', by: 'token', times: 2 });
    await target.dispose();
    expect(await inspected(file, 0)).toMatchObject({ shape: [1, 4, 32] });
    expect(await inspected(file, 1)).toMatchObject({ min: 7, max: 7, shape: [1, 1, 32] });
    const { recording } = await json<ListResult>('list', file, '--quiet');
    expect(recording?.steps['blocks.1.resid_post']).toEqual([0, 1, 2]);
  });

  it('that cannot be written is refused, and nothing is lost', async () => {
    const target = await opened();
    await target.resume({ kind: 'step', by: 'token' });
    const nowhere = path.join(scratch, 'no', 'folder', 'x.cutrec');
    await expect(target.apply({ change: 'record', file: nowhere })).rejects.toMatchObject({
      info: { code: 'OUT_UNWRITABLE' },
    });
    expect(target.state.position.step).toBe(1);
    await refused('SITE_UNKNOWN', 'debug', llama, '--ids', '5', '--record', path.join(scratch, 'y.cutrec'), '--record-sites', 'nowhere'); // prettier-ignore
  });
});

describe('a recording in an editor', () => {
  it('is attached to by itself, and with its model, where all can be looked at', async () => {
    const recording = await recordingOf();
    const begin = async (more: object): Promise<Client> => {
      const client = new Client();
      ending.push(() => client.end());
      await client.ask('initialize', { adapterID: 'attach' });
      await client.ask('attach', { recording, ...more });
      await client.event('initialized');
      await client.ask('configurationDone');
      expect((await client.event('stopped')).body).toMatchObject({ reason: 'entry' });
      return client;
    };
    const alone = await begin({});
    expect(alone.output('console')).toContain('this is a recording');
    await alone.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'blocks.2.attn.pattern' }] });
    await alone.until('continue');
    const read = async (client: Client, expression: string): Promise<unknown> =>
      (await client.ask<{ result: unknown }>('evaluate', { expression, context: 'watch' })).result;
    const value = await read(alone, 'max(blocks.2.attn.pattern)');
    const edit = await alone.request('evaluate', { expression: 'drop head 0.1', context: 'repl' });
    expect(edit.success).toBe(false);

    const whole = await begin({ model: llama });
    await whole.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'blocks.2.attn.pattern' }] });
    await whole.until('continue');
    expect(await read(whole, 'max(blocks.2.attn.pattern)')).toBe(value);
    await whole.ask('evaluate', { expression: 'drop head 0.1', context: 'repl' });
    for (const client of [alone, whole]) expect(client.problems()).toEqual([]);
  });

  it('of another model is refused, unless that is wanted', async () => {
    const recording = await recordingOf();
    const client = new Client();
    ending.push(() => client.end());
    const given = { recording, model: tiny('gpt2-default') };
    const { success, message } = await client.request('attach', given);
    expect({ success, message }).toEqual({ success: false, message: 'RECORDING_MISMATCH' });
    expect((await client.request('attach', { ...given, force: true })).success).toBe(true);
    const wrong = new Client();
    ending.push(() => wrong.end());
    expect((await wrong.request('attach', {})).message).toBe('MESSAGE_INVALID');
    expect((await wrong.request('attach', { recording: path.join(llama, 'config.json') })).success).toBe(false);
  });
});

describe('a recording in a terminal', () => {
  it('is walked along without its model; a prompt beside it is refused', async () => {
    const recording = await recordingOf();
    const script = path.join(scratch, 'walk.txt');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(
      script,
      'token\ninfo words\nbreak blocks.1.attn.z\nc\nprint norm(blocks.1.attn.z)\nset x = 1\nquit\n',
    );
    const { status, stdout, stderr } = await cutaway('debug', recording, '-x', script);
    expect({ status, note: stderr.includes('this is a recording') }).toEqual({ status: 0, note: true });
    expect(stdout).toMatch(/breakpoint 1\n/);
    expect(stdout).toContain('a recording cannot be changed');
    await refused('OPTION_INVALID', 'debug', recording, '--ids', '5');
  });
});
