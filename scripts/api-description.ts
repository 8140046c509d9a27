/**
 * Writes docs/api.json: all that can be asked of a host and of the page's server, as AsyncAPI 3.0 with JSON Schema,
 * made from the schemas that check each message. Run it after one of those changed: `npx tsx scripts/api-description.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import * as protocol from '../src/protocol/index.js';
import * as service from '../src/service/index.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const apiFile = path.join(root, 'docs/api.json');

type Schema = Readonly<Record<string, unknown>>;
type Io = 'input' | 'output';
const { hostMethods, hostProtocol } = protocol;
const methods = Object.keys(hostMethods) as (keyof typeof hostMethods)[];

/** What is told of a method: an operation's help; the other methods stand in docs/host.md. */
const helpOf = (method: string): string => {
  const operation = (service as Readonly<Record<string, unknown>>)[method] as { readonly help?: string } | undefined;
  return operation?.help ?? `See docs/host.md, ${method}.`;
};

const refOf = (name: string): string => `#/components/schemas/${name}`;

/** All schemas of one direction, each once under its name; a schema inside another is a reference where it has one. */
const schemasOf = (io: Io, extra: Readonly<Record<string, z.ZodType>>): Readonly<Record<string, Schema>> => {
  const registry = z.registry<{ id: string }>();
  const exported = Object.entries(protocol as Readonly<Record<string, unknown>>).filter(
    (entry): entry is [string, z.ZodType] => entry[1] instanceof z.ZodType,
  );
  for (const [name, schema] of [...exported, ...Object.entries(extra)])
    if (!registry.has(schema)) registry.add(schema, { id: `${name}.${io}` });
  const { schemas } = z.toJSONSchema(registry, { io, uri: refOf, unrepresentable: 'any' });
  const { __shared: shared, ...own } = schemas;
  const inner = Object.entries((shared?.$defs ?? {}) as Readonly<Record<string, object>>);
  const all = [...Object.entries(own), ...inner.map(([name, schema]) => [`${name}.${io}`, schema] as const)];
  return Object.fromEntries(all.map(([name, schema]) => [name, tidy(schema, io) as Schema]));
};

/** A whole number of JavaScript's is no limit worth telling. */
const isLimit = ([key, value]: readonly [string, unknown]): boolean =>
  (key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;

/** A schema without what only its own file would need, its references those of this document. */
const tidy = (value: unknown, io: Io): unknown => {
  if (Array.isArray(value)) return value.map((one) => tidy(one, io));
  if (typeof value === 'string') {
    const [, name] = /__shared#\/\$defs\/(\w+)$/.exec(value) ?? [];
    return name === undefined ? value : refOf(`${name}.${io}`);
  }
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter((entry) => !['$schema', '$id'].includes(entry[0]) && !isLimit(entry));
  return Object.fromEntries(kept.map(([key, one]) => [key, tidy(one, io)]));
};

/** All references in a value. */
const refsIn = (value: unknown): readonly string[] =>
  [...JSON.stringify(value).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name = '']) => name);

/** Those that something needs, by name. */
const reachable = (from: unknown, all: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> => {
  const found = new Set<string>();
  const waiting = [...refsIn(from)];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    waiting.push(...refsIn(all[name] ?? {}));
  }
  return Object.fromEntries([...found].sort().map((name) => [name, all[name] ?? {}]));
};

/** Names of the methods' schemas, that of an exported one where it is. */
const named = (io: Io): { readonly extra: Record<string, z.ZodType>; readonly nameOf: (method: string) => string } => {
  const exported = Object.entries(protocol as Readonly<Record<string, unknown>>);
  const extra: Record<string, z.ZodType> = {};
  const names = new Map<string, string>();
  for (const method of methods) {
    const schema: z.ZodType = hostMethods[method][io];
    const found = exported.find(([, value]) => value === schema)?.[0];
    const known = Object.entries(extra).find(([, value]) => value === schema)?.[0];
    names.set(method, `${found ?? known ?? method}.${io}`);
    if (found === undefined && known === undefined) extra[method] = schema;
  }
  return { extra, nameOf: (method) => names.get(method) ?? method };
};

