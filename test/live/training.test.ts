import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { DebuggerError } from '../../src/base/index.js';
import { LiveTarget } from '../../src/service/index.js';
import { cutaway } from '../cli/command.js';
import { Client } from '../dap/client.js';
import { pythonOrSkip } from '../support/python.js';
import { root } from '../support/root.js';
import { startScript } from './process.js';

vi.setConfig({ testTimeout: 120_000 }); // Python takes seconds to begin, and more on a machine that is busy

const scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-training-'));
const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** A line of train.py: what hand-written code computes of a step. */
const stepOf = (line: string): { loss: number; norms: number[] } => {
  const [, , loss, ...norms] = line.split(' ').map(Number);
  return { loss: loss ?? NaN, norms };
};

describe('a process that trains', () => {
  it('is stopped at steps and in backward, its gradients looked at and changed', async (context) => {
    const process = await startScript(context, 'train.py');
    const target = await LiveTarget.open({ ...process, ranks: 1 });
    ending.push(
      () => process.end(),
      () => target.dispose(),
    );
    await target.points({ add: [{ label: 'step', sites: 'optimiser', steps: [3] }] });
    const { stop, state } = await target.resume({ kind: 'continue' });
    expect(stop.reason).toBe('breakpoint');
    expect(state.position.step).toBe(3);
    const { loss, norms } = stepOf(await process.line(/^step 3 /));
    const { items } = await target.view({ ask: 'scope', scope: 'training', frame: 'step' });
    const shown = new Map(items.map((i) => [i.name, i.value]));
    expect(Number(/^[\d.]+/.exec(shown.get('loss') ?? '')?.[0])).toBeCloseTo(loss, 4);
    norms.forEach((norm, i) => {
      expect(Number(/norm ([\d.e-]+)/.exec(shown.get(`gradient of blocks.${i}`) ?? '')?.[1])).toBeCloseTo(norm, 4);
    });
    const { items: gradients } = await target.view({ ask: 'scope', scope: 'gradients', frame: 'step' });
    expect(gradients.map((g) => g.name)).toEqual(expect.arrayContaining(['grad(blocks.1)', 'grad(head.weight)']));

    await target.points({ remove: [1], add: [{ label: 'back', sites: 'backward blocks.1' }] });
    await target.resume({ kind: 'continue' });
    expect(target.state.place).toBe('backward of blocks.1');
    const refused = { info: { code: 'COMMAND_INVALID' } };
    await expect(target.resume({ kind: 'backward', of: 'loss' })).rejects.toMatchObject(refused);
    await target.apply({ change: 'edit', text: 'set grad(blocks.1) = zero' });
    await target.points({ remove: [2], add: [{ label: 'step', sites: 'optimiser' }] });
    await target.resume({ kind: 'continue' });
    const cut = stepOf(await process.line(/^step 4 /)).norms;
    expect(cut.slice(0, 2)).toEqual([0, 0]);
    expect(cut[2]).toBeGreaterThan(0);
    await target.apply({ change: 'undo' });
    const told = await target.points({ remove: [3], caught: ['exploding 1e-9'] });
    expect(told.caught).toEqual([{ kind: 'exploding' }]);
    const exploded = await target.resume({ kind: 'continue' });
    expect(exploded.stop).toMatchObject({ reason: 'exception', filter: 'exploding' });
    await target.points({ caught: ['vanishing 1e9'] });
    expect((await target.resume({ kind: 'continue' })).stop).toMatchObject({ filter: 'vanishing' });
  });

  it('is stopped at the module in which NaN first arises', async (context) => {
    const process = await startScript(context, 'train.py', '--nan-at', '2');
    const target = await LiveTarget.open({ ...process, ranks: 1 });
    ending.push(
      () => process.end(),
      () => target.dispose(),
    );
    await target.points({ caught: ['nan'] });
    const { stop, state } = await target.resume({ kind: 'continue' });
    expect(stop).toMatchObject({ reason: 'exception', filter: 'nan', description: 'NaN first arises in blocks.1.fc2' });
    expect(state.position.step).toBe(2);
  });

  it('computes the same bits with the agent attached and idle as without it', async (context) => {
    const python = pythonOrSkip(context, 'torch');
    const script = path.join(root, 'test/python/live/train.py');
    const env = { ...globalThis.process.env, PYTHONPATH: path.join(root, 'python/cutaway_agent') };
    const plain = execFileSync(python, [script, '--no-agent', '--steps', '20'], { env, encoding: 'utf8' });
    const process = await startScript(context, 'train.py', '--steps', '20');
    const target = await LiveTarget.open({ ...process, ranks: 1 });
    ending.push(
      () => process.end(),
      () => target.dispose(),
    );
    const { stop } = await target.resume({ kind: 'continue' });
    expect(stop).toEqual({ reason: 'end', description: 'the process has ended' });
    expect(await process.ended).toBe(0);
    expect(process.lines.slice(1)).toEqual(plain.trim().split('\n'));
  });

  it('writes a recording of the pass that went wrong, with no debugger there', async (context) => {
    const file = path.join(scratch, 'nan.cutrec');
    const process = await startScript(context, 'train.py', '--steps', '6', '--nan-at', '4', '--recording', file);
    expect(await process.ended).toBe(0);
    expect(existsSync(file)).toBe(true);
    const list = await cutaway('list', file);
    expect(list.stderr).toContain('first arises in blocks.1.fc2');
    const { stdout } = await cutaway('inspect', file, '--step', '4', '--sites', 'blocks.1.fc1,blocks.1.fc2', '--json');
    const [before, after] = (JSON.parse(stdout) as { sites: { nan: number }[] }).sites;
    expect({ before: before?.nan, after: (after?.nan ?? 0) > 0 }).toEqual({ before: 0, after: true });
  });

  it('writes times of modules and operations as a Chrome trace', async (context) => {
    const process = await startScript(context, 'train.py');
    const target = await LiveTarget.open({ ...process, ranks: 1 });
    ending.push(
      () => process.end(),
      () => target.dispose(),
    );
    await target.apply({ change: 'trace', ops: true });
    await target.points({ add: [{ label: 'x', sites: 'after root', steps: [1] }] });
    await target.resume({ kind: 'continue' });
    const file = path.join(scratch, 'trace.json');
    await target.apply({ change: 'trace', file });
    interface Event {
      readonly ph: string;
      readonly name: string;
      readonly cat: string;
      readonly ts: number;
      readonly dur: number;
      readonly args: { readonly in: object; readonly out: object; readonly bytesAllocated: number };
    }
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: Event[] };
    const outer = traceEvents.find((e) => e.name === 'blocks.0');
    const inner = traceEvents.find((e) => e.name === 'blocks.0.fc1');
    expect(inner?.args).toMatchObject({ in: { 'in.0': [16, 8] }, out: { out: [16, 16] }, bytesAllocated: 16 * 16 * 4 });
    expect(outer && inner && outer.ts <= inner.ts && outer.ts + outer.dur >= inner.ts + inner.dur).toBe(true);
    expect(traceEvents.some((e) => e.cat === 'op' && e.name.includes('addmm'))).toBe(true);
  });
});

