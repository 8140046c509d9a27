/**
 * Attribution beside Captum and Inseq, on a GPT-2-small-sized model of random weights, all with as many threads on the same
 * machine. They take turns, case by case and round after round, so that what else runs there meets all of them.
 *
 *     CUTAWAY_PYTHON=python CUTAWAY_BENCH_INSEQ=python tsx bench/attribution.ts [--tokens 16] [--rounds 7] [--only TEXT]
 *       [--binding inputs]
 *
 * The others are `peers/captum_bench.py` (torch, transformers and captum, in CUTAWAY_PYTHON) and `peers/inseq_bench.py`
 * (inseq, in CUTAWAY_BENCH_INSEQ, another Python); where a variable is not set, its side is left out. Seconds by the
 * clock are medians, with the least of all rounds; ratios, how many times as long the other takes, are of those, and of
 * the processor's seconds, in which the threads of both also wait. The first call of each, which compiles, is not counted.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectLater } from '../src/engine/onnxruntime/index.node.js';
import { attributeInput } from '../src/protocol/index.js';
import { attribute, openModel } from '../src/service/index.js';
import { gpt2SmallConfig, writeRandomModel } from '../test/support/random-model.js';
import { talker, type Talker } from './talker.js';

const option = (name: string, otherwise: string): string => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
};
const [tokens, rounds, threads] = [Number(option('--tokens', '16')), Number(option('--rounds', '7')), 2];
/** A part of the names of the cases that are run; all where left out. */
const only = option('--only', '');
const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.join(here, 'models', 'gpt2-small');
mkdirSync(path.dirname(folder), { recursive: true });
if (!existsSync(path.join(folder, 'model.safetensors')))
  writeRandomModel(folder, { ...gpt2SmallConfig }, { dtype: 'F32' });

collectLater(); // as the command and the host do
const binding = option('--binding', 'packed') as 'inputs' | 'packed';
const model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime', threads, binding });
const ids = Array.from({ length: tokens }, (_, i) => (i * 7919 + 13) % model.program.facts.vocab);
/** What all sides do; the others know the cases by these names. */
const cases: Readonly<Record<string, object>> = {
  'gradient x input': { method: 'gradient-x-input' },
  'integrated gradients, 20 steps': { method: 'integrated-gradients', steps: 20 },
  'SmoothGrad, 10 samples': { method: 'smoothgrad', samples: 10 },
  'ablation of each token': { method: 'occlusion', replace: { token: 11 } },
  'Shapley values, 5 orders': { method: 'shapley', samples: 5, replace: { token: 11 } },
};

interface Timed {
  readonly seconds: number;
  /** Processor seconds of all threads. */
  readonly cpu: number;
}

const context = {
  signal: new AbortController().signal,
  note: () => undefined,
  models: { lease: () => Promise.resolve({ ...model, dispose: () => Promise.resolve() }) },
};
const ours = async (given: object): Promise<Timed> => {
  const [from, before] = [performance.now(), process.cpuUsage()];
  const input = { model: folder, ids, of: 'logit(5)', faithfulness: false, ...given };
  await attribute.run(attributeInput.parse(input), context);
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - from) / 1000, cpu: (user + system) / 1e6 };
};

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
const least = (numbers: readonly number[]): number => Math.min(...numbers);

const peer = (script: string, python: string | undefined): Talker | undefined =>
  python === undefined
    ? undefined
    : talker(python, ['-W', 'ignore', path.join(here, 'peers', script), folder, String(tokens), String(threads)]);

const sides: Readonly<Record<string, Talker | undefined>> = {
  Captum: peer('captum_bench.py', process.env['CUTAWAY_PYTHON']),
  Inseq: peer('inseq_bench.py', process.env['CUTAWAY_BENCH_INSEQ']),
};
const others = Object.entries(sides).flatMap(([name, side]) => (side ? [{ name, side }] : []));

const shown = (runs: readonly Timed[]): string => {
  const clock = runs.map((r) => r.seconds);
  return `${median(clock).toFixed(3)} s (${least(clock).toFixed(3)})`;
};
const compared = (theirs: readonly Timed[], own: readonly Timed[]): string => {
  const times = (by: (t: Timed) => number, of: (n: readonly number[]) => number): string =>
    (of(theirs.map(by)) / of(own.map(by))).toFixed(2);
  const clock = (t: Timed): number => t.seconds;
  return `${times(clock, median)} (${times(clock, least)}) ${times((t) => t.cpu, median)}`;
};

console.log(
  `${cpus()[0]?.model ?? ''}, ${cpus().length} cores, load ${loadavg()
    .map((x) => x.toFixed(1))
    .join(' ')}`,
);
console.log(`| what | Cutaway |${others.map(({ name }) => ` ${name} | of ours: clock (least), processor |`).join('')}`);
console.log(`| -- | -- |${others.map(() => ' -- | -- |').join('')}`);
for (const [name, given] of Object.entries(cases).filter(([name]) => name.includes(only))) {
  await ours(given);
  const own: Timed[] = [];
  const theirs = new Map<string, Timed[]>();
  const asked = async ({ name: of, side }: { name: string; side: Talker }): Promise<void> => {
    const timed = (await side.ask(name)) as Timed | null; // null: it has no such method
    if (timed) theirs.set(of, [...(theirs.get(of) ?? []), timed]);
  };
  for (const other of others) await other.side.ask(name);
  for (let round = 0; round < rounds; round++) {
    own.push(await ours(given));
    for (const other of others) await asked(other);
  }
  const columns = others.map(({ name: of }) => {
    const runs = theirs.get(of);
    return runs ? ` ${shown(runs)} | ${compared(runs, own)} |` : ' – | – |';
  });
  console.log(`| ${name} | ${shown(own)} |${columns.join('')}`);
}
console.log(
  `load ${loadavg()
    .map((x) => x.toFixed(1))
    .join(' ')}`,
);
for (const { side } of others) side.end();
await model.dispose();
