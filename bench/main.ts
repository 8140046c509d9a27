/**
 * The benchmarks: Cutaway beside transformers and TransformerLens, on models of random weights, in one run.
 *
 *     npm run bench [-- --quick] [-- --only gpt2-small]
 *
 * Needs a Python with torch, transformers and transformer_lens: CUTAWAY_PYTHON, else .venv/bin/python.
 * Writes bench/results.json and prints the table that stands in bench/RESULTS.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gpt2SmallConfig, llamaHalfBillionConfig, writeRandomModel } from '../test/support/random-model.js';
import type { Cases } from './ours.js';
import { report, type Measured } from './report.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const quick = process.argv.includes('--quick');

const cases: Cases = {
  lengths: quick ? [1, 16] : [1, 16, 64, 512],
  decodePrompt: 16,
  decodeTokens: 32,
  warmUp: 1,
  repeats: quick ? 3 : 5,
  starts: 3,
  seed: 1,
  threads: 2,
};

const models = [
  {
    name: 'gpt2-small',
    config: gpt2SmallConfig,
    dtype: 'F32',
    peers: ['transformers', 'transformer_lens', 'transformer_lens_2'],
  },
  { name: 'llama-0.5b-bfloat16', config: llamaHalfBillionConfig, dtype: 'BF16', peers: ['transformers'] },
] as const;

const made = (name: string, config: object, dtype: 'F32' | 'BF16'): string => {
  const folder = path.join(here, 'models', name);
  mkdirSync(path.dirname(folder), { recursive: true });
  return existsSync(path.join(folder, 'model.safetensors'))
    ? folder
    : writeRandomModel(folder, { ...config }, { dtype });
};

const run = (command: string, args: readonly string[]): unknown => {
  process.stderr.write(`${path.basename(args.find((a) => /\.(ts|py)$/.test(a)) ?? command)} ...\n`);
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
};

const python = [process.env['CUTAWAY_PYTHON'], path.join(here, '../.venv/bin/python')].find(
  (p) => p !== undefined && existsSync(p),
);

/** TransformerLens 2 (HookedTransformer) needs older packages: a folder of them can be named. */
const olderPackages = process.env['CUTAWAY_BENCH_TRANSFORMER_LENS_2'];

const peer = (name: string, folder: string): unknown => {
  if (python === undefined) return undefined;
  if (name === 'transformer_lens_2') {
    if (olderPackages === undefined) return undefined;
    process.env['PYTHONPATH'] = olderPackages;
    const result = peer('transformer_lens', folder);
    delete process.env['PYTHONPATH'];
    return result;
  }
  const { threads, ...rest } = cases;
  const file = path.join(here, 'models', 'cases.json');
  writeFileSync(file, JSON.stringify({ ...rest, captureLengths: rest.lengths, patchLengths: [16] }));
  return run(python, [
    path.join(here, `peers/${name}_bench.py`),
    folder,
    '--cases',
    file,
    '--threads',
    String(threads),
  ]);
};

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;

const results: Record<string, Measured> = {};
for (const { name, config, dtype, peers } of models) {
  if (only !== undefined && only !== name) continue;
  const folder = made(name, config, dtype);
  process.stderr.write(`${name}\n`);
  const ours = run(process.execPath, ['--import', 'tsx', path.join(here, 'ours.ts'), folder, JSON.stringify(cases)]);
  results[name] = { ours, ...Object.fromEntries(peers.map((p) => [p, peer(p, folder)])) } as Measured;
}
const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
const document = { date: new Date().toISOString().slice(0, 10), machine, node: process.version, cases, results };
writeFileSync(path.join(here, 'results.json'), `${JSON.stringify(document, null, 1)}\n`);
process.stdout.write(report(document));
