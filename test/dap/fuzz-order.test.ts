import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requests } from '../../src/dap/requests.js';
import { llama } from '../cli/command.js';
import { Client } from './client.js';

type Asked = readonly [command: string, given?: object];

const thread = { threadId: 1 };
const short = { model: llama, ids: [5, 42], maxNewTokens: 3 };
const long = { ...short, maxNewTokens: 40, ignoreEos: true };

/** Requests as clients send them, with arguments that are right at some time and wrong at others. */
const sensible: readonly Asked[] = [
  ['initialize', { adapterID: 'x' }],
  ['launch', short],
  ['launch', { ...long, stopOnExit: true }],
  ['launch', { ...short, stopOnEntry: true }],
  ['launch', { ...short, noDebug: true }],
  ['launch', { model: 'nowhere', ids: [1] }],
  ['attach', { file: 'nowhere' }],
  ['configurationDone'],
  ['restart', {}],
  ['terminate', {}],
  ['disconnect', { restart: false }],
  ['setBreakpoints', { source: { sourceReference: 1 }, breakpoints: [{ line: 43, condition: 'layer == 1' }] }],
  ['setBreakpoints', { source: { sourceReference: 2 }, breakpoints: [{ line: 3 }] }],
  ['setFunctionBreakpoints', { breakpoints: [{ name: 'blocks.*.attn.z' }] }],
  ['setDataBreakpoints', { breakpoints: [{ dataId: 'step', condition: '> 0' }] }],
  ['setExceptionBreakpoints', { filters: ['nan', 'repetition'] }],
  ...['continue', 'next', 'stepIn', 'stepOut', 'stepBack', 'reverseContinue', 'pause'].map((command): Asked => [
    command,
    thread,
  ]),
  ['restartFrame', { frameId: 3 }],
  ['gotoTargets', { source: { sourceReference: 1 }, line: 43 }],
  ['goto', { ...thread, targetId: 1 }],
  ['threads'],
  ['stackTrace', thread],
  ['scopes', { frameId: 1 }],
  ['variables', { variablesReference: 1 }],
  ['setVariable', { variablesReference: 1, name: 'blocks.0.attn_out', value: '0' }],
  ['setExpression', { expression: 'attn_out', value: 'zero' }],
  ['evaluate', { expression: 'norm(embed)', context: 'watch' }],
  ['evaluate', { expression: 'force token 7 at step 1', context: 'repl' }],
  ['evaluate', { expression: 'back token', context: 'repl' }],
  ['readMemory', { memoryReference: 'embed', count: 16 }],
  ['cancel', { requestId: 3 }],
  ['loadedSources'],
  ['exceptionInfo', thread],
];

/** The same with a part of the arguments left out, or made something else. */
const spoilt = fc
  .tuple(fc.constantFrom(...sensible), fc.nat(5), fc.oneof(fc.constant(undefined), fc.jsonValue()))
  .map(([[command, given = {}], at, value]): Asked => {
    const fields = Object.keys(given);
    const field = fields[at % Math.max(1, fields.length)] ?? 'extra';
    return [command, { ...given, [field]: value }];
  });
const asked = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...sensible) }, { weight: 1, arbitrary: spoilt });

/** How a conversation begins: with anything, or as it should. */
const beginnings: readonly (readonly Asked[])[] = [
  [],
  [['initialize', { adapterID: 'x' }], ['launch', { ...short, stopOnEntry: true }], ['configurationDone']],
  [
    ['initialize', { adapterID: 'x' }],
    ['launch', short],
    ['setBreakpoints', { source: { sourceReference: 1 }, breakpoints: [{ line: 43 }] }],
    ['configurationDone'],
  ],
];

/** Sends all at once, and looks at what came back. */
const answersOf = async (client: Client, all: readonly Asked[]): Promise<void> => {
  const from = client.all.length;
  const answers = await Promise.all(all.map(([command, given]) => client.request(command, given)));
  expect(answers.map((a) => a.command)).toEqual(all.map(([command]) => command));
  expect(answers.filter((a) => a.message === 'INTERNAL').map((a) => a.body)).toEqual([]);
  expect(client.all.slice(from).filter((m) => m.type === 'response')).toHaveLength(all.length);
  const numbers = client.all.filter((m) => m.type !== 'request').map((m) => m.seq);
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
};

describe('requests in any order', () => {
  it('each gets one answer, from the first on, before and after a launch, a restart and the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...beginnings),
        fc.array(asked, { minLength: 1, maxLength: 40 }),
        async (first, all) => {
          const client = new Client();
          await answersOf(client, [...first, ...all]);
          await client.end();
          expect(client.problems()).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  }, 120_000);

  it('each gets one answer while a run goes on, which then goes on or stands', async () => {
    const harmless = [...requests.keys()].filter((c) => !['launch', 'attach', 'disconnect', 'terminate'].includes(c));
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          asked.filter(([c]) => harmless.includes(c)),
          { maxLength: 20 },
        ),
        async (all) => {
          const client = new Client();
          await client.ask('initialize', { adapterID: 'x' });
          await client.ask('launch', { ...long, stopOnExit: true });
          await answersOf(client, [['configurationDone'], ...all]);
          await client.ask('terminate');
          await client.event('terminated');
          await client.ask('disconnect');
          await client.end();
          expect(client.problems()).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  }, 120_000);
});

describe('ten thousand breakpoints', () => {
  const ten = <T>(make: (i: number) => T): T[] => Array.from({ length: 10_000 }, (_, i) => make(i));
  const begin = async (): Promise<Client> => {
    const client = new Client();
    await client.ask('initialize', { adapterID: 'x' });
    await client.ask('launch', { ...short, stopOnEntry: true, stopOnExit: true });
    await client.ask('configurationDone');
    await client.event('stopped');
    return client;
  };

  it('at sites: one stop where they are, and none where they are taken away', async () => {
    const client = await begin();
    const breakpoints = ten((i) => ({ name: `blocks.${i % 3}.attn.z` }));
    const set = await client.ask<{ breakpoints: { id: number }[] }>('setFunctionBreakpoints', { breakpoints });
    expect(new Set(set.breakpoints.map((b) => b.id)).size).toBe(10_000);
    expect(await client.until('continue')).toMatchObject({ reason: 'function breakpoint' });
    expect(await client.until('continue')).toMatchObject({ reason: 'function breakpoint' });
    await client.ask('setFunctionBreakpoints', { breakpoints: [] });
    expect(await client.until('continue')).toMatchObject({ description: 'the generation has ended' });
    expect(client.problems()).toEqual([]);
    await client.end();
  }, 120_000);

  it('on values, which are read where they are needed', async () => {
    const client = await begin();
    const { sources } = await client.ask<{ sources: object[] }>('loadedSources');
    const breakpoints = ten((i) => ({ line: 49, condition: `norm(blocks.0.attn_out) > ${1e6 + i}` }));
    await client.ask('setBreakpoints', { source: sources[0], breakpoints });
    expect(await client.until('continue')).toMatchObject({ description: 'the generation has ended' });
    await client.end();
  }, 120_000);
});
