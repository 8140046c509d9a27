/** What a client is shown of work that takes its time, and how it ends that. */
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EngineError } from '../../src/base/index.js';
import type { OpenTarget } from '../../src/dap/index.js';
import { openTarget } from '../../src/service/index.js';
import { HostTarget } from '../../src/service/host/index.js';
import { llama } from '../cli/command.js';
import { Client } from './client.js';
import { startClient } from './process-client.js';

const launch = { model: llama, ids: [5, 42, 9, 31], maxNewTokens: 3, stopOnExit: true };
const clients: Client[] = [];
const clientOf = async (open: OpenTarget = (input) => openTarget(input), shows = true): Promise<Client> => {
  const client = new Client({ open });
  clients.push(client);
  await client.ask('initialize', { adapterID: 'cutaway', supportsProgressReporting: shows });
  return client;
};
afterEach(async () => {
  vi.restoreAllMocks();
  for (const client of clients.splice(0)) {
    await client.end();
    expect(client.problems()).toEqual([]);
  }
});

/** The progress events so far: what each is, and of which task. */
const progressOf = (client: Client) =>
  client.all.flatMap((m) => {
    if (m.type !== 'event' || !('event' in m) || !String(m.event).startsWith('progress')) return [];
    const { progressId, ...body } = (m as unknown as { body: Record<string, unknown> }).body;
    return [{ event: String(m.event).slice('progress'.length), progressId: String(progressId), ...body }];
  });

/** Never opens; gives up when it is told to. */
const neverOpens: OpenTarget = async (_, { signal }) => {
  if (!signal.aborted) await once(signal, 'abort');
  throw new EngineError('cancelled', { code: 'CANCELLED', hint: 'Launch again.' });
};

describe('progress', () => {
  it('is shown of opening, and of a slow first pass until there is a token', async () => {
    const client = await clientOf();
    await client.ask('launch', launch);
    await client.event('initialized');
    const opening = progressOf(client);
    expect(opening.map(({ event, progressId }) => [event, progressId])).toEqual([
      ['Start', 'progress 1'],
      ['End', 'progress 1'],
    ]);
    const { seq } = client.all.find((m) => 'command' in m && m.command === 'launch') ?? {};
    expect(opening[0]).toMatchObject({
      title: expect.stringMatching(/^Opening /) as string,
      cancellable: true,
      requestId: seq,
    });

    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000));
    await client.until('configurationDone', {});
    const [start, ...rest] = progressOf(client).slice(2);
    expect(start).toMatchObject({
      event: 'Start',
      title: expect.stringMatching(/^Running /) as string,
      cancellable: true,
    });
    const updates = rest.slice(0, -1);
    expect(rest.at(-1)).toEqual({ event: 'End', progressId: 'progress 2' });
    expect(updates.length).toBeGreaterThan(1);
    const percentages = updates.map((u) => Number((u as { percentage?: number }).percentage));
    expect(percentages).toEqual([...percentages].sort((a, b) => a - b)); // one pass, not one a token
    expect(updates[0]).toMatchObject({
      message: expect.stringMatching(/^\d+ of \d+ segments, \d+ of \d+ MB of weights$/) as string,
    });
  });

  it('is told to no client that does not show it', async () => {
    const client = await clientOf(undefined, false);
    await client.ask('launch', launch);
    expect(progressOf(client)).toEqual([]);
  });

  it.each(['progressId', 'requestId'] as const)(
    'cancels an opening by its %s, and one can launch again',
    async (by) => {
      const waiting = vi.fn<OpenTarget>(neverOpens);
      waiting.mockImplementationOnce(neverOpens).mockImplementation((input) => openTarget(input));
      const client = await clientOf(waiting);
      const answer = client.request('launch', launch);
      const { body } = await client.event('progressStart');
      await client.ask('cancel', { [by]: body[by] });
      expect(await answer).toMatchObject({ success: false, message: 'cancelled' });
      expect(progressOf(client).map(({ event }) => event)).toEqual(['Start', 'End']);
      await client.ask('launch', launch);
    },
  );

  it('ends with an opening that fails', async () => {
    const client = await clientOf();
    expect((await client.request('launch', { model: '/nowhere' })).success).toBe(false);
    expect(progressOf(client).map(({ event }) => event)).toEqual(['Start', 'End']);
  });

  it('a run is paused by its progress', async () => {
    const client = await clientOf(async (input) => {
      const target = await openTarget(input);
      const never = new AbortController().signal;
      return Object.assign(target, {
        resume: async (_: unknown, { onProgress, signal = never }: Parameters<typeof target.resume>[1] = {}) => {
          onProgress?.({ done: 1, total: 4, what: 'segments' });
          if (!signal.aborted) await once(signal, 'abort');
          return { stop: { reason: 'pause' }, state: target.state };
        },
      });
    });
    await client.ask('launch', launch);
    await client.ask('configurationDone');
    await client.event('progressStart');
    const { body } = await client.event('progressStart');
    await client.ask('cancel', { progressId: body['progressId'] });
    expect((await client.event('stopped')).body).toMatchObject({ reason: 'pause' });
    expect(progressOf(client).at(-1)).toEqual({ event: 'End', progressId: body['progressId'] });
  });

  it('disconnecting gives up an opening, and leaves no process', async () => {
    const { client, ended } = startClient();
    await client.ask('initialize', { adapterID: 'cutaway', supportsProgressReporting: true });
    const launched = client.request('launch', launch);
    await client.event('progressStart');
    await client.ask('disconnect');
    await launched;
    await client.end();
    expect(await ended).toMatchObject({ status: 0, stderr: '' });
    expect(client.problems()).toEqual([]);
  }, 60_000);

  it('a host whose opening is given up ends at once', async () => {
    const giving = new AbortController();
    const opening = HostTarget.open({ model: llama, ids: [5, 42] } as never, { signal: giving.signal });
    giving.abort();
    await expect(opening).rejects.toMatchObject({ info: { code: 'CANCELLED' } });
  });
});
