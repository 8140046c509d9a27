import { afterEach, describe, expect, it } from 'vitest';
import { llama, tiny } from '../cli/command.js';
import { begin, Client } from './client.js';

const clients: Client[] = [];

const launched = async (launch: object = {}, initialize: object = {}): Promise<Client> => {
  const client = new Client();
  clients.push(client);
  const given = { model: llama, prompt: 't5 t42 t9 t31', maxNewTokens: 4, stopOnEntry: true, ...launch };
  await begin(client, 'launch', { given, initialize });
  return client;
};

afterEach(async () => {
  for (const client of clients.splice(0)) {
    await client.end();
    expect(client.problems()).toEqual([]);
  }
});

interface Named {
  readonly id: number;
  readonly name: string;
  readonly line: number;
}
const frames = async (client: Client): Promise<readonly Named[]> =>
  (await client.ask<{ stackFrames: Named[] }>('stackTrace', { threadId: 1 })).stackFrames;
const layer = async (client: Client): Promise<string> => (await frames(client)).at(-3)?.name ?? '';
const value = async (client: Client, expression: string): Promise<string> =>
  (await client.ask<{ result: string }>('evaluate', { expression, context: 'watch' })).result;
const say = async (client: Client, expression: string): Promise<string> =>
  (await client.ask<{ result: string }>('evaluate', { expression, context: 'repl' })).result;

const line = { granularity: 'line', threadId: 1 };

