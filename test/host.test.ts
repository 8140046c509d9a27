/** The host as a face uses it: a real process, real frames, small models of random weights. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { build } from '../scripts/build.js';
import { DebuggerError } from '../src/base/index.js';
import type { Client } from '../src/client/index.js';
import { runInput, type HostOutput, type Notification, type RunResult } from '../src/protocol/index.js';
import { openJournal, startHost } from '../src/service/host/index.js';
import { run } from '../src/service/index.js';
import { writeRandomModel } from './support/random-model.js';
import { root } from './support/root.js';

const config = {
  ...{ architectures: ['GPT2LMHeadModel'], model_type: 'gpt2', activation_function: 'gelu_new' },
  ...{ vocab_size: 64, n_positions: 512, n_embd: 32, n_layer: 4, n_head: 4, layer_norm_epsilon: 1e-5 },
};

let folder = '';
let model = '';
let host: Client;
const deaths: DebuggerError[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutaway-host-'));
  model = writeRandomModel(path.join(folder, 'model'), config);
  host = await startHost({ limits: { modelBytes: 2 ** 20 }, onDeath: (error) => deaths.push(error) });
  await host.open({ handle: 'small', model, threads: 1 });
});
afterAll(async () => {
  await host.dispose();
  rmSync(folder, { recursive: true });
});

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof DebuggerError ? error.info.code : String(error)),
  );

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const untilGone = (pid: number): Promise<void> =>
  vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 20_000, interval: 50 });

let longRuns = 0;
/** A capture on the plain engine, which takes seconds; `begun` resolves when the model is about to run. */
const longRun = (signal?: AbortSignal) => {
  let isOver = false;
  longRuns++; // of tokens of its own: a run begins where an earlier one brought it
  let begin: () => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const onTold = (told: Notification): void => {
    if (told.type === 'note' && told.text.includes('sites,')) begin();
  };
  const params = {
    model,
    engine: 'reference' as const,
    ids: new Array<number>(500).fill(longRuns),
    sites: '**.resid_post',
  };
  const done = host
    .request('capture', { ...params, run: 'long' }, { onTold, ...(signal ? { signal } : {}) })
    .finally(() => (isOver = true));
  done.catch(() => undefined);
  return { begun, done, isOver: () => isOver };
};

const ids = [1, 2, 3, 4, 5];
/** The result of a run of one prompt that makes tokens or scores the next. */
const one = (output: HostOutput<'run'>): RunResult => {
  if (Array.isArray(output)) throw new Error('one prompt was given');
  return output;
};

