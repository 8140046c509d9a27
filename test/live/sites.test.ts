import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, type TestContext } from 'vitest';
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

const encoders = ['bert-masked', 'bert-untied', 'bert-two-labels', 'roberta-masked', 'roberta-two-labels', 'distilbert-masked', 'distilbert-two-labels']; // prettier-ignore

/** With the token that their decoder begins with. */
const encoderDecoders: Readonly<Record<string, number>> = { 't5-default': 0, 't5-gated': 0, 'mt5-default': 0, 'umt5-default': 0, 'bart-default': 2, 'mbart-default': 2, 'marian-default': 60 }; // prettier-ignore
const targetIds = [3, 17];

/** The values of sites as our own engine computes them. */
const ofEngine = async (
  folder: string,
  sites: readonly string[],
  target?: readonly number[],
): Promise<ReadonlyMap<string, Float32Array>> => {
  const out = path.join(scratch, `${path.basename(folder)}.safetensors`);
  const run = await cutaway(
    'inspect',
    folder,
    '--ids',
    ids.join(','),
    '--sites',
    sites.join(','),
    '--out',
    out,
    ...(target ? ['--target-ids', target.join(',')] : []),
  );
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
  'opt-default': { lacking: ['embed'] }, // the matrix behind the embedding is another module
  'marian-default': { lacking: ['encoder.embed', 'decoder.embed'] }, // one module for both, and positions added at once
};

/** Sites of our engine that no module has, whatever the family: docs/live.md. */
const nowhere = /\.(?:scores|result|bias|rot_q|rot_k|scale|normalized_raw)$/;

interface Expected {
  readonly variants: readonly string[];
  /** What must be there; left out, all but what no module has. */
  readonly everywhere?: readonly string[];
  /** What the decoder is given, of a variant. */
  readonly target?: (variant: string) => readonly number[];
}

/** Compares each site of each model with our own engine's. @returns what differs, and what is not there */
const compared = async (context: TestContext, { variants, everywhere, target }: Expected): Promise<object[]> => {
  const process = await startScript(context, 'serve_many.py', ...variants.map(tiny));
  const found: object[] = [];
  try {
    for (const [i, variant] of variants.entries()) {
      const at = { ...process, port: process.ports[i] ?? 0 };
      const { connection } = await AgentConnection.open(at, { onEvent: () => undefined, onLost: () => undefined });
      const model = new LiveModel(await connection.request('describe'));
      const sites = [...model.known.sites.keys()];
      const refs = Object.fromEntries([...model.known.sites].map(([name, site]) => [name, site.at]));
      const targetIds = target?.(variant);
      const { result, payload } = await connection.ask('capture', { ids, refs, ...(targetIds ? { targetIds } : {}) });
      const own = await ofEngine(tiny(variant), sites, targetIds?.slice(1));
      const different = result.values.filter(({ name, offset, bytes }) => {
        const live = new Float32Array(payload.buffer.slice(offset, offset + bytes));
        return !(worst(live, own.get(name)) < 2e-5);
      });
      const absent = [...model.known.missing].filter((name) => !nowhere.test(name));
      const lacking = everywhere?.filter((name) => !model.known.sites.has(name)) ?? absent;
      found.push({ variant, lacking, notes: model.notes, missing: result.missing, different: different.map((v) => v.name) }); // prettier-ignore
      connection.close();
    }
  } finally {
    await process.end();
  }
  return found;
};

const expected = (variants: readonly string[]): object[] =>
  variants.map((variant) => ({ variant, lacking: [], notes: [], missing: [], different: [], ...known[variant] }));

describe('the sites of a live model', () => {
  it('are those of our own engine, at the modules that give them, in every family of decoders', async (context) => {
    expect(await compared(context, { variants, everywhere })).toEqual(expected(variants));
  }, 120_000);

  it('are those of our own engine in encoders', async (context) => {
    const found = await compared(context, { variants: encoders });
    expect(found).toEqual(expected(encoders));
  }, 120_000);

  it('are those of our own engine in encoder-decoders, of both stacks', async (context) => {
    const variants = Object.keys(encoderDecoders);
    const target = (variant: string): readonly number[] => [encoderDecoders[variant] ?? 0, ...targetIds];
    const found = await compared(context, { variants, target });
    expect(found).toEqual(expected(variants));
  }, 120_000);
});