describe('moving', () => {
  it('stops at places by their names: layers, tokens by their text, sites of some layers', async () => {
    const client = await launched({ ignoreEos: true });
    const set = (...names: readonly string[]) =>
      client.ask<{ breakpoints: { verified: boolean; message?: string }[] }>('setFunctionBreakpoints', {
        breakpoints: names.map((name) => ({ name })),
      });
    const { breakpoints } = await set(
      'layer 2 token 1',
      'blocks.*.attn.z layer 0..1',
      'layer 9',
      '12',
      'layer 1 layer 2',
    );
    expect(breakpoints.map((b) => b.verified)).toEqual([true, true, false, false, false]);
    const places: string[] = [];
    for (let i = 0; i < 5; i++) {
      expect(await client.until('continue')).toMatchObject({ reason: 'function breakpoint' });
      places.push(await layer(client));
    }
    expect(places).toEqual(['blocks.0', 'blocks.1', 'blocks.0', 'blocks.1', 'blocks.2']);
    await set();
    await client.until('next', { granularity: 'line', threadId: 1 });
    const made = (await client.ask<{ threads: { name: string }[] }>('threads')).threads[0]?.name ?? '';
    const [, text = ''] = /, '(t\d+)'$/.exec(made) ?? [];
    await client.until('restartFrame', { frameId: (await frames(client)).at(-1)?.id });
    await set(`token "${text}"`);
    expect(await client.until('continue')).toMatchObject({ reason: 'function breakpoint' });
    const { threads } = await client.ask<{ threads: { name: string }[] }>('threads');
    expect(threads[0]?.name).toBe(`generation, step 1, '${text}'`);
  });

  it('by layers, modules and operations, forward and back, with the same bits', async () => {
    const client = await launched();
    await client.until('next', line);
    expect(await layer(client)).toBe('blocks.0');
    await client.until('next', line);
    const before = await value(client, 'norm(blocks.1.attn_out) * 1000000');
    await client.until('next');
    expect((await frames(client))[0]?.line).toBe(13); // over the norm
    await client.until('stepIn');
    expect((await frames(client))[0]?.line).toBe(14);
    await client.until('stepOut');
    expect((await frames(client))[0]?.line).toBe(50);
    await client.until('stepBack', line);
    expect((await frames(client))[0]?.line).toBe(6);
    await client.until('stepBack', line);
    expect(await layer(client)).toBe('blocks.0');
    await client.until('next', line);
    expect(await value(client, 'norm(blocks.1.attn_out) * 1000000')).toBe(before);
  });

  it('to breakpoints before, and to the beginning', async () => {
    const client = await launched();
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'blocks.*.attn.z', condition: 'step == 1' }] });
    await client.until('continue');
    await client.until('continue');
    expect(await layer(client)).toBe('blocks.1');
    expect(await client.until('reverseContinue')).toMatchObject({ reason: 'function breakpoint' });
    expect(await layer(client)).toBe('blocks.0');
    expect(await client.until('reverseContinue')).toMatchObject({ description: 'this is the beginning' });
    expect((await frames(client)).at(-2)?.name).toMatch(/^prefill/);
  });

  it('to a line in a layer, to a token, and to the beginning of a frame', async () => {
    const client = await launched();
    const { sources } = await client.ask<{ sources: object[] }>('loadedSources');
    const { targets } = await client.ask<{ targets: { id: number; label: string }[] }>('gotoTargets', {
      source: sources[0],
      line: 43,
    });
    expect(targets.map((t) => t.label)).toEqual(['blocks.0', 'blocks.1', 'blocks.2']);
    expect(await client.until('goto', { threadId: 1, targetId: targets[2]?.id })).toMatchObject({ reason: 'goto' });
    expect((await frames(client))[0]?.line).toBe(43);
    expect(await layer(client)).toBe('blocks.2');
    expect(await client.request('goto', { threadId: 1, targetId: targets[2]?.id })).toMatchObject({ success: false });
    const module = (await frames(client)).find((f) => f.name === 'attn');
    await client.until('restartFrame', { frameId: module?.id });
    expect((await frames(client))[0]?.line).toBe(13);
    const token = await client.ask<{ targets: { id: number }[] }>('gotoTargets', { source: sources[1], line: 6 });
    await client.until('goto', { threadId: 1, targetId: token.targets[0]?.id });
    expect((await frames(client)).at(-2)?.name).toMatch(/^step 2, 6 tokens/);
    await client.until('restartFrame', { frameId: (await frames(client)).at(-1)?.id });
    expect((await frames(client)).at(-2)?.name).toMatch(/^prefill/);
  });

  it('stays at the end where that was asked for, and goes back from there another way', async () => {
    const client = await launched({ stopOnExit: true });
    expect(await client.until('continue')).toMatchObject({ description: 'the generation has ended' });
    const whole = client.output('stdout');
    await say(client, 'back token');
    await client.event('continued');
    await client.event('stopped');
    await say(client, 'back token');
    await client.event('stopped');
    expect(await say(client, 'force token 7 at step 3')).toBe('changed: force token 7 at step 3');
    await client.until('continue');
    expect(client.output('stdout')).toBe(`${whole} t7`);
    expect(client.output('console')).toBe('\nfrom token 3 on it goes another way:\n');
    expect(await say(client, 'edits')).toBe('force token 7 at step 3');
    await client.ask('restart');
    await client.event('stopped');
    expect((await frames(client)).at(-2)?.name).toMatch(/^prefill/);
  });

  it('where NaN arises it stops, before the operation that gives it', async () => {
    const client = await launched();
    await client.ask('setExceptionBreakpoints', { filters: ['nan', 'unheard-of'] });
    await say(client, 'set blocks.1.attn.q[position=2, head=1] = nan').catch(() => undefined);
    await say(client, 'scale blocks.1.attn.q by 1e38');
    await say(client, 'scale blocks.1.attn.k by 1e38');
    expect(await client.until('continue')).toMatchObject({ reason: 'exception' });
    expect(await layer(client)).toBe('blocks.1');
    const info = await client.ask<{ description: string }>('exceptionInfo', { threadId: 1 });
    expect(info.description).toMatch(/^NaN first arises in blocks\.1: /);
  });

  it('where a value crosses a bound, and where the end repeats itself', async () => {
    const client = await launched({ maxNewTokens: 8 });
    const info = await client.ask('dataBreakpointInfo', { name: 'rank(7)' });
    expect(info).toMatchObject({ dataId: 'rank(7)', accessTypes: ['write'] });
    expect(await client.ask('dataBreakpointInfo', { name: 'rank(' })).toMatchObject({ dataId: null });
    const breakpoints = [
      { dataId: 'step', condition: '> 2' },
      { dataId: 'step', condition: 'often' },
    ];
    expect(await client.ask('setDataBreakpoints', { breakpoints })).toMatchObject({
      breakpoints: [{ verified: true }, { verified: false }],
    });
    expect(await client.until('continue')).toMatchObject({
      reason: 'data breakpoint',
      description: '(step) > 2: false → true',
    });
    await client.ask('setDataBreakpoints', { breakpoints: [] });
    const set = await client.ask('setExceptionBreakpoints', {
      filters: [],
      filterOptions: [{ filterId: 'repetition' }, { filterId: 'entropy', condition: 'much' }],
    });
    expect(set).toMatchObject({ breakpoints: [{ verified: true }, { verified: false }] });
    for (const step of [4, 5, 6, 7]) await say(client, `force token 7 at step ${step}`);
    expect(await client.until('continue')).toMatchObject({ reason: 'exception' });
    expect(await client.ask('exceptionInfo', { threadId: 1 })).toMatchObject({ exceptionId: 'repetition' });
  });

  it('a pause is heard while it runs, and what needs a standing run is refused', async () => {
    const client = await launched({ maxNewTokens: 40, stopOnExit: true, ignoreEos: true });
    await client.ask('continue', { threadId: 1 });
    const refused = await client.request('stackTrace', { threadId: 1 });
    expect(refused).toMatchObject({ success: false, message: 'notStopped' });
    expect(await client.ask('threads')).toMatchObject({ threads: [{ id: 1 }] });
    await client.ask('pause', { threadId: 1 });
    expect((await client.event('stopped')).body).toMatchObject({ reason: 'pause' });
    expect(await client.request('pause', { threadId: 1 })).toMatchObject({ success: false });
    await client.ask('continue', { threadId: 1 });
    await client.ask('terminate');
    await client.event('terminated');
    await client.ask('disconnect');
    expect(client.closed).toBe(true);
  });
});

