/**
 * Activation patching over layers, positions and three sites, on a GPT-2-small-sized model of random weights, beside
 * TransformerLens, which patches one by one (as its `patching` module does) and in batches. They take turns.
 *
 *     tsx bench/patching.ts [--lengths 16,64] [--rounds 3] [--binding inputs]
 *
 * TransformerLens runs where CUTAWAY_BENCH_TRANSFORMER_LENS (else CUTAWAY_PYTHON) has it. The floor: the products of
 * the layers and positions that each patch can change, and of the rows that are scored, over the peak measured in the same run.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gridsOf, metricOf } from '../src/analyses/sweep/index.js';
import { runOrder, Sweep, type Prompt, type SweepModel } from '../src/engine/index.js';
import { collectLater } from '../src/engine/onnxruntime/index.node.js';
import { parseExpression } from '../src/language/index.js';
import { openModel, type OpenModel } from '../src/service/index.js';
import { gpt2SmallConfig, writeRandomModel } from '../test/support/random-model.js';
import { peakGflops } from './floor.js';
import { talker } from './talker.js';

collectLater(); // as the command and the host do

const here = path.dirname(fileURLToPath(import.meta.url));
const option = (name: string, otherwise: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
};
const lengths = option('lengths', '16,64').split(',').map(Number);
const rounds = Number(option('rounds', '3'));
const threads = 2;
const sites = 'resid_pre,attn_out,mlp_out';
const [right, wrong] = [11, 262];

const [width, layers, vocab] = ['n_embd', 'n_layer', 'vocab_size'].map((field) => Number(gpt2SmallConfig[field]));

/** The ids that the peer gets too: a linear congruential generator. */
const idsOf = (length: number, seed: number): number[] => {
  let state = BigInt(seed);
  return Array.from({ length }, () => {
    state = (state * 1664525n + 1013904223n) % 2n ** 32n;
    return Number((state * BigInt(vocab ?? 0)) / 2n ** 32n);
  });
};
const promptOf = (ids: readonly number[]): Prompt => ({ ids, tokens: ids.map((id) => ({ text: `[${id}]` })) });

/** FLOPs of the products that each of the patches of three sites can change, last row scored. */
const flopsOf = (n: number): number => {
  const d = width ?? 0;
  const row = 24 * d * d; // of a block: 12 weights of d x d, a product is two operations
  const attention = (p: number): number => {
    let total = 0; // scores and mixing of the rows from p on, each with the keys up to it
    for (let q = p; q < n; q++) total += 4 * d * (q + 1);
    return total;
  };
  let total = 0;
  for (let layer = 0; layer < (layers ?? 0); layer++)
    for (let p = 0; p < n; p++) {
      const block = row * (n - p) + attention(p);
      const behind = (layers ?? 0) - layer - 1;
      total += block * (behind + 1); // resid_pre
      total += block * behind + 16 * d * d; // attn_out: of its own layer the MLP of one row
      total += block * behind; // mlp_out
    }
  return total + 3 * (layers ?? 0) * n * 2 * d * (vocab ?? 0);
};

interface Timed {
  readonly seconds: number;
  /** Processor seconds of all threads. */
  readonly cpu: number;
  /** [site][layer][position] */
  readonly values: readonly (readonly (readonly number[])[])[];
}

const ours = async (model: OpenModel, n: number): Promise<Timed> => {
  const order = runOrder(model.program, []);
  const swept: SweepModel = {
    ...{ program: model.program, compilations: model.compilations },
    variant: { order, edits: new Map(), weights: new Map() },
  };
  const [clean, corrupted] = [promptOf(idsOf(n, 1)), promptOf(idsOf(n, 2))];
  const start = performance.now();
  const cpuBefore = process.cpuUsage();
  const grids = gridsOf({ program: model.program, order, prompt: corrupted, sites });
  const encode = () => Promise.resolve([]);
  const metric = await metricOf(parseExpression(`logit(${right}) - logit(${wrong})`), {
    program: model.program,
    order,
    prompt: corrupted,
    encode,
  });
  const cells = grids.flatMap((g) => g.cells);
  const sweep = await Sweep.open(swept, {
    prompt: corrupted,
    changes: cells.map((c) => c.place.name),
    positions: metric.positions,
    tokens: metric.tokens,
  });
  const source = await sweep.other(clean);
  const values = new Float64Array(cells.length);
  const variants = cells.map(({ place, indices }) => ({
    changes: [{ site: place.name, indices, to: { kind: 'value', tensor: source.site(place.name) } as const }],
  }));
  await sweep.run(variants, (v, run) => void (values[v] = metric.of(run)));
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpuBefore);
  const flat = Array.from(values);
  const perSite = (layers ?? 0) * n;
  return {
    seconds,
    cpu: (used.user + used.system) / 1e6,
    values: grids.map((_, g) =>
      Array.from({ length: layers ?? 0 }, (_, l) => flat.slice(g * perSite + l * n, g * perSite + (l + 1) * n)),
    ),
  };
};

