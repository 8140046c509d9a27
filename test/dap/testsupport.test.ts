import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { generated, scene } from './neovim/scene.js';
import { startServer, type Server } from './process-client.js';
import { SupportClient } from './support-client.js';

/** Some tests start a process, which takes its time on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

/** Lines of the listing of `llama-grouped`. */
const lines = { embed: 3, norm: 6, pattern: 43, afterPattern: 44, attnOut: 49 } as const;
const { launch } = scene;
const thread = { threadId: 1 };

let server: Server;
let listing: string;
let client: SupportClient;
let connected = false;

const open = async (where: 'stdio' | 'port' = 'port'): Promise<SupportClient> => {
  client = new SupportClient();
  await client.start(where === 'port' ? server.port : undefined);
  connected = true;
  return client;
};

const stop = async (): Promise<void> => {
  if (connected) await client.stop();
  connected = false;
};

/** Launches, sets what should stop it, lets it run, and waits until it stands. */
const begin = async (
  configure: () => Promise<unknown> = () => Promise.resolve(),
  more: object = {},
): Promise<DebugProtocol.StoppedEvent['body']> => {
  const dc = await open();
  const initialized = dc.waitForEvent('initialized');
  await dc.launch({ ...launch, ...more });
  await initialized;
  await configure();
  return until(dc.configurationDoneRequest());
};

const until = async (request: Promise<unknown>): Promise<DebugProtocol.StoppedEvent['body']> => {
  const [stopped] = await Promise.all([client.waitForEvent('stopped'), request]);
  return stopped.body as DebugProtocol.StoppedEvent['body'];
};

/** What is printed of a category from now on. */
const printed = (category: string, dc = client): (() => string) => {
  const texts: string[] = [];
  dc.on('output', ({ body }: DebugProtocol.OutputEvent) => {
    if (body.category === category) texts.push(body.output);
  });
  return () => texts.join('');
};

const stack = async (): Promise<readonly DebugProtocol.StackFrame[]> =>
  (await client.stackTraceRequest(thread)).body.stackFrames;
const layer = async (): Promise<string | undefined> => (await stack()).at(-3)?.name;
const value = async (expression: string): Promise<string> =>
  (await client.evaluateRequest({ expression, context: 'watch' })).body.result;
const setLines = (...breakpoints: DebugProtocol.SourceBreakpoint[]) =>
  client.setBreakpointsRequest({ source: { path: listing }, breakpoints });

beforeAll(async () => {
  server = await startServer();
  await begin(undefined, { stopOnEntry: true });
  listing = (await stack())[0]?.source?.path ?? '';
  await stop();
});

afterEach(async () => {
  await stop();
  expect(client.problems()).toEqual([]);
});

afterAll(async () => {
  server.child.kill('SIGINT');
  expect(await server.ended).toMatchObject({ status: 0 });
});

describe.each(['stdio', 'port'] as const)('over %s', (where) => {
  it('runs to the end, and prints what the command line prints', async () => {
    const dc = await open(where);
    const text = `${await generated()}\n`;
    const exited = dc.waitForEvent('exited');
    const done = [dc.waitForEvent('terminated'), dc.assertOutput('stdout', text)];
    await Promise.all([dc.configurationSequence(), dc.launch(launch), ...done]);
    expect((await exited).body).toEqual({ exitCode: 0 });
  });

  it('stops before the first operation where that is asked for', async () => {
    const dc = await open(where);
    const stopped = dc.assertStoppedLocation('entry', { path: /\.listing$/, line: lines.embed, column: 1 });
    await Promise.all([dc.configurationSequence(), dc.launch({ ...launch, stopOnEntry: true }), stopped]);
    const { threads } = (await dc.threadsRequest()).body;
    expect(threads).toEqual([{ id: 1, name: expect.stringContaining('prefill') as string }]);
  });

  it('hits a breakpoint; one on a line without an operation moves to the next', async () => {
    await (await open(where)).hitBreakpoint(launch, { path: listing, line: lines.pattern });
    await stop();
    const norm = { path: listing, line: lines.norm };
    await (await open(where)).hitBreakpoint(launch, { path: listing, line: 4 }, norm, norm);
  });
});

