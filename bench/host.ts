/**
 * How soon the host answers while a model runs: a model of GPT-2 small's size with random weights runs for ten seconds
 * in the host, and pings are sent to it one after the other. Prints the round trips and how soon a cancel ends the run.
 *
 *     tsx bench/host.ts [SECONDS]
 */
import { existsSync, mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DebuggerError } from '../src/base/index.js';
import type { Client } from '../src/client/index.js';
import { startHost } from '../src/service/host/index.js';
import { gpt2SmallConfig, writeRandomModel } from '../test/support/random-model.js';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'models', 'gpt2-small');
const runMs = 1000 * Number(process.argv[2] ?? 10);
const pauseMs = 2;

const made = (): string => {
  mkdirSync(path.dirname(folder), { recursive: true });
  return existsSync(path.join(folder, 'model.safetensors')) ? folder : writeRandomModel(folder, gpt2SmallConfig);
};

const ids = (length: number): number[] => Array.from({ length }, (_, i) => (i * 7919) % 50_000);

/** A request that keeps the worker busy until it is cancelled. */
type Load = (host: Client, signal: AbortSignal) => Promise<unknown>;

const loads: Readonly<Record<string, Load>> = {
  'decode, a token at a time': (host, signal) =>
    host.request('run', { ids: ids(16), maxNewTokens: 1000, ignoreEos: true }, { handle: 'm', signal }),
  'forward passes of 512 tokens, all residuals captured': async (host, signal) => {
    while (!signal.aborted)
      await host.request('capture', { ids: ids(512), sites: '**.resid_post', run: 'r' }, { handle: 'm', signal });
  },
};

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;

const pings = async (host: Client, until: number): Promise<readonly number[]> => {
  const times: number[] = [];
  while (performance.now() < until) {
    const from = performance.now();
    await host.request('ping', {});
    times.push(performance.now() - from);
    await wait(pauseMs);
  }
  return times.sort((a, b) => a - b);
};

const ignoreCancel = (error: unknown): void => {
  if (!(error instanceof DebuggerError && error.info.code === 'CANCELLED')) throw error;
};

const measure = async (host: Client, load: Load) => {
  const controller = new AbortController();
  const done = load(host, controller.signal).catch(ignoreCancel);
  const times = await pings(host, performance.now() + runMs);
  const from = performance.now();
  controller.abort();
  await done;
  return { times, cancelMs: performance.now() - from };
};

const host = await startHost();
const ms = (x: number): string => `${x.toFixed(1)} ms`;
const line = (...cells: readonly string[]): void => void process.stdout.write(`| ${cells.join(' | ')} |\n`);
try {
  await host.open({ handle: 'm', model: made() });
  await host.request('run', { ids: ids(16), maxNewTokens: 2 }, { handle: 'm' });
  const load = loadavg()[0]?.toFixed(1) ?? '?';
  process.stdout.write(
    `${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, load before ${load}, ${process.version}\n\n`,
  );
  line('while the worker runs', 'pings', 'median', '99th percentile', 'longest', 'cancel to end');
  line('---', '---', '---', '---', '---', '---');
  const idle = await pings(host, performance.now() + runMs / 10);
  line('nothing', String(idle.length), ms(quantile(idle, 0.5)), ms(quantile(idle, 0.99)), ms(idle.at(-1) ?? NaN), '');
  for (const [name, work] of Object.entries(loads)) {
    const { times, cancelMs } = await measure(host, work);
    const [median, high, longest] = [quantile(times, 0.5), quantile(times, 0.99), times.at(-1) ?? NaN].map(ms);
    line(name, String(times.length), median ?? '', high ?? '', longest ?? '', ms(cancelMs));
  }
} finally {
  await host.dispose();
}
