import { afterEach, describe, expect, it } from 'vitest';
import { execute } from '../../src/cli/debug/commands.js';
import type { DebuggerError } from '../../src/base/index.js';
import { HostTarget } from '../../src/service/host/index.js';
import { debugInput } from '../../src/protocol/index.js';
import { llama } from '../cli/command.js';
import { Client } from '../dap/client.js';
import { asked, ids, made } from './targets.js';

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** Ends the process that the run is in, as a crash does, and waits until that is known. */
const kill = async (target: HostTarget): Promise<void> => {
  const { pid } = target.client;
  if (pid === undefined) throw new Error('there is no host');
  process.kill(pid, 'SIGKILL');
  await target.view({ ask: 'points' }).catch(() => undefined);
};

describe('a host that is killed', () => {
  it('takes neither breakpoints nor changes with it: another one has them', async () => {
    const deaths: DebuggerError[] = [];
    const target = await HostTarget.open(asked({ edits: [{ text: 'drop head 0.1' }] }), {
      onDeath: (error) => deaths.push(error),
    });
    ending.push(() => target.dispose());
    await target.points({
      add: [
        { label: 'gone', layers: [0] },
        { label: 'kept', sites: 'blocks.*.resid_post', condition: 'layer == 1' },
      ],
      caught: ['nan'],
    });
    await target.points({ remove: [1], change: [{ id: 2, condition: 'layer == 2', ignore: 1 }] });
    await target.resume({ kind: 'step', by: 'token' });
    await target.apply({ change: 'edit', text: 'scale blocks.0.mlp_out by 0.5' });
    const { edits } = target.state;
    await kill(target);
    expect(deaths.map((e) => e.info.code)).toEqual(['HOST_DIED']);
    await expect(target.resume({ kind: 'continue' })).rejects.toMatchObject({ info: { code: 'HOST_DIED' } });
    const { state, done } = await target.apply({ change: 'restart' });
    expect({ done, edits: state.edits, position: state.position }).toEqual({
      ...{ done: true, edits, position: { step: 0, at: 0, op: 0 } },
    });
    expect(await target.view({ ask: 'points' })).toEqual({
      points: [{ id: 2, label: 'kept if layer == 2', met: 0, ignore: 1, temporary: false }],
      caught: ['nan'],
    });
    const { stop } = await target.resume({ kind: 'continue' });
    expect(stop).toMatchObject({ reason: 'breakpoint', point: 2 });
    expect([target.state.place, target.state.position.step]).toEqual(['blocks.2', 1]); // passed once
  });

  it('takes nothing of what can be undone and made again with it', async () => {
    const target = await HostTarget.open(asked({ edits: [{ text: 'drop head 0.1' }] }));
    ending.push(() => target.dispose());
    const [temperature, dropped] = ['temperature 0.7', 'drop head 0.1'];
    for (const text of ['scale blocks.0.mlp_out by 0.5', 'skip layer 1', temperature, 'seed 7'])
      await target.apply({ change: 'edit', text });
    await target.resume({ kind: 'step', by: 'token' });
    for (const change of ['undo', 'undo', 'undo', 'redo'] as const) await target.apply({ change });
    const edits = [dropped, 'scale blocks.0.mlp_out by 0.5', 'skip layer 1'];
    expect(target.state.edits).toEqual(edits);
    await kill(target);
    await target.apply({ change: 'restart' });
    expect(target.state.edits).toEqual(edits);
    const after = async (change: 'undo' | 'redo') => {
      const { done, state } = await target.apply({ change });
      return done && state.edits;
    };
    expect(await after('redo')).toEqual([...edits, temperature]);
    expect(await after('redo')).toEqual([...edits, temperature, 'seed 7']);
    expect(await after('redo')).toBe(false);
    for (const left of [4, 3, 2, 1]) expect(await after('undo')).toHaveLength(left);
    expect(target.state.edits).toEqual([dropped]);
    expect(await after('undo')).toBe(false);
    const unedited = await HostTarget.open(asked({ edits: [{ text: dropped }] }));
    ending.push(() => unedited.dispose());
    const run = async (one: HostTarget) => (await one.resume({ kind: 'continue' })).state.tokens;
    expect(await run(target)).toEqual(await run(unedited));
  });

  it('is told of in an editor, in the middle of a run too, and restart goes on', async () => {
    let target: HostTarget | undefined;
    const client = new Client({
      open: async (input, options) => (target = await HostTarget.open(debugInput.parse(input), options)),
    });
    ending.push(() => client.end());
    await client.ask('initialize', { adapterID: 'death' });
    await client.ask('launch', { model: llama, ids, maxNewTokens: made, stopOnEntry: true, stopOnExit: true });
    await client.event('initialized');
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'blocks.1.attn.z' }] });
    await client.ask('configurationDone');
    await client.event('stopped');
    if (target) await kill(target);
    expect(client.output('important')).toContain('Restart to go on');
    expect((await client.until('continue'))['description']).toBe('the run failed');
    expect(client.output('stderr')).toContain('the host ended');
    await client.ask('restart');
    expect((await client.event('stopped')).body).toMatchObject({ reason: 'entry' });
    expect(await client.until('continue')).toMatchObject({ reason: 'function breakpoint' });
    expect(client.problems()).toEqual([]);
  });

  it('is told of in a terminal, where `run` begins again', async () => {
    const target = await HostTarget.open(asked());
    ending.push(() => target.dispose());
    const console = { target, displays: [], frame: 0, move: target.resume.bind(target) };
    await execute('break layer 1', console);
    await kill(target);
    await expect(execute('continue', console)).rejects.toMatchObject({ info: { code: 'HOST_DIED' } });
    expect(await execute('run', console)).toMatch(/another process was started[^]*breakpoint 1\n/);
  });
});
