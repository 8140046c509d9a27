import { connect, type Socket } from 'node:net';
import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { frame } from '../../src/dap/index.js';
import { finish, start, startIn, type Outcome } from '../cli/command.js';
import { Client, type Connect } from './client.js';

const overStreams =
  (input: Readable, output: Writable): Connect =>
  (receive, closed) => {
    input.on('data', receive);
    input.on('close', closed);
    return {
      send: (message) => void output.write(frame(message)),
      end: async () => {
        output.end();
      },
    };
  };

/** An adapter of its own process with a client. */
export interface Started {
  readonly client: Client;
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
}

/**
 * A client of `cutaway dap`, a process of its own, on its standard input and output; and how that process ended.
 * @param env more in its environment
 */
export const startClient = (env: Readonly<Record<string, string>> = {}): Started => {
  const child = startIn(env, 'dap');
  const { stdout, stdin } = child;
  if (!stdout || !stdin) throw new Error('a process without streams');
  return { client: new Client(overStreams(stdout, stdin)), child, ended: finish(child) };
};

/** `cutaway dap --port`, listening: SIGINT ends it. */
export interface Server {
  readonly port: number;
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
}

/** Starts an adapter that serves clients at a free port of this machine. */
export const startServer = async (): Promise<Server> => {
  const child = start('dap', '--port', '0');
  const ended = finish(child);
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      const found = /127\.0\.0\.1:(\d+)/.exec(chunk.toString())?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    child.on('close', () => reject(new Error('the adapter ended before it listened')));
  });
  return { port, child, ended };
};

/** A client of an adapter that listens, and its socket. */
export const connectClient = async (port: number): Promise<{ readonly client: Client; readonly socket: Socket }> => {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  return { client: new Client(overStreams(socket, socket)), socket };
};