const requestOf = (method: string, params: string): Schema => ({
  type: 'object',
  properties: {
    type: { const: 'request' },
    id: { type: 'integer', minimum: 0, description: 'The client’s own, each used once.' },
    method: { const: method },
    params: { $ref: refOf(params) },
    handle: { type: 'string', description: 'A model that was opened under this name, in place of the one in params.' },
    key: { type: 'string', description: 'A newer request of the same key cancels the older.' },
  },
  required: ['type', 'id', 'method', 'params'],
});

const answerOf = (result: string): Schema => ({
  type: 'object',
  properties: { type: { const: 'answer' }, id: { type: 'integer', minimum: 0 }, result: { $ref: refOf(result) } },
  required: ['type', 'id', 'result'],
});

const message = (payload: Schema, title: string) => ({ name: title, title, payload });

const onHost = (name: string) => ({ $ref: `#/channels/host/messages/${name}` });

type NameOf = (method: string) => string;

const channelsOf = (paramsOf: NameOf, resultOf: NameOf) => {
  const messages = methods.flatMap((method): [string, ReturnType<typeof message>][] => [
    [`${method}.request`, message(requestOf(method, paramsOf(method)), `${method}: request`)],
    [`${method}.answer`, message(answerOf(resultOf(method)), `${method}: answer`)],
  ]);
  return {
    host: {
      address: null,
      messages: {
        ...Object.fromEntries(messages),
        cancel: message({ $ref: refOf('clientMessage.input') }, 'cancel, and requests of any method'),
        error: message({ $ref: refOf('hostMessage.output') }, 'errors, notes and progress of a request'),
      },
    },
    session: {
      address: null,
      messages: {
        page: message({ $ref: refOf('pageMessage.input') }, 'from a page'),
        server: message({ $ref: refOf('serverMessage.output') }, 'to a page'),
      },
    },
  };
};

const operationOf = (method: string) => ({
  ...{ action: 'send', channel: { $ref: '#/channels/host' }, summary: helpOf(method) },
  messages: [onHost(`${method}.request`)],
  reply: { channel: { $ref: '#/channels/host' }, messages: [onHost(`${method}.answer`), onHost('error')] },
});

const sessionOperation = {
  ...{ action: 'send', channel: { $ref: '#/channels/session' }, summary: 'What a page changes in the session.' },
  messages: [{ $ref: '#/channels/session/messages/page' }],
  reply: { channel: { $ref: '#/channels/session' }, messages: [{ $ref: '#/channels/session/messages/server' }] },
};

const pageServer = {
  ...{ host: '127.0.0.1:7077', pathname: '/{token}/socket', protocol: 'ws' },
  description: 'Binary messages are the host’s frames, texts are the session’s.',
  variables: { token: { description: 'As in the address that cutaway prints.' } },
};

/** The whole description. */
export const describeApi = (): Schema => {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const [inputs, outputs] = [named('input'), named('output')];
  const channels = channelsOf(inputs.nameOf, outputs.nameOf);
  const schemas = { ...schemasOf('input', inputs.extra), ...schemasOf('output', outputs.extra) };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Cutaway',
      version,
      description: `What can be asked of a host, version ${hostProtocol} of its protocol (docs/host.md), and what a page and its server tell each other (docs/page.md). A message of the host’s is the header of a frame; raw bytes may stand beside it.`,
    },
    defaultContentType: 'application/json',
    servers: { page: pageServer },
    channels,
    operations: {
      ...Object.fromEntries(methods.map((method) => [method, operationOf(method)])),
      session: sessionOperation,
    },
    components: { schemas: reachable(channels, schemas) },
  };
};

/** As it stands in the file. */
export const apiText = (): string => `${JSON.stringify(describeApi(), null, 1)}\n`;

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  writeFileSync(apiFile, apiText());
