import { afterEach, expect, it } from 'vitest';
import { cutaway, json, llama } from '../cli/command.js';
import type { InspectResult } from '../../src/protocol/index.js';
import { begin, Client } from './client.js';

const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) {
    await client.end();
    expect(client.problems()).toEqual([]);
  }
});

const launched = async (): Promise<Client> => {
  const client = new Client();
  clients.push(client);
  const given = { model: llama, ids: [5, 42, 9, 31], maxNewTokens: 2, ignoreEos: true, stopOnEntry: true, stopOnExit: true }; // prettier-ignore
  await begin(client, 'launch', { given });
  return client;
};

const of = 'logit(7) - logit(9)';

const frames = async (client: Client): Promise<readonly string[]> =>
  (await client.ask<{ stackFrames: { name: string }[] }>('stackTrace', { threadId: 1 })).stackFrames.map((f) => f.name);

const watch = async (client: Client, expression: string): Promise<number> =>
  Number((await client.ask<{ result: string }>('evaluate', { expression, context: 'watch' })).result);

const backward = async (client: Client): Promise<object> => {
  await client.ask('evaluate', { expression: `backward ${of}`, context: 'repl' });
  return (await client.event('stopped')).body;
};

/** What `inspect` tells; a fault that is caught is its exit status 1. */
const inspected = async (args: readonly string[]): Promise<InspectResult> =>
  JSON.parse((await cutaway('inspect', llama, ...args, '--json')).stdout) as InspectResult;

it('walks the way back of a number from the console, in both directions, and has its gradients', async () => {
  const client = await launched();
  await client.until('next', { granularity: 'line', threadId: 1 });
  const before = await frames(client);
  await backward(client);
  expect(await frames(client)).toEqual(['grad(logits)', 'backward of head', expect.stringMatching(/^backward of logit\(7\) - logit\(9\) = /)]); // prettier-ignore
  await client.until('next', { granularity: 'line', threadId: 1 });
  await client.until('next', { granularity: 'line', threadId: 1 });
  expect((await frames(client))[0]).toBe('grad(blocks.1.resid_post)');
  const args = ['--ids', '5,42,9,31', '--sites', 'blocks.1.resid_post', '--grad-of', of, '--quiet'];
  const { sites } = await json<InspectResult>('inspect', llama, ...args);
  expect(await watch(client, 'max(grad(resid_post))')).toBeCloseTo(sites[1]?.max ?? NaN, 4);
  const { scopes } = await client.ask<{ scopes: { name: string; variablesReference: number }[] }>('scopes', { frameId: 1 }); // prettier-ignore
  expect(scopes.map((s) => s.name)).toEqual(['Gradients', 'Sites', 'Tokens', 'Edits']);
  const opening = { variablesReference: scopes[0]?.variablesReference };
  const { variables } = await client.ask<{ variables: { name: string }[] }>('variables', opening);
  expect(variables.map((v) => v.name)).toContain('grad(blocks.1.mlp.post)');
  await client.until('stepBack', { granularity: 'line', threadId: 1 });
  expect((await frames(client))[0]).toBe('grad(blocks.2.resid_post)');
  expect(await client.until('continue')).toMatchObject({ reason: 'goto' });
  expect(await frames(client)).toEqual(before);
});

it('stops at exceptions and function breakpoints of the way back', async () => {
  const client = await launched();
  const filterOptions = [{ filterId: 'exploding', condition: '0.5' }];
  expect(await client.ask('setExceptionBreakpoints', { filters: [], filterOptions })).toMatchObject({
    breakpoints: [{ verified: true }],
  });
  const set = { breakpoints: [{ name: 'backward blocks.*.mlp_out', condition: 'layer == 1' }, { name: 'backward layer 0' }] }; // prettier-ignore
  expect(await client.ask('setFunctionBreakpoints', set)).toMatchObject({
    breakpoints: [{ verified: true }, { verified: true }],
  });
  const asked = ['--ids', '5,42,9,31', '--sites', 'embed', '--grad-of', of, '--grad-catch', 'exploding 0.5', '--quiet'];
  await backward(client);
  expect(await client.until('continue')).toMatchObject({ reason: 'exception' });
  const info = await client.ask<{ exceptionId: string; description: string }>('exceptionInfo', { threadId: 1 });
  const { gradCaught } = await inspected(asked);
  expect(info).toMatchObject({ exceptionId: 'exploding' });
  expect(info.description).toBe(`${gradCaught?.site ?? ''}: ${gradCaught?.description ?? ''}`);
  expect(await client.until('continue')).toMatchObject({ reason: 'function breakpoint' });
  expect((await frames(client))[0]).toBe('grad(blocks.1.mlp_out)');
  expect(await client.until('continue')).toMatchObject({ reason: 'function breakpoint' });
  expect((await frames(client))[0]).toBe('grad(blocks.0.resid_post)');
  await client.ask('evaluate', { expression: 'backward off', context: 'repl' });
  await client.event('stopped');
  expect((await frames(client)).join()).not.toMatch(/backward/);
  const told = await client.request('evaluate', { expression: 'norm(grad(embed))', context: 'watch' });
  expect(told).toMatchObject({ success: false });
});
