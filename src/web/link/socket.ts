import type { Connector, Transport, TransportEvents } from '../../client/index.js';
import type { PageMessage } from '../../protocol/index.js';

/** One WebSocket to the server: binary messages are the host's frames, texts are the session's. */
export interface Socket {
  /** For the client of the host's protocol, once. */
  readonly connector: Connector;
  send(message: PageMessage): void;
  /** Told of each text; set before any can come. */
  onText: (text: string) => void;
  /** Resolves when the connection is over. */
  readonly over: Promise<void>;
  close(): void;
}

const joined = (pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
};

/** Beside the page's own address, so that the token is in it. */
const socketUrl = (): URL => {
  const url = new URL('socket', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.hash = '';
  url.search = '';
  return url;
};

const transportOf = (socket: WebSocket, over: Promise<void>): Transport & { take(bytes: ArrayBuffer): void } => {
  let events: TransportEvents | undefined;
  const early: ArrayBuffer[] = [];
  return {
    take: (bytes) => (events ? events.data(new Uint8Array(bytes)) : void early.push(bytes)),
    send: (pieces) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(joined(pieces));
    },
    listen: (given) => {
      events = given;
      for (const bytes of early.splice(0)) given.data(new Uint8Array(bytes));
      void over.then(() => given.end({ reason: 'the connection to the server was closed' }));
    },
    close: () => {
      socket.close();
      return over;
    },
  };
};

/** Connects to the server that served this page. Whether it succeeded shows in what comes, or in `over`. */
export const openSocket = (): Socket => {
  const socket = new WebSocket(socketUrl());
  socket.binaryType = 'arraybuffer';
  const over = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()));
  const transport = transportOf(socket, over);
  const link: Socket = {
    connector: () => Promise.resolve(transport),
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    onText: () => undefined,
    over,
    close: () => socket.close(),
  };
  socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data === 'string') link.onText(data);
    else transport.take(data);
  });
  return link;
};