describe('the host', () => {
  it('runs operations as they run without it, and tells of notes and progress', async () => {
    const told: Notification[] = [];
    const output = await host.request(
      'run',
      { model, threads: 1, ids, maxNewTokens: 4 },
      { onTold: (t) => told.push(t) },
    );
    const context = { signal: new AbortController().signal, note: () => undefined };
    const direct = await run.run(runInput.parse({ model, threads: 1, ids, maxNewTokens: 4 }), context);
    expect({ ...one(output), seconds: 0 }).toEqual({ ...one(direct), seconds: 0 });
    expect(told.map((t) => t.type)).toContain('note');
    expect(told.flatMap((t) => (t.type === 'progress' ? [`${t.what} ${t.done}`] : []))).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((n) => `segments ready ${n}`),
      ...[1, 2, 3, 4].map((n) => `tokens ${n}`),
    ]);
  });

  it('gives errors as they were made, with what is wrong with the params', async () => {
    expect(await codeOf(host.request('run', { model: path.join(folder, 'none'), ids }))).toBe('MODEL_NOT_FOUND');
    const wrong = host.request('run', { ids, top: 'ten' as never }, { handle: 'small' });
    await expect(wrong).rejects.toMatchObject({ blame: 'caller', info: { code: 'OPTION_INVALID' } });
    await expect(wrong).rejects.toThrow('run.top');
    expect(await codeOf(host.request('run', { ids }, { handle: 'unknown' }))).toBe('OPTION_INVALID');
    expect(await codeOf(host.request('dance' as 'ping', {}))).toBe('MESSAGE_INVALID');
  });

  it('keeps a model open, closes others for room, and opens a model anew whose files changed', async () => {
    const other = writeRandomModel(path.join(folder, 'other'), config, { seed: 2 });
    const fingerprintOf = async () => one(await host.request('run', { model: other, ids })).model.fingerprint;
    await host.open({ handle: 'other', model: other });
    const before = await fingerprintOf();
    const { models } = await host.request('status', {});
    expect(models.bytes).toBeGreaterThan(0);
    expect(models.entries).toBeGreaterThan(1);
    writeRandomModel(other, config, { seed: 4 });
    expect(await fingerprintOf()).not.toBe(before);
    expect((await host.request('status', {})).models.entries).toBe(models.entries);
    await host.close('other');
    expect((await host.request('status', {})).models.entries).toBe(models.entries - 1);
    const large = writeRandomModel(path.join(folder, 'large'), { ...config, n_embd: 160 });
    await host.request('run', { model: large, ids });
    await host.request('run', { model, ids });
    expect((await host.request('status', {})).models).toMatchObject({ entries: 1 });
  });

  it('holds what was captured for views, each of the revision that it tells', async () => {
    const capture = (edits: { text: string }[]) =>
      host.request('capture', { ids, edits, sites: 'blocks.2.attn.pattern', run: 'a' }, { handle: 'small' });
    const at = { run: 'a', site: 'blocks.2.attn.pattern', where: { head: 1, query: -1 } };
    await capture([]);
    const before = await host.view({ at, as: { kind: 'slice' } });
    const { revision } = await capture([{ text: 'scale blocks.1.resid_post by 3' }]);
    const after = await host.view({ at, as: { kind: 'slice' } });
    expect([before.revision, revision, after.revision]).toEqual([1, 2, 2]);
    const sums = [before, after].map(({ data }) => new Float32Array(data.buffer).reduce((a, b) => a + b));
    for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
    expect([...after.data]).not.toEqual([...before.data]);
    expect((await host.request('drop', { run: 'a' })).bytes).toBe(4 * 4 * ids.length ** 2);
    expect(await codeOf(host.view({ at, as: { kind: 'stats' } }))).toBe('SITE_NOT_CAPTURED');
  });

  it('answers while a model runs; of views of one key older ones are cancelled', async () => {
    await host.request('capture', { ids, sites: 'embed', run: 'b' }, { handle: 'small' });
    const { begun, done, isOver } = longRun();
    await begun;
    for (let i = 0; i < 20; i++) await host.request('ping', {});
    const look = () => host.view({ at: { run: 'b', site: 'embed' }, as: { kind: 'stats' } }, { key: 'image' });
    // Many, since the worker may answer one before it hears of the next.
    const [older, newer] = [Array.from({ length: 200 }, () => codeOf(look())), look()];
    expect(isOver()).toBe(false);
    expect(await Promise.all(older)).toContain('CANCELLED');
    expect((await newer).view.kind).toBe('stats');
    await done;
  });

  it('stops a run between two segments, and goes on with the next request', async () => {
    const controller = new AbortController();
    const { begun, done } = longRun(controller.signal);
    await begun;
    const waiting = new AbortController();
    const queued = codeOf(host.request('run', { ids }, { handle: 'small', signal: waiting.signal }));
    waiting.abort();
    expect(await queued).toBe('CANCELLED');
    controller.abort();
    expect(await codeOf(done)).toBe('CANCELLED');
    expect(one(await host.request('run', { ids }, { handle: 'small' })).tokens.length).toBe(5);
    expect((await host.request('status', {})).pending).toBe(0);
  });

  it('keeps the tokens of a generation that is cancelled', async () => {
    const controller = new AbortController();
    const onTold = (told: Notification): void => {
      if (told.type === 'progress' && told.what === 'tokens' && told.done === 3) controller.abort();
    };
    const options = { handle: 'small', signal: controller.signal, onTold };
    const output = one(await host.request('run', { ids, maxNewTokens: 500 }, options));
    expect(output.stop).toBe('cancelled');
    expect(output.generated.ids.length).toBeGreaterThanOrEqual(3);
    expect(output.generated.ids.length).toBeLessThan(500);
  });
});

