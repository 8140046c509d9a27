import { once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import type { DebugProtocol } from '@vscode/debugprotocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converse, Deframer, frame } from '../../src/dap/index.js';
import { openTarget } from '../../src/service/index.js';
import { llama } from '../cli/command.js';
import { connectClient, startServer, type Server } from './process-client.js';
import { problemsOf } from './schema.js';

type Message = DebugProtocol.ProtocolMessage & { readonly request_seq?: number; readonly event?: string };

/** A conversation without what takes time: letters of more than one byte, a mistake, the end. */
const conversation: readonly object[] = [
  { seq: 1, type: 'request', command: 'initialize', arguments: { adapterID: 'тест' } },
  { seq: 2, type: 'request', command: 'threads' },
  { seq: 3, type: 'request', command: 'tanzen 💃', arguments: { '{': '}' } },
  { seq: 4, type: 'request', command: 'configurationDone' },
  { seq: 5, type: 'request', command: 'disconnect' },
];
const bytes = Buffer.concat(conversation.map(frame));

const messagesOf = (output: Buffer): readonly Message[] =>
  new Deframer().push(output).map((received) => {
    if ('problem' in received) throw new Error(received.problem);
    return received.message as Message;
  });

/** What comes back of bytes that arrive in these pieces. */
const answersTo = async (pieces: readonly Buffer[], { ends = false } = {}): Promise<readonly Message[]> => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const done = converse({ input, output }, (asked) => openTarget(asked));
  for (const piece of pieces) input.write(piece);
  if (ends) input.end();
  await done;
  return messagesOf((output.read() as Buffer | null) ?? Buffer.alloc(0));
};

/** What is wrong with what the adapter sent; which requests there were is not known of bytes that were spoilt. */
const problems = (messages: readonly Message[]): readonly string[] => {
  const asked = messages.map((m) => ({ seq: m.request_seq ?? 0, type: 'request' }));
  return messages.flatMap((message) => problemsOf(message, asked));
};

describe('frames that come in pieces', () => {
  it('are understood wherever they are cut in two', async () => {
    const whole = await answersTo([bytes]);
    expect(whole.map((m) => m.request_seq)).toEqual([1, 2, 3, 4, 5]);
    expect(problems(whole)).toEqual([]);
    for (let at = 0; at <= bytes.length; at++)
      expect(await answersTo([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
  });

  it('are understood byte by byte', async () => {
    const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    expect(await answersTo(single)).toEqual(await answersTo([bytes]));
  });
});

/** JSON that is no request, or hardly one, and whether it is answered. */
const malformed: readonly (readonly [text: string, answered: boolean])[] = [
  ['null', false],
  ['[]', false],
  ['3', false],
  ['"initialize"', false],
  ['{}', false],
  ['{"seq":7}', true],
  ['{"seq":7,"type":"request"}', true],
  ['{"seq":7,"type":"request","command":3}', true],
  ['{"seq":"7","type":"request","command":"threads"}', false],
  ['{"seq":7.5,"type":"request","command":"threads"}', false],
  ['{"seq":7,"type":"response","command":"threads","success":true,"request_seq":1}', false],
  ['{"seq":7,"type":"event","event":"stopped","body":{}}', false],
  ['{"seq":7,"type":"request","command":"__proto__"}', true],
  ['{"seq":7,"type":"request","command":"threads","arguments":null}', true],
  ['{"seq":7,"type":"request","command":"variables","arguments":[1]}', true],
  ['{"seq":7,"type":"request","command":"initialize","arguments":{"linesStartAt1":"no"}}', true],
  ['{"seq":-7,"type":"request","command":"threads"}', true],
  ['{"seq":0,"type":"request","command":"threads"}', true],
  [`{"seq":7,"type":"request","command":"${'x'.repeat(100_000)}"}`, true],
  [`{"seq":7,"type":"request","command":"evaluate","arguments":${'['.repeat(5000)}${']'.repeat(5000)}}`, true],
  ['{"seq":7,"type":"request",', false],
  ['{"seq":7}{"seq":8}', false],
  ['', false],
];

describe('messages that are none', () => {
  it.each(malformed.map(([text, answered]) => [text.slice(0, 60), text, answered] as const))(
    '%s',
    async (_, text, answered) => {
      const body = Buffer.from(text);
      const spoilt = Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
      const messages = await answersTo([spoilt, frame({ seq: 9, type: 'request', command: 'disconnect' })]);
      // numbers begin at 1; a request with another one is answered under the one that it has
      const isNumbered = !/"seq":(-\d+|0),/.test(text);
      expect(problems(messages).filter((p) => isNumbered || !p.includes('.request_seq:'))).toEqual([]);
      const answers = messages.filter((m) => m.type === 'response');
      expect(answers).toHaveLength(answered ? 2 : 1);
      expect(answers.at(-1)).toMatchObject({ request_seq: 9, success: true });
    },
  );
});

describe('a server', () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    server.child.kill('SIGINT');
    expect(await server.ended).toMatchObject({ status: 0 });
  });

  /** Sends bytes and hangs up. @returns all that came back */
  const sendAll = async (sent: Buffer): Promise<Buffer> => {
    const socket = connect(server.port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.end(sent);
    await once(socket, 'close');
    return Buffer.concat(received);
  };

  it('lives through conversations with bytes changed, left out and put in', async () => {
    const good = Buffer.concat(
      [
        { seq: 1, type: 'request', command: 'initialize', arguments: { adapterID: 'x' } },
        { seq: 2, type: 'request', command: 'launch', arguments: { model: llama, ids: [5, 42], maxNewTokens: 2 } },
        { seq: 3, type: 'request', command: 'configurationDone' },
        { seq: 4, type: 'request', command: 'stackTrace', arguments: { threadId: 1 } },
        { seq: 5, type: 'request', command: 'disconnect' },
      ].map(frame),
    );
    let last = good;
    const change = fc.record({ at: fc.nat(good.length - 1), left: fc.nat(3), put: fc.uint8Array({ maxLength: 4 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const spoilt = changes.reduce(
          (all, { at, left, put }) => Buffer.concat([all.subarray(0, at), put, all.subarray(at + left)]),
          good,
        );
        expect(problems(await answersTo([spoilt], { ends: true }))).toEqual([]);
        last = spoilt;
      }),
      { numRuns: 150 },
    );
    expect(problems(messagesOf(await sendAll(last)))).toEqual([]);
    const { client, socket } = await connectClient(server.port);
    await client.ask('initialize', { adapterID: 'x' });
    await client.ask('launch', { model: llama, ids: [5, 42], maxNewTokens: 2 });
    await client.ask('configurationDone');
    await client.event('terminated');
    expect(client.problems()).toEqual([]);
    socket.destroy();
  }, 120_000);

  it('lives through clients that hang up in the midst of a run', async () => {
    const start = [
      { seq: 1, type: 'request', command: 'launch', arguments: { model: llama, ids: [5], maxNewTokens: 40 } },
      { seq: 2, type: 'request', command: 'configurationDone' },
    ];
    const sent = Buffer.concat(start.map(frame));
    for (let i = 0; i < 4; i++) {
      const socket = connect(server.port, '127.0.0.1');
      socket.write(sent);
      await once(socket, 'data');
      socket.destroy();
    }
    expect(messagesOf(await sendAll(bytes)).length).toBe(5);
  }, 120_000);
});
