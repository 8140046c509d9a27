/**
 * Times Cutaway on a model folder and prints one JSON document, in the form that the peers' scripts print.
 *
 *     tsx bench/ours.ts MODEL '{"lengths": [1, 16, 64, 512], ...}'
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { forward, generate, runOrder, type Variant } from '../src/engine/index.js';
import type { Binding } from '../src/engine/onnxruntime/index.js';
import { openModel, type OpenModel } from '../src/service/index.js';
import { peakGflops, readBandwidth } from './floor.js';
import { costOf, float32Bytes, typesOf, type Extents, type ValueType } from '../src/graph/index.js';

export interface Cases {
  readonly lengths: readonly number[];
  readonly decodePrompt: number;
  readonly decodeTokens: number;
  readonly warmUp: number;
  readonly repeats: number;
  readonly starts: number;
  readonly seed: number;
  readonly threads: number;
}

/** The ids that the peers get too: a linear congruential generator. */
const idsOf = (length: number, vocab: number, seed: number): number[] => {
  let state = BigInt(seed);
  return Array.from({ length }, () => {
    state = (state * 1664525n + 1013904223n) % 2n ** 32n;
    return Number((state * BigInt(vocab)) / 2n ** 32n);
  });
};

const median = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;

const timed = async (
  cases: Cases,
  work: () => Promise<unknown>,
): Promise<{ median: number; least: number; most: number }> => {
  for (let i = 0; i < cases.warmUp; i++) await work();
  const times: number[] = [];
  for (let i = 0; i < cases.repeats; i++) {
    const start = performance.now();
    await work();
    times.push((performance.now() - start) / 1000);
  }
  return { median: median(times), least: Math.min(...times), most: Math.max(...times) };
};

const plain = (model: OpenModel): Variant => ({
  order: runOrder(model.program, []),
  edits: new Map(),
  weights: new Map(),
});
const everySite = (model: OpenModel): ReadonlySet<string> =>
  new Set(model.program.segments.flatMap((s) => s.graph.sites.filter((t) => !t.onRequest).map((t) => t.name)));

const open = (folder: string, cases: Cases, binding: Binding): Promise<OpenModel> =>
  openModel(folder, { device: 'cpu', engine: 'onnxruntime', threads: cases.threads, binding });

const lengthsWithin = (model: OpenModel, cases: Cases): number[] =>
  cases.lengths.filter((n) => n <= (model.program.facts.maxPositions ?? Infinity));

type Timing = Awaited<ReturnType<typeof timed>>;

/**
 * Forward passes. `plain` scores the last position, the others all of them, as the peers do; `all`: every site is
 * captured; `outputs`: every site is an output that nobody reads.
 */
const forwards = async (
  model: OpenModel,
  cases: Cases,
  what: 'plain' | 'scored' | 'all' | 'outputs',
): Promise<Record<string, Timing>> => {
  const times: Record<string, Timing> = {};
  const capture = what === 'all' ? everySite(model) : new Set<string>();
  for (const n of lengthsWithin(model, cases)) {
    const ids = [idsOf(n, model.program.facts.vocab, cases.seed)];
    const taps = what === 'all' || what === 'outputs' ? { taps: 'all' as const } : {};
    const logits = what === 'plain' ? 'last' : 'all';
    times[n] = await timed(cases, () => forward(model, { variant: plain(model), ids, capture, logits, ...taps }));
  }
  return times;
};

const decode = async (model: OpenModel, cases: Cases): Promise<{ tokensPerSecond: number }> => {
  const request = {
    variant: plain(model),
    ids: idsOf(cases.decodePrompt, model.program.facts.vocab, cases.seed),
    maxNewTokens: cases.decodeTokens + 1,
    sampling: {},
    eos: new Set<number>(),
  };
  const once = async (): Promise<number> => {
    let start = 0;
    for await (const { step } of generate(model, request)) if (step === 0) start = performance.now();
    return (performance.now() - start) / 1000;
  };
  await once();
  const runs: number[] = [];
  for (let i = 0; i < cases.repeats; i++) runs.push(await once());
  return { tokensPerSecond: cases.decodeTokens / median(runs) };
};

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Seconds of the whole process, from its start to its end, that prints one token. */
const start = (folder: string, cases: Cases): number => {
  const ids = idsOf(16, 1000, cases.seed).join();
  const args = [path.join(root, 'bin/cutaway.js'), 'run', folder, '--ids', ids, '--max-new-tokens', '1', '--json'];
  const runs = Array.from({ length: cases.starts + 1 }, () => {
    const from = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [...args, '--threads', String(cases.threads)]);
    if (status !== 0) throw new Error(String(stderr));
    return (performance.now() - from) / 1000;
  });
  return median(runs.slice(1)); // the first warms the disk's cache
};

