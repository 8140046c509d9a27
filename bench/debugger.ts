/**
 * What the debugger costs: a generation by the engine's own loop, under the debugger, and with breakpoints that are never
 * hit, side by side in one run; then a step, a step back, and a stop at which every value is read. Prints a table.
 *
 *     npx tsx bench/debugger.ts [ROUNDS]
 */
import { existsSync, mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate, runOrder, type Variant } from '../src/engine/index.js';
import { Debuggee, openModel, promptOfIds, type OpenModel } from '../src/service/index.js';
import { gpt2SmallConfig, writeRandomModel } from '../test/support/random-model.js';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'models', 'gpt2-small');
const rounds = Number(process.argv[2] ?? 7);
const promptLength = 64;
const newTokens = 16;

const made = (): string => {
  mkdirSync(path.dirname(folder), { recursive: true });
  return existsSync(path.join(folder, 'model.safetensors')) ? folder : writeRandomModel(folder, gpt2SmallConfig);
};

const ids = Array.from({ length: promptLength }, (_, i) => (i * 7919) % 50_000);

const plain = (model: OpenModel): Variant => ({
  order: runOrder(model.program, []),
  edits: new Map(),
  weights: new Map(),
});

const start = (model: OpenModel): Promise<Debuggee> => {
  const request = { prompt: promptOfIds(model, ids), edits: [], maxNewTokens: newTokens, ignoreEos: true };
  return Debuggee.start(model, request);
};

type Prepare = (debuggee: Debuggee) => void | Promise<void>;

const layers = Number(gpt2SmallConfig['n_layer']);

/** On every layer, never true; inside the graph or asked from outside. */
const conditions =
  (isLowered: boolean): Prepare =>
  (debuggee) => {
    for (let layer = 0; layer < layers; layer++) {
      const site = `blocks.${layer}.resid_post`;
      const text = `absmax(${site}) > 1e30`;
      debuggee.session.breakpoints.add({
        site: (name) => name === site,
        layers: [layer],
        condition: debuggee.condition(text),
        ...(isLowered ? { lowered: debuggee.lowered(text) } : {}),
      });
    }
  };

const patterns: Prepare = (debuggee) => {
  for (let layer = 0; layer < layers; layer++) {
    const site = `blocks.${layer}.attn.pattern`;
    const text = `max(${site}[query=-1]) > 2`;
    debuggee.session.breakpoints.add({
      site: (name) => name === site,
      layers: [layer],
      condition: debuggee.condition(text),
      lowered: debuggee.lowered(text),
    });
  }
};

const exceptions: Prepare = async (debuggee) => {
  debuggee.session.exceptions = await Promise.all(
    ['nan', 'inf', 'overflow16', 'repetition', 'entropy 1e-9'].map((text) => debuggee.exceptionFilter(text)),
  );
};

const watches: Prepare = (debuggee) => {
  debuggee.session.breakpoints.add({ value: debuggee.watch('absmax(blocks.6.resid_post) > 1e30') });
};

/** As many passes as under the debugger, which scores the last token too. */
const engineRun = async (model: OpenModel): Promise<readonly number[]> => {
  const out: number[] = [];
  const request = { variant: plain(model), ids, maxNewTokens: newTokens + 1, sampling: {}, eos: new Set<number>() };
  for await (const { taken } of generate(model, request)) if (taken) out.push(taken.id);
  return out;
};

/** Runs to the end through the debugger. A model of random weights repeats itself: that alone may stop it. */
const debuggedRun = async (debuggee: Debuggee): Promise<readonly number[]> => {
  let stop = await debuggee.session.continue();
  while (stop.reason === 'exception' && stop.filter.kind === 'repetition') stop = await debuggee.session.continue();
  if (stop.reason !== 'end') throw new Error(`stopped: ${stop.reason}`);
  return debuggee.session.ids.slice(promptLength);
};

const median = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;

const ms = async (work: () => Promise<unknown>): Promise<number> => (await costOf(work)).wall;

/** Milliseconds by the clock, and of the processor, all threads together: on a shared machine the steadier one. */
interface Cost {
  readonly wall: number;
  readonly processor: number;
}

