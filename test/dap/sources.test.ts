import { statSync, utimesSync } from 'node:fs';
import { expect, it } from 'vitest';
import { llama } from '../cli/command.js';
import { Client } from './client.js';

interface Source {
  readonly path?: string;
  readonly sourceReference?: number;
}

const sources = async (): Promise<readonly Source[]> => {
  const client = new Client();
  await client.ask('initialize', { adapterID: 'cutaway' });
  await client.ask('launch', { model: llama, ids: [5] });
  const { sources: found } = await client.ask<{ sources: Source[] }>('loadedSources');
  await client.end();
  return found;
};

it('a listing that an editor has open keeps its breakpoints: it is not written again', async () => {
  const [listing] = await sources();
  const file = listing?.path ?? '';
  const longAgo = new Date(2001, 1, 1);
  utimesSync(file, longAgo, longAgo);
  const [again] = await sources();
  expect(again?.path).toBe(file);
  expect(statSync(file).mtime).toEqual(longAgo);
});

it('a listing is opened as the file that it is, not as a copy without breakpoints', async () => {
  const [listing, transcript] = await sources();
  expect(listing?.sourceReference).toBeUndefined();
  expect(transcript?.sourceReference).toBeGreaterThan(0);
  expect(transcript?.path).toBeUndefined();
});
