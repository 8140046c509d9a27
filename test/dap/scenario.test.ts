import { describe, expect, it, afterEach } from 'vitest';
import type { RunResult } from '../../src/protocol/index.js';
import { json, llama } from '../cli/command.js';
import { Client } from './client.js';

const launch = { model: llama, ids: [5, 42, 9, 31], maxNewTokens: 4 };
const clients: Client[] = [];

/** A session in this process, as editors begin it; what nvim-dap really sends is in `nvim-like.test.ts`. */
const begin = async (more: object = {}, breakpoints: object[] = []): Promise<Client> => {
  const client = new Client();
  clients.push(client);
  await client.ask('initialize', {
    ...{ clientID: 'neovim', clientName: 'neovim', adapterID: 'nvim-dap', pathFormat: 'path', locale: 'en_US.UTF-8' },
    ...{ linesStartAt1: true, columnsStartAt1: true, supportsRunInTerminalRequest: true },
    ...{ supportsVariableType: true, supportsProgressReporting: true, supportsStartDebuggingRequest: true },
  });
  await client.ask('launch', { ...launch, ...more });
  await client.event('initialized');
  const { sources } = await client.ask<{ sources: { path: string }[] }>('loadedSources');
  const source = { path: sources[0]?.path ?? '', name: 'model.listing' };
  const lines = breakpoints.map((b) => (b as { line: number }).line);
  await client.ask('setBreakpoints', { source, breakpoints, lines, sourceModified: false });
  await client.ask('setExceptionBreakpoints', { filters: [] });
  return client;
};

afterEach(async () => {
  for (const client of clients.splice(0)) {
    await client.end();
    expect(client.problems()).toEqual([]);
  }
});

interface Frame {
  readonly id: number;
  readonly name: string;
  readonly line: number;
  readonly source: { readonly path?: string; readonly sourceReference: number };
}
interface Variable {
  readonly name: string;
  readonly value: string;
  readonly variablesReference: number;
  readonly memoryReference?: string;
}

const frames = async (client: Client): Promise<readonly Frame[]> => {
  await client.ask('threads');
  return (await client.ask<{ stackFrames: Frame[] }>('stackTrace', { threadId: 1, startFrame: 0 })).stackFrames;
};
const scope = async (client: Client, name: string): Promise<readonly Variable[]> => {
  const { scopes } = await client.ask<{ scopes: Variable[] }>('scopes', { frameId: 1 });
  return inside(
    client,
    scopes.find((s) => s.name === name),
  );
};
const inside = async (client: Client, { variablesReference } = { variablesReference: 0 }) =>
  (await client.ask<{ variables: Variable[] }>('variables', { variablesReference })).variables;

const generated = async (...args: string[]): Promise<string> => {
  const { generated: made } = await json<RunResult>(
    'run',
    llama,
    '--ids',
    '5,42,9,31',
    '--max-new-tokens',
    '4',
    '--quiet',
    ...args,
  );
  return made.ids.map((id) => `t${id}`).join('');
};

/** The line of the listing that gives the attention pattern. */
const patternLine = 43;

