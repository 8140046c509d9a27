import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { llama } from '../cli/command.js';
import { root } from '../support/root.js';
import { Client } from './client.js';

const file = path.join(root, 'test/dap/conversation.txt');

/** Messages as a person reads them, without what is of this machine. */
const told = (client: Client): string =>
  client.all
    .map((message) => {
      const from = message.type === 'request' ? '→' : '←';
      return `${from} ${JSON.stringify(message)}`;
    })
    .join('\n')
    .replaceAll(/"path":"[^"]*\/([^"/]+\.listing)"/g, '"path":"LISTINGS/$1"')
    .replaceAll(JSON.stringify(llama).slice(1, -1), 'MODELS/llama-grouped')
    .concat('\n');

/** Written anew with UPDATE_GOLDENS=1; it is read before it is committed. */
it('a whole conversation is as it was read and committed', async () => {
  const client = new Client();
  await client.ask('initialize', {
    clientID: 'golden',
    adapterID: 'cutaway',
    pathFormat: 'path',
    linesStartAt1: true,
    columnsStartAt1: true,
  });
  await client.ask('launch', { model: llama, ids: [5, 42, 9, 31], maxNewTokens: 2, stopOnEntry: true });
  await client.event('initialized');
  const { sources } = await client.ask<{ sources: object[] }>('loadedSources');
  await client.ask('setBreakpoints', {
    source: sources[0],
    breakpoints: [{ line: 42, condition: 'layer == 1' }, { line: 4 }],
  });
  await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'nowhere.*' }] });
  await client.ask('setExceptionBreakpoints', { filters: [] });
  await client.ask('configurationDone');
  await client.event('stopped');
  await client.ask('threads');
  await client.until('continue');
  await client.ask('stackTrace', { threadId: 1, startFrame: 0, levels: 20 });
  await client.ask('scopes', { frameId: 1 });
  await client.ask('evaluate', { expression: 'layer + step', context: 'hover' });
  await client.until('stepIn', { threadId: 1, granularity: 'instruction' });
  await client.until('stepBack', { threadId: 1, granularity: 'instruction' });
  await client.ask('evaluate', { expression: 'force token 7 at step 0', context: 'repl' });
  await client.request('variables', { variablesReference: 99 });
  await client.request('flyToTheMoon');
  await client.ask('setBreakpoints', { source: sources[0], breakpoints: [] });
  await client.ask('continue', { threadId: 1 });
  await client.event('terminated');
  await client.ask('disconnect');
  expect(client.problems()).toEqual([]);
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(file, told(client));
  expect(told(client)).toBe(readFileSync(file, 'utf8'));
});