/** Peak resident bytes of a fresh process after one forward pass. */
const peak = (folder: string, cases: Cases, what: string): { peak: number; captured: number } => {
  const self = fileURLToPath(import.meta.url);
  const child = spawnSync(process.execPath, ['--import', 'tsx', self, folder, JSON.stringify(cases), what], {
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as { peak: number; captured: number };
};

/** Floating-point operations of all products in a forward pass that scores one position, and bytes of all weights. */
const work = (model: OpenModel, cases: Cases): { matmulFlops: Record<string, number>; weightBytes: number } => {
  const flops = (n: number): number =>
    model.program.segments.reduce((sum, { kind, graph }) => {
      const position = kind === 'head' ? 1 : n;
      const extents: Extents = { batch: 1, position, past: 0, key: position };
      const types = typesOf(graph);
      const wanted = new Set(graph.sites.filter((s) => s.onRequest).map((s) => s.value));
      const products = graph.nodes.filter(
        (node) =>
          node.op === 'Linear' || (node.op === 'MatMul' && !wanted.has(node.id) && node.type.axes.at(-1) !== 'model'),
      );
      return products.reduce((total, node) => {
        const operands = node.inputs.flatMap((id): ValueType | never[] => types.get(id) ?? []);
        return total + costOf(node, operands, extents).flops;
      }, sum);
    }, 0);
  const params = model.program.segments.filter((s) => s.kind !== 'embed').flatMap((s) => s.graph.params);
  const matmulFlops = Object.fromEntries(lengthsWithin(model, cases).map((n) => [n, flops(n)]));
  return { matmulFlops, weightBytes: float32Bytes(params) };
};

const bindings: readonly Binding[] = ['packed', 'apart', 'inputs'];

const measure = async (folder: string, cases: Cases): Promise<object> => {
  const model = await open(folder, cases, 'packed');
  const result = {
    gflops: await peakGflops(cases.threads),
    bandwidth: await readBandwidth(cases.threads),
    ...work(model, cases),
    forward: await forwards(model, cases, 'plain'),
    forwardScored: await forwards(model, cases, 'scored'),
    forwardOutputs: await forwards(model, cases, 'outputs'),
    forwardCaptured: await forwards(model, cases, 'all'),
    decode: await decode(model, cases),
  };
  await model.dispose();
  const ways: Record<string, object> = {};
  for (const binding of bindings) {
    const other = await open(folder, cases, binding);
    const from = performance.now();
    await forward(other, { variant: plain(other), ids: [[1]], capture: new Set() });
    const create = (performance.now() - from) / 1000;
    ways[binding] = { create, forward: await forwards(other, cases, 'plain') };
    await other.dispose();
  }
  const peaks = { plain: peak(folder, cases, 'plain'), captured: peak(folder, cases, 'captured') };
  return { ...result, ways, start: start(folder, cases), peakRssBytes: { length: 16, ...peaks } };
};

/** `maxRSS` also counts the parent that the process was forked from; Linux tells the process's own. */
const peakRssBytes = (): number => {
  const own = existsSync('/proc/self/status') ? /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) : null;
  return (own ? Number(own[1]) : process.resourceUsage().maxRSS) * 1024;
};

const peakOnce = async (folder: string, cases: Cases, what: string): Promise<object> => {
  const model = await open(folder, cases, 'packed');
  const capture = what === 'captured' ? everySite(model) : new Set<string>();
  const ids = [idsOf(16, model.program.facts.vocab, cases.seed)];
  const { sites } = await forward(model, { variant: plain(model), ids, capture });
  const bytes = [...sites.values()].reduce((sum, t) => sum + t.data.byteLength, 0);
  return { peak: peakRssBytes(), captured: bytes };
};

const [folder = '', json = '{}', child] = process.argv.slice(2);
const cases = JSON.parse(json) as Cases;
const result = child === undefined ? await measure(folder, cases) : await peakOnce(folder, cases, child);
process.stdout.write(`${JSON.stringify(result)}\n`);