describe('an editor', () => {
  it('stops in the right layer and token, reads, steps, steps back, changes, continues', async () => {
    const client = await begin({}, [{ line: patternLine, condition: 'layer == 1 && step == 1' }]);
    await client.ask('configurationDone');
    expect((await client.event('stopped')).body).toMatchObject({ reason: 'breakpoint', hitBreakpointIds: [1] });
    const stack = await frames(client);
    expect(stack.map((f) => f.name.slice(0, 36))).toEqual([
      'attn.pattern = Softmax(attn.scores)',
      'attn',
      'blocks.1',
      expect.stringMatching(/^step 1, 5 tokens, the last 't\d+'$/),
      'generation',
    ]);
    expect(stack[0]?.line).toBe(patternLine);
    const sites = await scope(client, 'Sites');
    const pattern = sites.find((s) => s.name === 'blocks.1.attn.pattern');
    expect(pattern?.value).toMatch(/^\[1, 4, 1, 5\] min \S+ max \S+ mean 0\.20000 std \S+$/);
    const heads = await inside(client, pattern);
    expect(heads.map((h) => h.name)).toEqual(['[0]', '[1]', '[2]', '[3]']);
    const [row] = await inside(client, heads[2]);
    const cells = await inside(client, row);
    expect(cells.reduce((sum, cell) => sum + Number(cell.value), 0)).toBeCloseTo(1, 4);

    const before = (
      await client.ask<{ result: string }>('evaluate', {
        expression: 'norm(blocks.1.attn.z)',
        frameId: 1,
        context: 'watch',
      })
    ).result;
    await client.until('stepIn', { threadId: 1, granularity: 'statement' });
    expect((await frames(client))[0]?.line).toBe(patternLine + 1);
    await client.until('stepBack', { threadId: 1, granularity: 'instruction' });
    expect((await frames(client))[0]?.line).toBe(patternLine);
    expect(
      (await client.ask<{ result: string }>('evaluate', { expression: 'norm(blocks.1.attn.z)', context: 'watch' }))
        .result,
    ).toBe(before);

    const scoped = await client.ask<{ scopes: Variable[] }>('scopes', { frameId: 1 });
    const { variablesReference } = scoped.scopes[0] ?? { variablesReference: 0 };
    await inside(client, { variablesReference });
    const set = await client.ask<{ value: string }>('setVariable', {
      variablesReference,
      name: 'blocks.1.attn_out',
      value: '3',
    });
    expect(set.value).toMatch(/min 3 max 3 /);
    await client.ask('continue', { threadId: 1 });
    await client.event('terminated');
    const edited = await generated('--edit', 'set blocks.1.attn_out = 3 at step 1');
    expect(client.output('stdout')).toBe(`${edited}\n`);
    expect(edited).not.toBe(await generated());
  });

  it('runs to the end with the tokens that `run` makes, told as they come', async () => {
    const client = await begin();
    await client.ask('configurationDone');
    await client.event('terminated');
    expect(client.output('stdout')).toBe(`${await generated()}\n`);
  });

  it('counts hits, logs, and stops at sites and tokens', async () => {
    const client = await begin({ stopOnEntry: true }, [
      { line: patternLine, hitCondition: '% 4' },
      { line: 49, logMessage: 'layer {layer} of {step}: {norm(blocks.0.resid_pre) > 0} {"}" == token}' },
      { line: 2, hitCondition: 'often' },
      { line: 999 },
      { line: 49, logMessage: '{nonsense}' },
    ]);
    await client.ask('configurationDone');
    await client.event('stopped');
    const set = client.all.find((m) => m.type === 'response' && 'command' in m && m.command === 'setBreakpoints');
    expect(set).toMatchObject({
      body: {
        breakpoints: [
          { verified: true, line: patternLine },
          { verified: true, line: 49 },
          { verified: false, line: 3, message: expect.stringContaining('count of hits') as string },
          { verified: false, line: 999 },
          { verified: false, message: expect.stringContaining('nonsense') as string },
        ],
      },
    });
    expect(await client.until('continue')).toMatchObject({ reason: 'breakpoint', hitBreakpointIds: [1] });
    expect((await frames(client)).map((f) => f.name)[2]).toBe('blocks.0'); // the fourth of 3 layers, in step 1
    expect(client.output('console')).toMatch(
      /^layer 0 of 0: true false\nlayer 1 of 0: true false\nlayer 2 of 0: true false\n$/,
    );
    const { sources } = await client.ask<{ sources: { name: string; sourceReference: number }[] }>('loadedSources');
    await client.ask('setBreakpoints', { source: { path: 'elsewhere' }, breakpoints: [{ line: 1 }] });
    await client.ask('setBreakpoints', { source: sources[0], breakpoints: [] });
    await client.ask('setBreakpoints', { source: sources[1], breakpoints: [{ line: 7 }] });
    expect(await client.until('continue')).toMatchObject({ reason: 'breakpoint' });
    expect((await frames(client)).at(-1)).toMatchObject({ line: 7, name: 'generation' });
    const { content } = await client.ask<{ content: string }>('source', { sourceReference: 2 });
    expect(content.trim().split('\n')).toHaveLength(7);
  });

  it('opens a number, sets it, undoes it', async () => {
    const client = await begin({ stopOnEntry: true });
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'blocks.2.mlp.post' }] });
    await client.ask('configurationDone');
    await client.event('stopped');
    expect(await client.until('continue')).toMatchObject({ reason: 'function breakpoint' });
    const post = (await scope(client, 'Sites')).find((s) => s.name === 'blocks.2.mlp.post');
    const rows = await inside(client, post);
    const cells = await inside(client, rows[3]);
    const memory = async () => {
      const { data } = await client.ask<{ data: string }>('readMemory', {
        memoryReference: 'blocks.2.mlp.post',
        offset: 4 * (3 * 36 + 5),
        count: 4,
      });
      return Buffer.from(data, 'base64').readFloatLE(0);
    };
    expect(await memory()).toBeCloseTo(Number(cells[5]?.value), 4);
    const set = await client.ask<{ value: string }>('setVariable', {
      variablesReference: rows[3]?.variablesReference,
      name: '[5]',
      value: '7.5',
    });
    expect(set.value).toContain('min 7.50000 max 7.50000');
    expect(await memory()).toBe(7.5);
    await client.ask('evaluate', { expression: 'undo', context: 'repl' });
    expect(await memory()).toBeCloseTo(Number(cells[5]?.value), 4);
    const stale = await client.request('variables', { variablesReference: post?.variablesReference });
    expect(stale).toMatchObject({ success: false, message: 'MESSAGE_INVALID' });
  });
});
