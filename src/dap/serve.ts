import { createServer, type Server, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { UsageError } from '../base/index.js';
import { Adapter } from './adapter.js';
import { Deframer, frame } from './framing.js';
import type { OpenTarget } from './opener.js';

/** Speaks with one client until it disconnects, is gone, or the signal comes; then what is under way is ended in order. */
export const converse = async (
  { input, output }: { readonly input: Readable; readonly output: Writable },
  open: OpenTarget,
  signal?: AbortSignal,
): Promise<void> => {
  const deframer = new Deframer();
  let close = (): void => undefined;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const adapter = new Adapter({ send: (message) => void output.write(frame(message)), close }, open);
  input.on('data', (chunk: Buffer) => {
    for (const received of deframer.push(chunk))
      if ('message' in received) adapter.receive(received.message);
      else adapter.problem(received.problem);
  });
  for (const event of ['end', 'close', 'error']) input.on(event, close);
  output.on('error', close);
  if (signal?.aborted) close();
  signal?.addEventListener('abort', close, { once: true });
  await closed;
  await adapter.end();
};

/**
 * On standard input and output.
 * @param signal nvim-dap interrupts an adapter as soon as it has been answered: the session is ended in order all the same
 * @returns the exit status
 */
export const serveStdio = async (open: OpenTarget, signal: AbortSignal): Promise<number> => {
  await converse({ input: process.stdin, output: process.stdout }, open, signal);
  process.stdin.destroy();
  return 0;
};

/** @throws UsageError OPTION_INVALID */
const listening = (server: Server, port: number): Promise<void> =>
  new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new UsageError(`port ${port} cannot be listened on: ${cause.message}`, {
          code: 'OPTION_INVALID',
          hint: 'Choose another, or 0 for any free one.',
          cause,
        }),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });

/**
 * For clients of this machine that connect to a port, each with a session of its own; 0: any free one.
 * @param ready gets the port
 * @returns the exit status, once the signal comes
 * @throws UsageError OPTION_INVALID where it cannot listen
 */
export const servePort = async (
  port: number,
  {
    signal,
    ready,
    open,
  }: { readonly signal: AbortSignal; readonly ready: (port: number) => void; readonly open: OpenTarget },
): Promise<number> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    void converse({ input: socket, output: socket }, open).finally(() => {
      sockets.delete(socket);
      socket.end();
    });
  });
  const stopped = new Promise<void>((resolve) => server.on('close', resolve));
  await listening(server, port);
  const address = server.address();
  ready(typeof address === 'object' && address ? address.port : port);
  const stop = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  await stopped;
  return 0;
};