describe('a live process in an editor', () => {
  it('is attached to, stopped, stepped, looked into, changed, restarted by the frame, and let go', async (context) => {
    const process = await startScript(context, 'train.py');
    ending.push(() => process.end());
    const client = new Client();
    ending.push(() => client.end());
    await client.ask('initialize', { adapterID: 'live', supportsMemoryEvent: true });
    await client.ask('attach', { host: process.host, port: process.port, token: process.token });
    await client.event('initialized');
    const told = client.all.find((m) => 'event' in m && m.event === 'capabilities') as unknown as {
      body: { capabilities: object };
    };
    expect(told.body.capabilities).toMatchObject({ supportsStepBack: false, supportsRestartFrame: true, supportsRestartRequest: false }); // prettier-ignore
    const set = { breakpoints: [{ name: 'blocks.1.fc2', condition: 'step == 2' }, { name: 'nowhere' }] };
    expect(await client.ask('setFunctionBreakpoints', set)).toMatchObject({
      breakpoints: [{ verified: true }, { verified: false }],
    });
    await client.ask('setExceptionBreakpoints', {
      filters: ['nan'],
      filterOptions: [{ filterId: 'exploding', condition: '1e6' }],
    });
    await client.ask('configurationDone');
    expect((await client.event('stopped')).body).toMatchObject({ reason: 'function breakpoint' });
    const { stackFrames } = await client.ask<{ stackFrames: { id: number; name: string; canRestart: boolean }[] }>('stackTrace', { threadId: 1 }); // prettier-ignore
    expect(stackFrames.map((f) => f.name.split(' ')[0])).toEqual([
      'blocks.1.fc2',
      'blocks.1',
      'root',
      'step',
      'training',
    ]);
    const { scopes } = await client.ask<{ scopes: { name: string; variablesReference: number }[] }>('scopes', {
      frameId: 1,
    });
    const inputs = scopes.find((s) => s.name === 'Inputs')?.variablesReference;
    const { variables } = await client.ask<{ variables: { name: string; value: string }[] }>('variables', {
      variablesReference: inputs,
    });
    expect(variables).toMatchObject([
      { name: 'blocks.1.fc2.in', value: expect.stringMatching(/^\[16, 16\] min 0/) as string },
    ]);
    await client.ask('setVariable', { variablesReference: inputs, name: 'blocks.1.fc2.in', value: '0' });
    const asked = { expression: 'absmax(blocks.1.fc2.in)', context: 'watch' };
    expect(await client.ask('evaluate', asked)).toMatchObject({ result: '0' });
    expect((await client.request('stepBack', { threadId: 1 })).success).toBe(false);
    expect(await client.until('next')).toMatchObject({ reason: 'step' });
    const block = stackFrames.find((f) => f.name.startsWith('blocks.1 '));
    expect(block?.canRestart).toBe(true);
    await client.ask('restartFrame', { frameId: 2 });
    await client.event('stopped');
    const again = await client.ask<{ stackFrames: { name: string }[] }>('stackTrace', { threadId: 1 });
    expect(again.stackFrames[0]?.name).toBe('blocks.1 (Block)');
    await client.ask('setFunctionBreakpoints', { breakpoints: [] });
    await client.ask('continue', { threadId: 1 });
    await process.line(/^step 9 /);
    await client.ask('pause', { threadId: 1 });
    expect((await client.event('stopped')).body).toMatchObject({ reason: 'pause' });
    await client.ask('disconnect', {});
    await process.line(/^step 200 /);
    expect(client.problems()).toEqual([]);
  });

  it('is refused with a wrong token, and told where nothing is', async (context) => {
    const process = await startScript(context, 'train.py');
    ending.push(() => process.end());
    const refused = (input: object): Promise<unknown> =>
      LiveTarget.open({ ...process, ranks: 1, ...input }).then(
        () => 'let in',
        (error: unknown) => (error instanceof DebuggerError ? error.info.code : 'no error of ours'),
      );
    expect(await refused({ token: 'guess' })).toBe('AGENT_REFUSED');
    expect(await refused({ port: 1 })).toBe('AGENT_UNREACHABLE');
    const first = await LiveTarget.open({ ...process, ranks: 1 });
    expect(await refused({})).toBe('AGENT_REFUSED');
    await first.dispose();
    const usage = await cutaway('attach', 'nowhere');
    expect({ status: usage.status, code: usage.stderr.includes('OPTION_INVALID') }).toEqual({ status: 2, code: true });
    const nobody = await cutaway('attach', '127.0.0.1:1', '--token', 'x');
    expect({ status: nobody.status, code: nobody.stderr.includes('AGENT_UNREACHABLE') }).toEqual({
      status: 3,
      code: true,
    });
  });

  it('ends well however much is asked of it meanwhile', async (context) => {
    const asked = async (target: LiveTarget): Promise<void> => {
      while (!target.hasNews)
        await Promise.all(Array.from({ length: 20 }, () => target.view({ ask: 'training', last: 200 })));
    };
    for (let i = 0; i < 3; i++) {
      const process = await startScript(context, 'train.py', '--steps', '30');
      const target = await LiveTarget.open({ ...process, ranks: 1 });
      ending.push(
        () => process.end(),
        () => target.dispose(),
      );
      const moved = target.resume({ kind: 'continue' });
      await asked(target).catch((error: unknown) => expect(error).toMatchObject({ info: { code: 'AGENT_LOST' } }));
      expect((await moved).stop).toMatchObject({ reason: 'end', description: 'the process has ended' });
      expect(await process.ended).toBe(0);
      expect(process.lines.filter((line) => line.startsWith('step '))).toHaveLength(30);
    }
  });
});