describe('a host that dies', () => {
  it('is told of at once; the journal has all, and after a restart work goes on', async () => {
    const journal = await openJournal(path.join(folder, 'journal.jsonl'));
    const entries = ['skip layer 1', 'skip layer 2'].map((text) => ({ kind: 'edit', data: text }));
    for (const entry of entries) await journal.append(entry);
    const { begun, done } = longRun();
    await begun;
    const pid = host.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    await expect(done).rejects.toMatchObject({ info: { code: 'HOST_DIED', details: { reason: 'SIGKILL' } } });
    expect(await codeOf(host.request('ping', {}))).toBe('HOST_DIED');
    expect([host.isAlive, host.pid, deaths.map((d) => d.info.code)]).toEqual([false, undefined, ['HOST_DIED']]);
    await host.restart();
    await journal.dispose();
    const again = await openJournal(journal.path);
    expect(again.entries()).toEqual(entries);
    const edits = again.entries().map(({ data }) => ({ text: data as string }));
    const output = await host.request('run', { ids, edits }, { handle: 'small' });
    expect(one(output).next.length).toBe(10);
    expect(host.pid).not.toBe(pid);
    await again.dispose();
  });

  it('can be replaced while it still runs', async () => {
    const { begun, done } = longRun();
    await begun;
    const pid = host.pid ?? 0;
    await host.restart();
    expect(await codeOf(done)).toBe('HOST_DIED');
    expect([isAlive(pid), deaths.length]).toEqual([false, 1]);
    await host.request('ping', {});
  });

  it('that cannot be started says why', async () => {
    const options = process.env['NODE_OPTIONS'];
    process.env['NODE_OPTIONS'] = '--require ./there-is-none.cjs';
    const error = await startHost().catch((e: unknown) => e);
    if (options === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = options;
    expect(error).toMatchObject({ info: { code: 'HOST_DIED' } });
    expect(JSON.stringify((error as DebuggerError).info.details)).toContain('there-is-none');
  });
});

describe('no process is left', () => {
  it('after dispose, also in the middle of a run', async () => {
    const own = await startHost();
    const pid = own.pid ?? 0;
    const params = { model, engine: 'reference' as const, ids: new Array<number>(400).fill(3), sites: 'embed' };
    const run = codeOf(own.request('inspect', params));
    await own.request('ping', {});
    await own.dispose();
    expect([isAlive(pid), await run]).toEqual([false, 'CANCELLED']);
    expect(await codeOf(own.request('ping', {}))).toBe('CANCELLED');
    await own.dispose();
  });

  it('when the face is killed', { timeout: 60_000 }, async () => {
    const start = pathToFileURL(path.join(root, 'src/service/host/index.ts')).href;
    const code = `import { startHost } from ${JSON.stringify(start)};
      startHost().then((host) => console.log(host.pid)); setInterval(() => {}, 1000);`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', code];
    const face = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => face.stdout.once('data', (text) => resolve(Number(text))));
    expect(isAlive(pid)).toBe(true);
    face.kill('SIGKILL');
    await untilGone(pid);
  });
});

describe('the bundle', () => {
  it('starts its own host', { timeout: 60_000 }, async () => {
    await build();
    const index = pathToFileURL(path.join(root, 'dist/index.js')).href;
    const code = `import { startHost } from ${JSON.stringify(index)};
      const host = await startHost();
      const { sites } = await host.request('inspect', { model: ${JSON.stringify(model)}, ids: [1, 2], sites: 'embed' });
      console.log(sites[0].shape.join());
      await host.dispose();`;
    const args = ['--input-type=module', '-e', code];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    expect([stdout, stderr]).toEqual(['1,2,32\n', '']);
  });
});
