import { webSocketTransport, type Connector } from '../../client/index.js';
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

/** Beside the page's own address, so that the token is in it. */
const socketUrl = (): URL => {
  const url = new URL('socket', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.hash = '';
  url.search = '';
  return url;
};

/** Connects to the server that served this page. Whether it succeeded shows in what comes, or in `over`. */
export const openSocket = (): Socket => {
  const socket = new WebSocket(socketUrl());
  const over = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()));
  const transport = webSocketTransport(socket);
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
  });
  return link;
};
