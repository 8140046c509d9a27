import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** 128 random bits, fit for a path. */
export const makeToken = (): string => randomBytes(16).toString('base64url');

const sameText = (a: string, b: string): boolean => {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
};

/** `[::1]:80` as its name, without brackets, and its port. */
const partsOf = (host: string): { readonly name: string; readonly port: string } | undefined => {
  const [, bracketed, plain, port = '80'] = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(host) ?? [];
  const name = bracketed ?? plain;
  return name === undefined ? undefined : { name: name.toLowerCase(), port };
};

/** Which names a request may call the server by, and its secret. */
export interface Gate {
  readonly token: string;
  readonly port: number;
  /** Whether it listens for others than this machine. */
  readonly isOpen: boolean;
}

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '::1']);

/**
 * Is this a name of ours? A name that is an address cannot be made to lead elsewhere, others can (DNS rebinding): of
 * those only `localhost` and, where others may come, this machine's own.
 */
const isOurs = (name: string, { isOpen }: Gate): boolean =>
  loopback.has(name) || (isOpen && (isIP(name) !== 0 || name === hostname().toLowerCase()));

/** @param host a Host header */
export const isHostAllowed = (host: string | undefined, gate: Gate): boolean => {
  const parts = partsOf(host ?? '');
  return parts !== undefined && Number(parts.port) === gate.port && isOurs(parts.name, gate);
};

/**
 * May a page of this origin speak to us? Only our own: the same host and port as it asks. What is no browser sends no
 * origin, and needs the token as all do.
 */
export const isOriginAllowed = ({ origin, host }: IncomingMessage['headers'], gate: Gate): boolean =>
  origin === undefined || (isHostAllowed(host, gate) && origin === `http://${host ?? ''}`);

/** The path behind the token: `/TOKEN/assets/a.js` is `assets/a.js`; undefined where the token is another. */
export const pathBehind = (url: string | undefined, { token }: Gate): string | undefined => {
  const [path = ''] = (url ?? '').split(/[?#]/);
  const [, given = '', ...rest] = path.split('/');
  return sameText(given, token) ? rest.join('/') : undefined;
};