const median = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const folder = path.join(here, 'models', 'gpt2-small');
mkdirSync(path.dirname(folder), { recursive: true });
if (!existsSync(path.join(folder, 'model.safetensors'))) writeRandomModel(folder, gpt2SmallConfig);
const python = process.env['CUTAWAY_BENCH_TRANSFORMER_LENS'] ?? process.env['CUTAWAY_PYTHON'];
const peer =
  python === undefined
    ? undefined
    : talker(python, [path.join(here, 'peers/patching_bench.py'), folder, '--threads', String(threads)]);
if (peer) say(`peer: ${JSON.stringify(await peer.ask('{"what": "about"}'))}`);
say(
  `${cpus()[0]?.model ?? ''}, ${cpus().length} cores, load ${loadavg()
    .map((x) => x.toFixed(1))
    .join(' ')}`,
);

/** `inputs` is what the command line takes for patching. */
const binding = option('binding', 'inputs') as 'inputs' | 'packed' | 'apart';
const model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime', threads, binding });
/** Of three sites the peer patches so many, and its time is multiplied: each of its patches is a whole pass. */
const peerSites = Number(option('peer-sites', '3'));

/** GFLOP/s, of the clock and of a processor second. */
const peakNow = async (): Promise<{ readonly clock: number }> => ({ clock: await peakGflops(threads) });

const row = (name: string, runs: readonly Timed[], by: (t: Timed) => number): string => {
  const all = runs.map(by);
  return `${name.padEnd(30)} ${median(all).toFixed(2).padStart(8)} s   (${all.map((x) => x.toFixed(2)).join(', ')})`;
};

for (const n of lengths) {
  const cold = await ours(model, n);
  const [mine, single, batched]: Timed[][] = [[], [], []];
  let [peak, difference] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    peak = Math.max(peak, (await peakNow()).clock);
    mine?.push(await ours(model, n));
    if (!peer) continue;
    const request = { ids: idsOf(n, 2), clean: idsOf(n, 1), right, wrong, sites: peerSites };
    const scaled = (t: Timed): Timed => ({ ...t, seconds: (t.seconds * 3) / peerSites, cpu: (t.cpu * 3) / peerSites });
    const one = (await peer.ask(JSON.stringify({ what: 'single', ...request }))) as Timed;
    single?.push(scaled(one));
    batched?.push(scaled((await peer.ask(JSON.stringify({ what: 'batched', ...request }))) as Timed));
    const own = mine?.at(-1)?.values.flat(2) ?? [];
    one.values.flat(2).forEach((x, i) => (difference = Math.max(difference, Math.abs(x - (own[i] ?? NaN)))));
  }
  peak = Math.max(peak, (await peakNow()).clock);
  const floor = flopsOf(n) / peak / 1e9;
  say(
    `\n${n} tokens, ${3 * (layers ?? 0) * n} patches; peak ${peak.toFixed(0)} GFLOP/s, floor ${floor.toFixed(2)} s (of ${threads} threads' processor time ${(threads * floor).toFixed(2)} s)`,
  );
  say(`weights ${binding}; first time, forms compiled: ${cold.seconds.toFixed(2)} s`);
  for (const [what, by] of [
    ['clock', (t: Timed) => t.seconds],
    ['processor', (t: Timed) => t.cpu],
  ] as const) {
    const own = median((mine ?? []).map(by));
    say(`${what}:`);
    say(
      `  ${row('Cutaway', mine ?? [], by)}   ${(own / (what === 'clock' ? floor : threads * floor)).toFixed(2)} x the floor`,
    );
    if (!peer) continue;
    for (const [name, runs] of [
      ['TransformerLens, one by one', single ?? []],
      ['TransformerLens, in batches', batched ?? []],
    ] as const)
      say(`  ${row(name, runs, by)}   ${(median(runs.map(by)) / own).toFixed(1)} x ours`);
  }
  if (peer) say(`largest difference of a logit difference: ${difference.toExponential(1)}`);
  say(
    `load ${loadavg()
      .map((x) => x.toFixed(1))
      .join(' ')}`,
  );
}
peer?.end();
await model.dispose();
