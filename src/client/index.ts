export { Client, connect, type ClientOptions, type RequestOptions, type View } from './client.js';
export type { Answer } from './connection.js';
export type { Connector, Transport, TransportEvents } from './transport.js';
export { connectPage, webSocketTransport, type PageClientOptions, type SocketLike } from './web-socket.js';
