import { UsageError } from '../base/index.js';
import { connect, type Client, type ClientOptions } from './client.js';
import type { Transport, TransportEvents } from './transport.js';

/** What is used of a WebSocket: a browser's, Node's own, and that of the package `ws` have it. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: 'open' | 'close' | 'error', told: () => void): void;
  addEventListener(type: 'message', told: (event: { readonly data: unknown }) => void): void;
}

/** The pieces of a frame as one message. */
const joined = (pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
};

const isOpen = 1;

/**
 * Frames over a WebSocket that is not open yet; its texts are not ours. What is sent before it opens waits, what comes
 * before somebody listens too.
 */
export const webSocketTransport = (socket: SocketLike): Transport => {
  socket.binaryType = 'arraybuffer';
  let events: TransportEvents | undefined;
  let isOver = false;
  const early: Uint8Array[] = [];
  const waiting: Uint8Array<ArrayBuffer>[] = [];
  const over = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()));
  const end = (): void => {
    isOver = true;
    events?.end({ reason: 'the connection to the server was closed' });
  };
  void over.then(end);
  socket.addEventListener('error', () => undefined); // a close follows
  socket.addEventListener('open', () => waiting.splice(0).forEach((bytes) => socket.send(bytes)));
  socket.addEventListener('message', ({ data }) => {
    if (!(data instanceof ArrayBuffer)) return;
    if (events) events.data(new Uint8Array(data));
    else early.push(new Uint8Array(data));
  });
  return {
    send: (pieces) => {
      if (socket.readyState === isOpen) socket.send(joined(pieces));
      else if (!isOver) waiting.push(joined(pieces));
    },
    listen: (given) => {
      events = given;
      for (const bytes of early.splice(0)) given.data(bytes);
      if (isOver) end();
    },
    close: () => {
      socket.close();
      return over;
    },
  };
};

export interface PageClientOptions extends ClientOptions {
  /** Makes WebSockets; where left out the one that is there: a browser's, and Node's from version 22 on. */
  readonly WebSocket?: new (url: string) => SocketLike;
}

/** `http://127.0.0.1:7077/TOKEN/` as where its WebSocket is. @throws UsageError OPTION_INVALID */
const socketAddress = (address: string): string => {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError(`${address} is no address of a page`, {
      code: 'OPTION_INVALID',
      hint: 'Give what cutaway printed, such as http://127.0.0.1:7077/TOKEN/.',
    });
  const socket = new URL('socket', new URL(url.pathname.endsWith('/') ? url.href : `${url.href}/`));
  socket.protocol = url.protocol.replace('http', 'ws');
  [socket.hash, socket.search] = ['', ''];
  return socket.href;
};

/**
 * A client of the server that `cutaway` started: it shares the models that are open there.
 * @param address as it was printed, with its token
 * @throws UsageError OPTION_INVALID; EngineError HOST_DIED where nobody answers, or the token is another
 */
export const connectPage = async (address: string, options: PageClientOptions = {}): Promise<Client> => {
  const { WebSocket = (globalThis as { WebSocket?: PageClientOptions['WebSocket'] }).WebSocket, ...rest } = options;
  const url = socketAddress(address);
  if (!WebSocket)
    throw new UsageError('there is no WebSocket', {
      code: 'OPTION_INVALID',
      hint: 'Take Node 22 or newer, or give the one of the package ws: connectPage(address, { WebSocket }).',
    });
  return connect(() => Promise.resolve(webSocketTransport(new WebSocket(url))), rest);
};