describe('breakpoints', () => {
  it('with conditions, hit counts and messages', async () => {
    let said = (): string => '';
    await begin(async () => {
      said = printed('console');
      await setLines(
        { line: lines.pattern, condition: 'step == 1 && layer > 0', hitCondition: '2' },
        { line: lines.attnOut, logMessage: '{layer} of {step}' },
      );
    });
    expect(await layer()).toBe('blocks.2');
    expect(await value('step')).toBe('1');
    expect(said()).toBe('0 of 0\n1 of 0\n2 of 0\n0 of 1\n1 of 1\n');
  });

  it('at sites', async () => {
    const set = () =>
      client.setFunctionBreakpointsRequest({
        breakpoints: [{ name: 'blocks.*.attn.z', condition: 'layer == 2' }, { name: 'nowhere' }],
      });
    const stopped = await begin(async () => {
      expect((await set()).body.breakpoints.map((b) => b.verified)).toEqual([true, false]);
    });
    expect(stopped).toMatchObject({ reason: 'function breakpoint', hitBreakpointIds: [expect.any(Number)] });
    expect((await stack())[0]?.name).toMatch(/^attn\.z = /);
    expect(await layer()).toBe('blocks.2');
  });

  it('on data', async () => {
    await begin(undefined, { stopOnEntry: true });
    const { dataId, accessTypes } = (await client.dataBreakpointInfoRequest({ name: 'step' })).body;
    expect({ dataId, accessTypes }).toEqual({ dataId: 'step', accessTypes: ['write'] });
    await client.setDataBreakpointsRequest({ breakpoints: [{ dataId: 'step', condition: '> 1' }] });
    expect(await until(client.continueRequest(thread))).toMatchObject({ reason: 'data breakpoint' });
    expect(await value('step')).toBe('2');
  });

  it('on exceptions, and tells where they arise', async () => {
    const edits = ['scale blocks.1.attn.q by 1e38', 'scale blocks.1.attn.k by 1e38'];
    const stopped = await begin(() => client.setExceptionBreakpointsRequest({ filters: ['nan'] }), { edits });
    expect(stopped.reason).toBe('exception');
    const { exceptionId, description } = (await client.exceptionInfoRequest(thread)).body;
    expect(exceptionId).toBe('nan');
    expect(description).toMatch(/^NaN first arises in blocks\.1: /);
  });
});

describe('moving', () => {
  const atPattern = () => begin(() => setLines({ line: lines.pattern, condition: 'layer == 1 && step == 1' }));

  it('on and back, to the same bits', async () => {
    await atPattern();
    const bits = await value('norm(blocks.1.attn.pattern) * 1000000');
    const line = async (): Promise<number | undefined> => (await stack())[0]?.line;
    await until(client.stepInRequest(thread));
    expect(await line()).toBe(lines.afterPattern);
    await until(client.stepBackRequest({ ...thread, granularity: 'instruction' }));
    expect(await line()).toBe(lines.pattern);
    expect(await value('norm(blocks.1.attn.pattern) * 1000000')).toBe(bits);
    await until(client.stepOutRequest(thread));
    await until(client.nextRequest({ ...thread, granularity: 'line' }));
    expect(await layer()).toBe('blocks.2');
    expect(await until(client.reverseContinueRequest(thread))).toMatchObject({ reason: 'breakpoint' });
    expect([await layer(), await line()]).toEqual(['blocks.1', lines.pattern]);
    expect(await value('norm(blocks.1.attn.pattern) * 1000000')).toBe(bits);
  });

  it('to the beginning of a frame, and to another layer', async () => {
    await atPattern();
    const frame = (await stack()).find((f) => f.name === 'blocks.1');
    expect(frame?.canRestart).toBe(true);
    await until(client.restartFrameRequest({ frameId: frame?.id ?? 0 }));
    expect((await stack())[0]?.line).toBe(lines.norm);
    const { targets } = (await client.gotoTargetsRequest({ source: { path: listing }, line: lines.pattern })).body;
    expect(targets.map((t) => t.label)).toEqual(['blocks.0', 'blocks.1', 'blocks.2']);
    expect(await until(client.gotoRequest({ ...thread, targetId: targets[2]?.id ?? 0 }))).toMatchObject({
      reason: 'goto',
    });
    expect(await layer()).toBe('blocks.2');
  });

  it('and a pause that comes right behind is heard', async () => {
    await begin(undefined, { stopOnEntry: true, maxNewTokens: 40, ignoreEos: true });
    const going = client.continueRequest(thread);
    expect(await until(client.pauseRequest(thread))).toMatchObject({ reason: 'pause' });
    await going;
  });
});

