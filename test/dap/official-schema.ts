import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { root } from '../support/root.js';

type Json = Parameters<typeof z.fromJSONSchema>[0];
const file = path.join(root, 'test/dap/protocol/debugAdapterProtocol.json');
const { definitions } = JSON.parse(readFileSync(file, 'utf8')) as { definitions: Record<string, object> };

const draft = 'http://json-schema.org/draft-04/schema#';
const made = new Map<string, z.ZodType>();
const schemaOf = (name: string): z.ZodType | undefined => {
  if (!Object.hasOwn(definitions, name)) return undefined;
  const known =
    made.get(name) ??
    z.fromJSONSchema({ $schema: draft, $ref: `#/definitions/${name}`, definitions } as unknown as Json);
  made.set(name, known);
  return known;
};

/** What the protocol's own JSON schema says is wrong with a message of this name: `StoppedEvent`, `ThreadsResponse`. */
export const officialProblemsOf = (message: unknown, name: string): readonly string[] => {
  const schema = schemaOf(name);
  if (!schema) return [`${name}: the schema has no such message`];
  const { error } = schema.safeParse(message);
  return (error?.issues ?? []).map((issue) => `${name}.${issue.path.join('.')}: ${issue.message}`);
};
