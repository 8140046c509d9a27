import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { converse, Deframer, frame, limits } from '../../src/dap/index.js';
import { requests } from '../../src/dap/requests.js';
import { llama } from '../cli/command.js';
import { openTarget } from '../../src/service/index.js';
import { Client } from './client.js';

const messages = (deframer: Deframer, bytes: Buffer, sizes: readonly number[]): readonly unknown[] => {
  const out: unknown[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const to = at + Math.max(1, sizes[i % Math.max(1, sizes.length)] ?? 1);
    out.push(...deframer.push(bytes.subarray(at, to)));
    at = to;
  }
  return out;
};

describe('frames', () => {
  it('come whole however they are split', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ text: fc.string({ unit: 'binary' }) })),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (sent, sizes) => {
          const bytes = Buffer.concat(sent.map((m) => frame(m)));
          expect(messages(new Deframer(), bytes, sizes)).toEqual(sent.map((message) => ({ message })));
        },
      ),
    );
  });

  it('other headers are let through, and what is broken is told, and left out', () => {
    const good = '{"seq":1}';
    const after = `Content-Type: x\r\ncontent-length: ${good.length}\r\n\r\n${good}`;
    const broken = [
      'Content-Length: 3\r\n\r\n{x}',
      'X: 1\r\n\r\n',
      `Content-Length: ${limits.body + 1}\r\n\r\n${'y'.repeat(limits.body + 1)}`,
    ];
    for (const bytes of broken) {
      const received = messages(new Deframer(), Buffer.from(bytes + after), [1 << 20]);
      expect(received).toEqual([{ problem: expect.any(String) as string }, { message: { seq: 1 } }]);
    }
    expect(messages(new Deframer(), Buffer.from('z'.repeat(9000)), [1000]).length).toBeGreaterThan(0);
  });

  it('any bytes at all end in no crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        const deframer = new Deframer();
        messages(deframer, Buffer.from(bytes), [700]);
        expect(messages(new Deframer(), frame({ seq: 1 }), [3])).toEqual([{ message: { seq: 1 } }]);
      }),
    );
  });
});

const launched = async (): Promise<Client> => {
  const client = new Client();
  await client.ask('initialize', { adapterID: 'x' });
  await client.ask('launch', { model: llama, ids: [5, 42], maxNewTokens: 3, stopOnEntry: true, stopOnExit: true });
  await client.ask('configurationDone');
  await client.event('stopped');
  return client;
};

/** What ends a session is left out here. */
const commands = [...requests.keys()].filter((c) => !['disconnect', 'terminate', 'launch'].includes(c));
const argument = fc.dictionary(
  fc.constantFrom(
    'threadId',
    'frameId',
    'variablesReference',
    'start',
    'count',
    'expression',
    'context',
    'value',
    'name',
    'line',
    'source',
    'breakpoints',
    'filters',
    'targetId',
    'memoryReference',
    'offset',
    'text',
    'column',
    'levels',
    'startFrame',
    'granularity',
    'requestId',
  ),
  fc.oneof(
    fc.integer({ min: -2, max: 60 }),
    fc.integer(),
    fc.string(),
    fc.constantFrom('repl', 'blocks.0.attn.z', 'set embed = 0', 'step', 'nan'),
    fc.jsonValue(),
    fc.constant({ sourceReference: 1 }),
    fc.constant([{ line: 43, condition: 'step' }]),
  ),
);

describe('requests', () => {
  it('each gets one answer, whatever it asks, in whatever order', async () => {
    const client = await launched();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.oneof(fc.constantFrom(...commands), fc.string()), fc.option(argument))),
        async (asked) => {
          const from = client.all.length;
          const answers = await Promise.all(
            asked.map(([command, given]) => client.request(command, given ?? undefined)),
          );
          expect(answers).toHaveLength(asked.length);
          const internal = answers.filter((a) => a.message === 'INTERNAL').map((a) => a.body);
          expect(internal).toEqual([]);
          expect(client.all.slice(from).filter((m) => m.type === 'response')).toHaveLength(asked.length);
        },
      ),
      { numRuns: 60 },
    );
    await client.ask('disconnect');
    expect(client.closed).toBe(true);
    expect(client.problems()).toEqual([]);
    await client.end();
  }, 60_000);

  it('before a launch all but a few are refused, and none crashes', async () => {
    const client = new Client();
    for (const command of [...commands, 'noSuchThing', 'terminate']) {
      const { success } = await client.request(command, { line: 1, expression: '1', frameId: 1 });
      expect({ command, success }).toEqual({ command, success: ['initialize', 'threads', 'cancel'].includes(command) });
    }
    expect(await client.request('launch', { model: 'nowhere', ids: [1] })).toMatchObject({ success: false });
    expect(await client.request('launch', { model: llama, ids: 'many' })).toMatchObject({
      success: false,
      message: 'MESSAGE_INVALID',
    });
    await client.ask('launch', { model: llama, ids: [5] });
    expect(await client.request('launch', { model: llama, ids: [5] })).toMatchObject({ success: false });
    await client.ask('disconnect');
  });

  it('a waiting request can be cancelled; messages that are no requests are answered or told of', async () => {
    const client = await launched();
    const scopes = client.request('scopes', { frameId: 1 });
    const waiting = client.send({
      seq: 900,
      type: 'request',
      command: 'evaluate',
      arguments: { expression: 'norm(embed)' },
    });
    const cancel = client.request('cancel', { requestId: 900 });
    expect(await waiting).toMatchObject({ success: false, message: 'cancelled' });
    expect(await cancel).toMatchObject({ success: true });
    expect(await scopes).toMatchObject({ success: true });
    expect(await client.send({ seq: 950, kind: 'nothing' })).toMatchObject({ success: false, request_seq: 950 });
    await client.end();
  });

  it('ten thousand breakpoints are set, and the run goes on', async () => {
    const client = await launched();
    const { sources } = await client.ask<{ sources: object[] }>('loadedSources');
    const breakpoints = Array.from({ length: 10_000 }, (_, i) => ({ line: 3 + (i % 70), condition: 'step == 99' }));
    const set = await client.ask<{ breakpoints: object[] }>('setBreakpoints', { source: sources[0], breakpoints });
    expect(set.breakpoints).toHaveLength(10_000);
    await client.ask('setBreakpoints', {
      source: sources[0],
      breakpoints: breakpoints.map(({ line }) => ({ line, hitCondition: '99999' })),
    });
    expect(await client.until('continue')).toMatchObject({ description: 'the generation has ended' });
    await client.end();
  }, 60_000);
});

it('a stream that ends, ends the session', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const done = converse({ input, output }, (asked) => openTarget(asked));
  input.write('nonsense\r\n\r\n');
  input.write(frame({ seq: 1, type: 'request', command: 'initialize', arguments: { adapterID: 'x' } }));
  input.end();
  await done;
  const told = messages(new Deframer(), output.read() as Buffer, [5]) as { message: { type: string } }[];
  expect(told.map((t) => t.message.type)).toEqual(['event', 'response']);
});