it('a pause that comes before the run has begun, behind a request that begins it, is heard', async () => {
  const client = await launched({ maxNewTokens: 40, stopOnExit: true, ignoreEos: true });
  const asked = [
    client.ask('evaluate', { expression: 'norm(embed)', context: 'watch' }),
    client.ask('continue', { threadId: 1 }),
    client.ask('pause', { threadId: 1 }),
  ];
  await Promise.all(asked);
  expect((await client.event('stopped')).body).toEqual({ reason: 'pause', threadId: 1, allThreadsStopped: true });
});

describe('looking and changing', () => {
  it('hovers over a name of the listing, completes, and sets an expression', async () => {
    const client = await launched({}, { supportsInvalidatedEvent: true, linesStartAt1: false, columnsStartAt1: false });
    await client.until('next', line);
    expect((await frames(client))[0]?.line).toBe(5);
    const hover = await client.ask('evaluate', { expression: 'attn.pattern', context: 'hover' });
    expect(hover).toMatchObject({
      type: 'float32[batch 1, head 4, query 4, key 4]',
      memoryReference: 'blocks.0.attn.pattern',
    });
    expect(await value(client, '1 + 1 == 2')).toBe('true');
    const copy = async (expression: string): Promise<unknown> =>
      JSON.parse((await client.ask<{ result: string }>('evaluate', { expression, context: 'clipboard' })).result);
    const heads = (await copy('blocks.0.attn.pattern')) as readonly (readonly (readonly (readonly number[])[])[])[];
    expect([heads.length, heads[0]?.length, heads[0]?.[3]?.length, heads[0]?.[3]?.[0]]).toEqual([
      1,
      4,
      4,
      [1, 0, 0, 0],
    ]);
    expect(heads[0]?.[1]?.[3]?.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 5);
    expect(await copy('blocks.0.attn.pattern[head=1, query=3] * 0 / 0')).toEqual([[[['NaN', 'NaN', 'NaN', 'NaN']]]]);
    expect(await copy('layer + 1')).toBe(1);
    const { targets } = await client.ask<{ targets: { label: string; start: number }[] }>('completions', {
      text: 'norm(blocks.0.attn.pat',
      column: 22,
    });
    expect(targets).toMatchObject([{ label: 'blocks.0.attn.pattern', start: 5, length: 17 }]);
    const set = { expression: 'attn.z[head=1]', value: 'zero', frameId: 1 };
    expect(await client.ask('setExpression', set)).toMatchObject({
      value: expect.stringMatching(/min 0 max 0/) as string,
    });
    expect((await client.event('invalidated')).body).toEqual({ areas: ['variables', 'stacks'] });
    expect(await client.ask('setExpression', { expression: 'mlp_out', value: '*0' })).toMatchObject({
      value: expect.stringMatching(/max 0/) as string,
    });
    expect(await value(client, 'norm(blocks.0.mlp_out)')).toBe('0');
    expect(await client.request('setExpression', { expression: 'blocks.2.mlp_out', value: '0' })).toMatchObject({
      success: false,
      message: 'SITE_NOT_CAPTURED',
    });
    expect(await client.request('setExpression', { expression: 'mlp_out', value: 'many' })).toMatchObject({
      success: false,
    });
    expect(await client.request('evaluate', { expression: 'norm(', context: 'watch' })).toMatchObject({
      success: false,
      message: 'EXPRESSION_SYNTAX',
    });
    expect(await say(client, 'words 2')).toMatch(/^ *\d+\.\d\d % {2}"t\d+" {2}\d+\n/);
    expect(await say(client, 'help')).toContain('undo');
  });

  it('opens every site of an encoder-decoder, in the prefill and behind it, and sets a position', async () => {
    const client = await launched({ model: tiny('t5-default'), prompt: undefined, ids: [5, 9, 3], maxNewTokens: 3 });
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'decoder.blocks.1.mlp_out' }] });
    for (let step = 0; step < 2; step++) {
      await client.until('continue');
      const { scopes } = await client.ask<{ scopes: { variablesReference: number }[] }>('scopes', { frameId: 1 });
      const { variablesReference } = scopes[0] ?? { variablesReference: 0 };
      const { variables } = await client.ask<{ variables: { name: string; variablesReference: number }[] }>(
        'variables',
        {
          variablesReference,
        },
      );
      expect(variables.map((v) => v.name)).toContain('decoder.blocks.1.cross_attn.pattern');
      const out = variables.find((v) => v.name === 'decoder.blocks.1.mlp_out');
      const set = { variablesReference: out?.variablesReference, name: '[0]', value: '0' };
      expect(await client.ask('setVariable', set)).toMatchObject({
        value: expect.stringMatching(/min 0 max 0/) as string,
      });
      expect(await say(client, 'edits')).toContain(`mlp_out[position=${step}] = 0 at step ${step}`);
    }
  });

  it('gives long lists in chunks, or the part that was asked for', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => i);
    const client = await launched({ prompt: undefined, ids }, { supportsVariablePaging: true });
    await client.until('next', line);
    const { scopes } = await client.ask<{ scopes: { name: string; variablesReference: number }[] }>('scopes', {
      frameId: 1,
    });
    expect(scopes.map((s) => s.name)).toEqual([
      ...['Sites', 'Inputs', 'Outputs', 'Attention', 'Next words', 'Residual and lens', 'Tokens', 'Edits'],
      ...['Statistics', 'KV cache', 'Weights'],
    ]);
    const list = async (name: string, paging = {}) => {
      const variablesReference = scopes.find((s) => s.name === name)?.variablesReference;
      return (
        await client.ask<{ variables: { name: string; value: string }[] }>('variables', {
          variablesReference,
          ...paging,
        })
      ).variables;
    };
    expect((await list('Tokens', { start: 38, count: 10 })).map((t) => t.value)).toEqual(['"t38"  38', '"t39"  39']);
    expect(await list('Tokens', { start: 50, count: 10 })).toEqual([]);
    expect((await list('Weights'))[0]).toMatchObject({
      name: 'model.layers.0.input_layernorm.weight',
      value: 'float32[model 32]',
    });
    expect(await list('Next words')).toHaveLength(10);
    expect(await list('Edits')).toEqual([]);
  });
});
