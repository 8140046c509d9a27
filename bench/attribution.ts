/**
 * Attribution beside Captum and Inseq, on a GPT-2-small-sized model of random weights, all with as many threads on the same
 * machine, one after the other in the same run.
 *
 *     CUTAWAY_PYTHON=python CUTAWAY_BENCH_INSEQ=python tsx bench/attribution.ts [--tokens 16] [--repeats 3] [--only TEXT]
 *
 * The others are `peers/captum_bench.py` (torch, transformers and captum, in CUTAWAY_PYTHON) and `peers/inseq_bench.py`
 * (inseq, in CUTAWAY_BENCH_INSEQ, another Python); where a variable is not set, its side is left out. Prints medians of
 * wall-clock seconds, and how many times as long the others take. The first call of each, which compiles, is not counted.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { attributeInput } from '../src/protocol/index.js';
import { attribute, openModel } from '../src/service/index.js';
import { gpt2SmallConfig, writeRandomModel } from '../test/support/random-model.js';

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const [tokens, repeats, threads] = [option('--tokens', 16), option('--repeats', 3), 2];
/** A part of the names of the cases that are run; all where left out. */
const only = process.argv.includes('--only') ? (process.argv[process.argv.indexOf('--only') + 1] ?? '') : '';
const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.join(here, 'models', 'gpt2-small');
mkdirSync(path.dirname(folder), { recursive: true });
if (!existsSync(path.join(folder, 'model.safetensors')))
  writeRandomModel(folder, { ...gpt2SmallConfig }, { dtype: 'F32' });

const model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime', threads, binding: 'packed' });
const ids = Array.from({ length: tokens }, (_, i) => (i * 7919 + 13) % model.program.facts.vocab);
/** What both sides do; names are those of the other side's answer. */
const cases: Readonly<Record<string, object>> = {
  'gradient x input': { method: 'gradient-x-input' },
  'integrated gradients, 20 steps': { method: 'integrated-gradients', steps: 20 },
  'SmoothGrad, 10 samples': { method: 'smoothgrad', samples: 10 },
  'ablation of each token': { method: 'occlusion', replace: { token: 11 } },
  'Shapley values, 5 orders': { method: 'shapley', samples: 5, replace: { token: 11 } },
};

const context = {
  signal: new AbortController().signal,
  note: () => undefined,
  models: { lease: () => Promise.resolve({ ...model, dispose: () => Promise.resolve() }) },
};
const timed = async (given: object): Promise<number> => {
  const from = performance.now();
  const input = { model: folder, ids, of: 'logit(5)', faithfulness: false, ...given };
  await attribute.run(attributeInput.parse(input), context);
  return (performance.now() - from) / 1000;
};
const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

/** Seconds by case of a peer; none where its Python is not given. */
const theirs = (script: string, python: string | undefined): Readonly<Record<string, number>> => {
  if (python === undefined) return {};
  const args = [folder, String(tokens), String(repeats), String(threads), only];
  const out = execFileSync(python, ['-W', 'ignore', path.join(here, 'peers', script), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(out) as Readonly<Record<string, number>>;
};

const captum = theirs('captum_bench.py', process.env['CUTAWAY_PYTHON']);
const inseq = theirs('inseq_bench.py', process.env['CUTAWAY_BENCH_INSEQ']);
const told = (other: number | undefined, own: number): string =>
  other === undefined ? '–' : `${other.toFixed(3)} s: ${(other / own).toFixed(1)} x`;
console.log('| what | Cutaway | Captum | Inseq |\n| -- | -- | -- | -- |');
for (const [name, given] of Object.entries(cases).filter(([name]) => name.includes(only))) {
  await timed(given);
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) times.push(await timed(given));
  const own = median(times);
  console.log(`| ${name} | ${own.toFixed(3)} s | ${told(captum[name], own)} | ${told(inseq[name], own)} |`);
}
await model.dispose();