const costOf = async (work: () => Promise<unknown>): Promise<Cost> => {
  const [from, used] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(used);
  return { wall: performance.now() - from, processor: (user + system) / 1000 };
};

/** Each way in turn, round after round, so that what else the machine does falls on all of them. */
const generations = async (model: OpenModel): Promise<string[]> => {
  const ways: Readonly<Record<string, Prepare>> = {
    'under the debugger, nothing set': () => undefined,
    'a condition on the residual of every layer, in the graph': conditions(true),
    'a condition on the attention of every layer, in the graph': patterns,
    'all exceptions caught': exceptions,
    'a watched statistic of one layer, asked from outside': watches,
    'a condition on every layer, asked from outside': conditions(false),
  };
  const times: Record<string, Cost[]> = { engine: [] };
  let expected = '';
  for (let round = -1; round < rounds; round++) {
    const engine = await costOf(async () => void (expected = (await engineRun(model)).slice(0, newTokens).join()));
    if (round >= 0) times['engine']?.push(engine);
    for (const [name, prepare] of Object.entries(ways)) {
      const debuggee = await start(model);
      await prepare(debuggee);
      const time = await costOf(async () => {
        const out = await debuggedRun(debuggee);
        if (out.join() !== expected) throw new Error(`${name}: other tokens`);
      });
      if (round >= 0) (times[name] ??= []).push(time);
    }
  }
  const of = (name: string, by: keyof Cost): number => median((times[name] ?? []).map((cost) => cost[by]));
  return Object.keys(times).map((name) => {
    const cells = (['wall', 'processor'] as const).map(
      (by) => `${of(name, by).toFixed(0)} ms | ${(of(name, by) / of('engine', by)).toFixed(2)}`,
    );
    return `| ${name === 'engine' ? 'the engine alone' : name} | ${cells.join(' | ')} |`;
  });
};

/** A stop in the middle of a prefill of 64 tokens. */
const steps = async (model: OpenModel): Promise<string[]> => {
  const { session } = await start(model);
  await session.goTo({ step: 0, at: 7, op: 0 });
  const sites = (): string[] =>
    (session.instance?.segment.graph.sites ?? []).filter((s) => !s.onRequest).map((s) => s.name);
  const works: Readonly<Record<string, () => Promise<unknown>>> = {
    'a step to the next operation': () => session.stepForward('op'),
    'a step back by an operation': () => session.stepBack('op'),
    'a step to the next layer, which ran before': () => session.stepForward('layer'),
    'a step back by a layer': () => session.stepBack('layer'),
    [`every site of the layer read (${sites().length})`]: () => session.look(sites()),
    'a step back by a layer, every site read': async () => {
      await session.stepBack('layer');
      await session.look(sites());
      await session.stepForward('layer');
    },
  };
  const times: Record<string, number[]> = { 'a step to the next layer': [] };
  for (let round = -1; round < rounds; round++) {
    const fresh = (await start(model)).session;
    await fresh.goTo({ step: 0, at: 7, op: 0 });
    const first = await ms(() => fresh.stepForward('layer'));
    if (round >= 0) times['a step to the next layer']?.push(first);
    for (const [name, work] of Object.entries(works)) {
      const time = await ms(work);
      if (round >= 0) (times[name] ??= []).push(time);
    }
  }
  return Object.entries(times).map(
    ([name, all]) => `| ${name} | ${median(all).toFixed(1)} ms | ${Math.max(...all).toFixed(1)} ms |`,
  );
};

const model = await openModel(made(), { device: 'cpu', engine: 'onnxruntime', threads: 2, binding: 'apart' });
const loads = loadavg()[0]?.toFixed(1);
const runs = await generations(model);
const stops = await steps(model);
await model.dispose();
process.stdout.write(
  [
    `${new Date().toISOString().slice(0, 10)}. ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.versions.node}; load before the run ${loads ?? ''}; medians of ${rounds}`,
    '',
    `| ${promptLength} tokens of prompt, ${newTokens} new | by the clock | ratio | processor | ratio |`,
    '| --- | --- | --- | --- | --- |',
    ...runs,
    '',
    `| at layer 6 of a prefill of ${promptLength} tokens | median | longest |`,
    '| --- | --- | --- |',
    ...stops,
    '',
  ].join('\n'),
);
