import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Deframer, frame } from '../../src/dap/index.js';
import { finish, llama, start } from '../cli/command.js';

interface Message {
  readonly type: string;
  readonly event?: string;
  readonly command?: string;
  readonly success?: boolean;
  readonly body?: { readonly output?: string; readonly category?: string };
}

/** A short session over a stream; what came back, and the text. */
const session = async (input: Readable, output: Writable): Promise<readonly Message[]> => {
  const deframer = new Deframer();
  const seen: Message[] = [];
  const waiting = new Map<string, () => void>();
  input.on('data', (chunk: Buffer) => {
    for (const received of deframer.push(chunk)) {
      if (!('message' in received)) throw new Error(received.problem);
      const message = received.message as Message;
      seen.push(message);
      waiting.get(message.event ?? message.command ?? '')?.();
    }
  });
  const until = (name: string): Promise<void> =>
    seen.some((m) => (m.event ?? m.command) === name)
      ? Promise.resolve()
      : new Promise((resolve) => waiting.set(name, resolve));
  let seq = 0;
  const send = (command: string, given?: object): void => {
    const bytes = frame({ seq: ++seq, type: 'request', command, arguments: given });
    output.write(bytes.subarray(0, 9));
    output.write(bytes.subarray(9));
  };
  send('initialize', { adapterID: 'x' });
  send('launch', { model: llama, ids: [5, 42], maxNewTokens: 2 });
  await until('initialized');
  send('configurationDone');
  await until('terminated');
  send('disconnect');
  await until('disconnect');
  return seen;
};

const check = (seen: readonly Message[]): void => {
  expect(seen.filter((m) => m.type === 'response').map((m) => [m.command, m.success])).toEqual([
    ['initialize', true],
    ['launch', true],
    ['configurationDone', true],
    ['disconnect', true],
  ]);
  const text = seen.flatMap((m) => (m.body?.category === 'stdout' ? [m.body.output] : [])).join('');
  expect(text).toMatch(/^t\d+t\d+\n$/);
};

describe('cutaway dap', () => {
  it('speaks on standard input and output, and ends with its client', async () => {
    const child = start('dap');
    const { stdout, stdin } = child;
    if (!stdout || !stdin) throw new Error('a process without streams');
    const ended = finish(child);
    check(await session(stdout, stdin));
    const { status, stderr } = await ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }, 180_000);

  it('serves clients at a port, one after the other, until it is told to end', async () => {
    const child = start('dap', '--port', '0');
    const ended = finish(child);
    const port = await new Promise<number>((resolve) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        const found = /127\.0\.0\.1:(\d+)/.exec(chunk.toString())?.[1];
        if (found !== undefined) resolve(Number(found));
      });
    });
    for (let i = 0; i < 2; i++) {
      const socket = connect(port, '127.0.0.1');
      check(await session(socket, socket));
      socket.destroy();
    }
    child.kill('SIGINT');
    expect((await ended).status).toBe(0);
  }, 180_000);
});
