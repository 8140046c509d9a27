import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openWeights } from '../../src/formats/index.node.js';
import { AgentConnection, LiveModel } from '../../src/service/debugging/live/index.js';
import { cutaway, tiny } from '../cli/command.js';
import { startScript } from './process.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-live-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What every decoder has at its modules' boundaries; the rest of a family's sites is listed in docs/live.md. */
const everywhere = ['embed', 'blocks.0.resid_pre', 'blocks.1.resid_post', 'blocks.0.attn_out', 'blocks.0.attn.pattern', 'blocks.0.attn.z', 'blocks.0.mlp_out', 'logits']; // prettier-ignore

const variants = ['gpt2-default', 'llama-grouped', 'gpt-neox-default', 'gpt-neo-default', 'opt-default', 'phi-default', 'phi3-default', 'qwen2-default', 'qwen3-default', 'gemma-default', 'gemma2-default', 'gemma3-text-default', 'mistral-default', 'olmo2-default', 'smollm3-default']; // prettier-ignore
const ids = [5, 42, 9, 31];

/** The values of sites as our own engine computes them. */
const ofEngine = async (folder: string, sites: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> => {
  const out = path.join(scratch, `${path.basename(folder)}.safetensors`);
  const run = await cutaway('inspect', folder, '--ids', ids.join(','), '--sites', sites.join(','), '--out', out);
  expect({ status: run.status, stderr: run.status === 0 ? '' : run.stderr }).toEqual({ status: 0, stderr: '' });
  const weights = await openWeights(out);
  const values = new Map<string, Float32Array>();
  for (const site of sites) values.set(site, (await weights.read(site)).data);
  await weights.close();
  return values;
};

const worst = (a: Float32Array, b: Float32Array | undefined): number => {
  if (!b || a.length !== b.length) return Infinity;
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? NaN)) / (1 + Math.abs(x))), 0);
};

/** What the families leave out by themselves. */
const known: Readonly<Record<string, object>> = {
  // patterns only where the model is called with output_attentions; the matrix behind the embedding is another module
  'opt-default': { lacking: ['embed'], missing: ['blocks.0.attn.pattern', 'blocks.1.attn.pattern'] },
};

describe('the sites of a live model', () => {
  it('are those of our own engine, at the modules that give them, in every family', async (context) => {
    const process = await startScript(context, 'serve_many.py', ...variants.map(tiny));
    const found: object[] = [];
    try {
      for (const [i, variant] of variants.entries()) {
        const at = { ...process, port: process.ports[i] ?? 0 };
        const { connection } = await AgentConnection.open(at, { onEvent: () => undefined, onLost: () => undefined });
        const model = new LiveModel(await connection.request('describe'));
        const sites = [...model.known.sites.keys()];
        const refs = Object.fromEntries([...model.known.sites].map(([name, site]) => [name, site.at]));
        const { result, payload } = await connection.ask('capture', { ids, refs });
        const own = await ofEngine(tiny(variant), sites);
        const different = result.values.filter(({ name, offset, bytes }) => {
          const live = new Float32Array(payload.buffer.slice(offset, offset + bytes));
          return !(worst(live, own.get(name)) < 2e-5);
        });
        const lacking = everywhere.filter((name) => !model.known.sites.has(name));
        found.push({ variant, lacking, notes: model.notes, missing: result.missing, different: different.map((v) => v.name) }); // prettier-ignore
        connection.close();
      }
    } finally {
      await process.end();
    }
    expect(found).toEqual(variants.map((variant) => ({ variant, lacking: [], notes: [], missing: [], different: [], ...known[variant] }))); // prettier-ignore
  }, 120_000);
});
