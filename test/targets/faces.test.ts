import { afterEach, describe, expect, it } from 'vitest';
import { execute } from '../../src/cli/debug/commands.js';
import type { Console } from '../../src/cli/debug/console.js';
import type { Target } from '../../src/debugger/index.js';
import { UsageError } from '../../src/base/index.js';
import { llama } from '../cli/command.js';
import { Client } from '../dap/client.js';
import { asked, ids, made, targets } from './targets.js';

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

const opened = (kind: string): Promise<Target> => {
  const make = targets[kind];
  if (!make) throw new Error(kind);
  return make(asked());
};

interface Named {
  readonly name: string;
  readonly value: string;
  readonly variablesReference: number;
}

describe.each(Object.keys(targets))('in an editor, on a target: %s', (kind) => {
  it('is stopped, looked into, stepped, changed where it can be, and run to its end', async () => {
    const client = new Client({ open: () => opened(kind) });
    ending.push(() => client.end());
    await client.ask('initialize', { adapterID: 'faces', supportsMemoryEvent: true });
    await client.ask('launch', { model: llama, ids, maxNewTokens: made, stopOnExit: true });
    await client.event('initialized');
    const told = client.all.find((m) => 'event' in m && m.event === 'capabilities') as { body: object } | undefined;
    const limited = { recording: { supportsSetVariable: false }, 'like a process': { supportsStepBack: false } };
    expect(told?.body ?? {}).toMatchObject(
      kind in limited ? { capabilities: limited[kind as keyof typeof limited] } : {},
    );
    const set = { breakpoints: [{ name: 'blocks.*.resid_post', condition: 'layer == 1 && step == 1' }] };
    expect(await client.ask('setFunctionBreakpoints', set)).toMatchObject({ breakpoints: [{ verified: true }] });
    await client.ask('setExceptionBreakpoints', { filters: ['nan'] });
    await client.ask('configurationDone');
    expect((await client.event('stopped')).body).toMatchObject({ reason: 'function breakpoint' });

    const { stackFrames } = await client.ask<{ stackFrames: { id: number; name: string }[] }>('stackTrace', {
      threadId: 1,
    });
    expect(stackFrames.map((f) => f.name)).toContain('blocks.1');
    const { scopes } = await client.ask<{ scopes: Named[] }>('scopes', { frameId: 1 });
    for (const { variablesReference } of scopes) await client.ask('variables', { variablesReference });
    const sites = scopes.find((s) => s.name === 'Sites')?.variablesReference;
    const { variables } = await client.ask<{ variables: Named[] }>('variables', { variablesReference: sites });
    const post = variables.find((v) => v.name === 'blocks.1.resid_post');
    expect(post?.value).toMatch(/^\[1, 1, 32\] min/);
    const opening = { variablesReference: post?.variablesReference };
    const rows = await client.ask<{ variables: Named[] }>('variables', opening);
    expect(rows.variables).toHaveLength(1);

    const change = await client.request('setVariable', {
      variablesReference: sites,
      name: 'blocks.1.resid_post',
      value: '0',
    });
    expect(change.success).toBe(kind !== 'recording');
    const back = await client.request('stepBack', { threadId: 1, granularity: 'line' });
    expect(back.success).toBe(kind !== 'like a process');
    if (back.success) await client.event('stopped');
    await client.ask('setFunctionBreakpoints', { breakpoints: [] });
    expect(await client.until('continue')).toMatchObject({ description: 'the generation has ended' });
    expect(client.output('stdout')).toMatch(/^(?: ?t\d+){3}/);
    expect(client.problems()).toEqual([]);
  });
});

/** A console without a terminal. */
const consoleOf = async (kind: string): Promise<Console> => {
  const target = await opened(kind);
  ending.push(() => target.dispose());
  return { target, displays: [], frame: 0, move: (motion) => target.resume(motion) };
};

/** What a line prints, or the code of its error. */
const said = async (console: Console, line: string): Promise<string> =>
  execute(line, console).then(
    (text) => text ?? '',
    (error: unknown) => (error instanceof UsageError ? error.info.code : `crash: ${String(error)}`),
  );

describe.each(Object.keys(targets))('in a terminal, on a target: %s', (kind) => {
  it('carries out all commands, or says why not', async () => {
    const console = await consoleOf(kind);
    const { can } = console.target.about;
    const lines: [string, RegExp][] = [
      ['break blocks.*.resid_post if layer == 1', /^breakpoint 1: /],
      ['log blocks.0.resid_post "norm {norm(blocks.0.resid_post)}"', /^breakpoint 2: /],
      ['continue', /breakpoint 1\n.*blocks\.1/],
      ['where', /#\d. +blocks\.1/],
      ['up', /#1/],
      ['down', /#0/],
      ['list', /→/],
      ['info sites', /blocks\.1\.resid_post +\[1, 4, 32\] min/],
      ['info words', /\d+\.\d\d %/],
      ['info tokens', /"t5"/],
      ['info breakpoints', /met once/],
      ['print norm(blocks.1.resid_post)', /^\d+\.\d+$/],
      ['print blocks.1.resid_post[position=0, model=0..2]', /^\[.*model 3\]/],
      ['display max(blocks.1.resid_post)', /^1: /],
      ['x blocks.1.resid_post 1', /^ +0: /],
      ['words 3', /probability/],
      ['layer', /1: max\(blocks\.1\.resid_post\) = /],
      ['reverse-layer', can.back ? /blocks\.1/ : /^COMMAND_INVALID$/],
      ['step', can.units.includes('op') ? /\n/ : /^COMMAND_INVALID$/],
      ['token', /step 1/],
      ['scale blocks.2.mlp_out by 0', can.change ? /^changed/ : /^COMMAND_INVALID$/],
      ['undo', can.change ? /^undone$/ : /^COMMAND_INVALID$/],
      ['goto 0', can.back ? /\n/ : /^COMMAND_INVALID$/],
      ['delete', /^deleted 2/],
      ['continue', /the generation has ended/],
    ];
    for (const [line, answer] of lines)
      expect({ line, said: await said(console, line) }).toEqual({
        line,
        said: expect.stringMatching(answer) as string,
      });
  });
});