describe('looking and changing', () => {
  it('reads and sets an element, and reads its memory', async () => {
    await begin(() => client.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'blocks.2.mlp.post' }] }));
    const frameId = (await stack())[0]?.id ?? 0;
    const { scopes } = (await client.scopesRequest({ frameId })).body;
    const inside = async (variablesReference = 0) =>
      (await client.variablesRequest({ variablesReference })).body.variables;
    const post = (await inside(scopes[0]?.variablesReference)).find((v) => v.name === 'blocks.2.mlp.post');
    const row = (await inside(post?.variablesReference))[3];
    const memory = async (): Promise<number> => {
      const given = { memoryReference: post?.memoryReference, offset: 4 * (3 * 36 + 5), count: 4 };
      const { data } = (await client.customRequest('readMemory', given)).body as { data: string };
      return Buffer.from(data, 'base64').readFloatLE(0);
    };
    expect(await memory()).toBeCloseTo(Number((await inside(row?.variablesReference))[5]?.value), 4);
    const reference = row?.variablesReference ?? 0;
    const set = await client.setVariableRequest({ variablesReference: reference, name: '[5]', value: '7.5' });
    expect(set.body.value).toContain('7.50000');
    expect(await memory()).toBe(7.5);
    expect(await value('blocks.2.mlp.post[position=3, neuron=5]')).toContain('7.50000');
  });

  it('completes, shows its sources, and refuses what it cannot do by a code', async () => {
    await begin(undefined, { stopOnEntry: true });
    const { targets } = (await client.completionsRequest({ text: 'norm(emb', column: 9 })).body;
    expect(targets.map((t) => t.label)).toContain('embed');
    const { content } = (await client.sourceRequest({ source: { path: listing }, sourceReference: 0 })).body;
    expect(content.split('\n')[lines.pattern - 1]).toContain('attn.pattern = ');
    await expect(value('norm(')).rejects.toThrow('EXPRESSION_SYNTAX');
    await expect(client.customRequest('dance')).rejects.toThrow('COMMAND_INVALID');
    await expect(client.gotoRequest({ ...thread, targetId: 99 })).rejects.toThrow('COMMAND_INVALID');
  });
});

describe('the end', () => {
  it('can be asked for, and the beginning again with the changes made', async () => {
    await begin(undefined, { stopOnEntry: true, stopOnExit: true });
    await client.evaluateRequest({ expression: 'force token 7 at step 0', context: 'repl' });
    expect(await until(client.restartRequest({}))).toMatchObject({ reason: 'entry' });
    const told = client.assertOutput('stdout', 't7');
    expect(await until(client.continueRequest(thread))).toMatchObject({ description: 'the generation has ended' });
    await told;
    await Promise.all([client.waitForEvent('terminated'), client.terminateRequest()]);
    await client.disconnectRequest({ terminateDebuggee: true });
    connected = false;
  });
});

it('two clients at once have a run each', async () => {
  const stopAt = (number: number) =>
    begin(() => setLines({ line: lines.pattern, condition: `layer == ${number} && step == ${number}` }));
  await stopAt(1);
  const [first, place] = [client, await stack()];
  await stopAt(2);
  expect(await layer()).toBe('blocks.2');
  expect((await first.stackTraceRequest(thread)).body.stackFrames).toEqual(place);
  await first.evaluateRequest({ expression: 'force token 7 at step 1', context: 'repl' });
  expect(await value('step')).toBe('2');
  const [text, other] = [printed('stdout'), printed('stdout', first)];
  await Promise.all([first, client].flatMap((dc) => [dc.waitForEvent('terminated'), dc.continueRequest(thread)]));
  expect(text()).toMatch(/^t\d+t\d+\n$/);
  expect(`${await generated()}\n`.endsWith(text())).toBe(true);
  expect(other()).toMatch(/^t7/);
  await first.stop();
  expect(first.problems()).toEqual([]);
});
