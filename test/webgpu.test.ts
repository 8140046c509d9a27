import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWeights } from '../src/formats/index.node.js';
import type { RunResult } from '../src/protocol/index.js';
import { goldenFolder, greedyOf, promptOf, readGolden, worstDifference } from './support/golden.js';
import { root } from './support/root.js';
import { softwareGpuOrSkip } from './support/software-gpu.js';

/** Another machine's kernels, with their own order of summation: TransformerLens's guide calls 1e-4 the limit of float32. */
const tolerance = 1e-4;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutaway-webgpu-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cutaway = (args: readonly string[], env: NodeJS.ProcessEnv): string => {
  const command = ['--import', 'tsx', path.join(root, 'src/cli/main.ts'), ...args, '--device', 'webgpu', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', env, cwd: root });
  expect(status, stderr).toBe(0);
  return stdout;
};

describe.each(['gpt2-default', 'llama-grouped', 'llama-bfloat16'])('%s on WebGPU', (variant) => {
  it('agrees with transformers in every value and in 20 greedy tokens', { timeout: 120_000 }, async (context) => {
    const env = softwareGpuOrSkip(context, path.join(folder, 'gpu'));
    const { golden, tensors } = await readGolden(variant);
    const [model, out] = [path.join(goldenFolder, variant), path.join(folder, `${variant}.safetensors`)];
    const names = tensors.names().filter((name) => name.startsWith('long.'));
    const sites = names.map((name) => name.slice('long.'.length));
    const ids = promptOf(golden.prompts['long'] ?? []).ids.join();
    cutaway(['inspect', model, '--ids', ids, '--sites', sites.join(), '--out', out], env);
    const values = await openWeights(out);
    for (const site of sites) {
      const expected = await tensors.read(`long.${site}`);
      expect(worstDifference((await values.read(site)).data, expected.data), site).toBeLessThan(tolerance);
    }
    const { prompt, ids: greedy } = greedyOf(golden);
    const generation = ['--max-new-tokens', String(greedy.length), '--ignore-eos'];
    const run = JSON.parse(cutaway(['run', model, '--ids', prompt.join(), ...generation], env)) as RunResult;
    expect(run.generated.ids).toEqual(greedy);
    await values.close();
    await tensors.close();
  });
});
